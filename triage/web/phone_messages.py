"""Text messages that come in, and what became of messages and calls that went out."""

import re
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from triage.domain.roster.telephone import CODE_DIGITS, reply_code
from triage.web import twiml
from triage.web.asking import parts_of
from triage.web.parts import WebParts
from triage.web.phone_acts import Paged, answer, has_answered, paged, paged_of, receive
from triage.web.provider_door import CallBack, people_at, verified
from triage.web.submission import in_store

router = APIRouter(prefix="/providers/{provider}", include_in_schema=False)

_CODE = re.compile(rf"(?<!\d)\d{{{CODE_DIGITS}}}(?!\d)")
# Nothing else is guessed at: "sorry, not tonight 123456" must not take a case on.
_ANSWER = re.compile(rf"\s*(?P<no>no|decline)?[\s,.:]*(\d{{{CODE_DIGITS}}}[\s,.]*)+", re.IGNORECASE)
_LOOKS_BACK = timedelta(days=3)
_DEAD = ("failed", "undelivered")
_UNSUCCESSFUL = ("busy", "no-answer", "failed", "canceled")
_HOW = "Send the code of the page alone to take it, or NO and the code to decline."


@router.post("/sms")
async def message(request: Request, provider: str) -> Response:
    """A person's reply. Only a code from the telephone that it was sent to answers a page."""
    back = await verified(request, provider, "sms")
    parts = parts_of(request)
    text, number = back.fields.get("Body", ""), back.fields.get("From", "")
    pages = await in_store(parts, partial(_meant, parts, back, text, number))
    parts.instruments.call_back("sms", "taken" if pages else "ignored")
    if not pages:
        known = await parts.run_blocking(lambda: people_at(parts, provider, number))
        return twiml.reply(f"No page has this code. {_HOW}" if known else "")
    understood = _ANSWER.fullmatch(text)
    if understood is None:
        return twiml.reply(f"Not understood, nothing is recorded. {_HOW}")
    word = "decline" if understood["no"] else "coming"
    return twiml.reply(" ".join([await _answered(parts, back, page, word) for page in pages]))


@router.post("/status")
async def status(
    request: Request, provider: str, page: Annotated[list[str], Query()], route: str
) -> Response:
    """What became of a message or call. Delivered is a fact for the log, never an answer."""
    back = await verified(request, provider, "status")
    parts = parts_of(request)
    for name in page:
        about = await paged(parts, back, name, back.fields.get("To", ""))
        outcome = await _outcome(parts, back, about)
        parts.instruments.call_back("status", "taken" if outcome else "ignored")
        if outcome:
            await receive(parts, back, about.order, route, *outcome)
    return Response(status_code=204)


async def _outcome(parts: WebParts, back: CallBack, about: Paged) -> tuple[str, str] | None:
    """Status and word of the receipt; None for what is still under way."""
    fields = back.fields
    word = fields.get("MessageStatus")
    if word is not None:
        if word in _DEAD:
            return "failed", f"{word} {_digits(fields.get('ErrorCode'))}".strip()
        return ("delivered", word) if word == "delivered" else None
    word = fields.get("CallStatus", "")
    if word in _UNSUCCESSFUL:
        return "failed", f"call {word}"
    if word != "completed":
        return None
    if await has_answered(parts, back, about.order):
        return "delivered", "answered on the call"
    is_machine = fields.get("AnsweredBy", "").startswith(("machine", "fax"))
    return "failed", "answered by a machine" if is_machine else "call ended without an answer"


async def _answered(parts: WebParts, back: CallBack, page: Paged, word: str) -> str:
    if page.settled and not await has_answered(parts, back, page.order):
        return f"Case {page.order.case}: nothing more to answer, {page.settled}."
    return await answer(parts, back, page, word if page.is_ladder else "coming")


def _meant(parts: WebParts, back: CallBack, text: str, number: str) -> Sequence[Paged]:
    """The pages whose codes stand in the text, for the person at this number."""
    codes = set(_CODE.findall(text))
    if not codes or not people_at(parts, back.provider, number):
        return ()
    with parts.store.read() as reader:
        since = parts.clock.now() - _LOOKS_BACK
        rows = [
            row
            for row in reader.pages_by_message(since)
            if reply_code(row.order.page, back.key) in codes
        ]
        cases = {row.order.page: reader.case(row.order.case) for row in rows if row.order.case}
    return [
        about
        for row in rows
        if (about := paged_of(parts, back, row, cases.get(row.order.page), number)).person
    ]


def _digits(text: str | None) -> str:
    return text if text and text.isdecimal() else ""
