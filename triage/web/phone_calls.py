"""What happens on a call: the page is spoken, keys answer it, the answer is confirmed aloud."""

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from triage.domain.roster.telephone import SPOKEN_DIGITS, reply_code
from triage.web import twiml
from triage.web.asking import parts_of
from triage.web.parts import WebParts
from triage.web.phone_acts import Paged, answer, paged, receive
from triage.web.pins import PinCheck, check_pin, has_pin
from triage.web.provider_door import CallBack, verified

router = APIRouter(prefix="/providers/{provider}/voice", include_in_schema=False)

_TURNS = 3  # how often a call asks before it gives up and the ladder goes on
_MACHINES = ("machine", "fax")
_BY_HAND = {"1": "coming", "2": "decline"}
_UNANSWERED = "No answer was recorded. The page goes on to the next person. Goodbye."


@router.post("")
async def speak(request: Request, provider: str, page: str, route: str, turn: int = 1) -> Response:
    """The call was answered: say what it is about and ask for a key."""
    back = await verified(request, provider, "voice")
    parts = parts_of(request)
    about = await paged(parts, back, page, back.fields.get("To", ""))
    if back.fields.get("AnsweredBy", "").startswith(_MACHINES):
        parts.instruments.call_back("voice", "ignored")
        await receive(parts, back, about.order, route, "failed", "answered by a machine")
        return twiml.say(_for_a_machine(parts, about))
    parts.instruments.call_back("voice", "taken")
    if about.settled:
        return twiml.say(_headline(about), f"Nothing more to answer: {about.settled}. Goodbye.")
    if turn > _TURNS:
        return twiml.say(_UNANSWERED)
    return twiml.ask(
        _headline(about),
        _keys(about),
        action=_way(provider, "/key", page, route, turn),
        digits=1,
        silence=_way(provider, "", page, route, turn + 1),
    )


@router.post("/key")
async def press(request: Request, provider: str, page: str, route: str, turn: int = 1) -> Response:
    """A key was pressed."""
    back = await verified(request, provider, "voice")
    parts = parts_of(request)
    about = await paged(parts, back, page, back.fields.get("To", ""))
    word = _BY_HAND.get(back.fields.get("Digits", ""))
    parts.instruments.call_back("voice", "taken" if word else "ignored")
    if word is None or (word == "decline" and not about.is_ladder):
        return await _again(about, provider, page, route, turn + 1)
    if word == "coming" and about.needs_proof:
        return await _ask_proof(parts, back, about, provider, page, route, turn)
    return await _done(parts, back, about, word)


@router.post("/code")
async def prove(request: Request, provider: str, page: str, route: str, turn: int = 1) -> Response:
    """The PIN, or the code that was spoken, came by keys: the person is there and listens."""
    back = await verified(request, provider, "voice")
    parts = parts_of(request)
    about = await paged(parts, back, page, back.fields.get("To", ""))
    is_right = await _is_proof(parts, back, about)
    parts.instruments.call_back("voice", "taken" if is_right else "ignored")
    if is_right:
        return await _done(parts, back, about, "coming")
    if turn >= _TURNS:
        return twiml.say(_UNANSWERED)
    return await _ask_proof(parts, back, about, provider, page, route, turn + 1)


async def _done(parts: WebParts, back: CallBack, about: Paged, word: str) -> Response:
    """The answer, recorded and confirmed aloud."""
    sentence, case = await answer(parts, back, about, word), about.order.case or ""
    return twiml.say(sentence.replace(case, twiml.spelt(case)) if case else sentence, "Goodbye.")


async def _again(about: Paged, provider: str, page: str, route: str, turn: int) -> Response:
    if turn > _TURNS:
        return twiml.say(_UNANSWERED)
    return twiml.ask(
        _keys(about),
        action=_way(provider, "/key", page, route, turn),
        digits=1,
        silence=_way(provider, "", page, route, turn + 1),
    )


async def _ask_proof(
    parts: WebParts,
    back: CallBack,
    about: Paged,
    provider: str,
    page: str,
    route: str,
    turn: int,
) -> Response:
    """Their PIN from who has one; otherwise four digits that are spoken now."""
    action = _way(provider, "/code", page, route, turn)
    silence = _way(provider, "", page, route, turn + 1)
    if about.person and await has_pin(parts, about.person.id):
        asked = "To take this case, enter your PIN, then the hash key."
        return twiml.ask(asked, action=action, digits=None, silence=silence)
    code = twiml.spelt("-".join(_spoken_code(back, about)))
    return twiml.ask(
        f"To take this case, enter these four digits: {code}. Again: {code}.",
        action=action,
        digits=SPOKEN_DIGITS,
        silence=silence,
    )


async def _is_proof(parts: WebParts, back: CallBack, about: Paged) -> bool:
    given = back.fields.get("Digits", "")
    if about.person is not None:
        checked = await check_pin(parts, about.person.id, given)
        if checked is not PinCheck.NONE:
            return checked is PinCheck.RIGHT
    return given == _spoken_code(back, about)


def _spoken_code(back: CallBack, about: Paged) -> str:
    return reply_code(about.order.page, back.key)[:SPOKEN_DIGITS]


def _headline(about: Paged) -> str:
    order = about.order
    if order.case is None:
        return f"Urgent referrals. {order.count} messages could not be read. You are asked to look."
    tier = order.tier.value if order.tier else ""
    return f"{tier} referral, case {twiml.spelt(order.case)}. You are asked to: {order.asked}."


def _keys(about: Paged) -> str:
    if about.is_ladder:
        return "Press 1 to take it. Press 2 to decline. Press 9 to hear this again."
    return "Press 1 to say that you have it. Press 9 to hear this again."


def _for_a_machine(parts: WebParts, about: Paged) -> str:
    site = parts.desk.roster.sites.get(about.order.site)
    desk = f" Telephone the desk: {twiml.spelt('-'.join(site.desk))}." if site and site.desk else ""
    return f"An urgent referral page waits for you.{desk} This recording is not an answer."


def _way(provider: str, step: str, page: str, route: str, turn: int) -> str:
    query = urlencode({"page": page, "route": route, "turn": turn})
    return f"/providers/{provider}/voice{step}?{query}"
