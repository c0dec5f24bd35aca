"""The page behind a link that was sent: whoever has it acts as the person it was sent to, once.

Looking changes nothing, however often and by whatever scanner. Acting needs the form of this very
visit, and for an EMERGENT ladder the person's PIN: a telephone lies about.
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from triage.domain.events import Actor
from triage.domain.paging import ACKNOWLEDGEMENT, PageId
from triage.domain.roster.roster import Person
from triage.domain.tiers import Tier
from triage.store.reaching import Link, link_hash
from triage.store.records import CaseRow, PageRow
from triage.web import forms
from triage.web.acts import acknowledge
from triage.web.asking import parts_of
from triage.web.auth import Credential, sender_of
from triage.web.body import read_form
from triage.web.parts import WebParts
from triage.web.pins import PinCheck, check_pin, has_pin
from triage.web.problems import RefusalError
from triage.web.rendering import frame, page
from triage.web.settled import settled_words
from triage.web.submission import in_store

router = APIRouter(include_in_schema=False)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_VISIT = "triage_link"
_VISIT_SECONDS = 3600
_ANSWERS = ("coming", "decline")
_PIN_SAID = {
    PinCheck.WRONG: "This PIN is wrong. Nothing is recorded.",
    PinCheck.LOCKED: "The PIN is locked after too many wrong ones. Sign in, or telephone the desk.",
    PinCheck.NONE: "You have no PIN, which an EMERGENT case asks for. Sign in instead.",
}


@dataclass(frozen=True, slots=True)
class _Opened:
    """A link that is good, and what it is about."""

    link: Link
    row: PageRow
    person: Person
    settled: str
    needs_pin: bool


@router.get("/a/{token}")
async def look(request: Request, token: str) -> Response:
    """What is asked, and the buttons. Changes nothing."""
    return await _show(request, await _open(parts_of(request), token))


@router.post("/a/{token}")
async def act(request: Request, token: str) -> Response:
    """The answer of the person whom the link was sent to; the link is used up by it."""
    parts, form = parts_of(request), await read_form(request)
    opened = await _open(parts, token)
    if not _is_own_form(request, opened, form.get("form_token", "")):
        detail = "This form is from another visit or too old. Open the link again and repeat."
        raise RefusalError(403, "Form not accepted", detail)
    if opened.settled:
        return await _show(request, opened)
    answer = forms.answer(form, parts.desk.roster)
    if answer["answer"] not in _ANSWERS:
        raise RefusalError(400, "No such answer", "Use one of the buttons of the page.")
    if opened.needs_pin and answer["answer"] == "coming":
        checked = await check_pin(parts, opened.person.id, form.get("pin", ""))
        if checked is not PinCheck.RIGHT:
            return await _show(request, opened, problem=_PIN_SAID[checked], status=403)
    result = await acknowledge(
        parts, _credential(opened), opened.link.page, answer, event=f"link.{opened.link.hash[:32]}"
    )
    await in_store(parts, partial(_use_up, parts, opened.link))
    return await _show(request, opened, said=forms.said(result))


async def _show(
    request: Request, opened: _Opened, *, problem: str = "", said: str = "", status: int = 200
) -> Response:
    parts, nonce = parts_of(request), secrets.token_urlsafe(16)
    order, is_over = opened.row.order, bool(said or opened.settled)
    content: dict[str, Any] = {
        "order": order,
        "tier": order.tier.value if order.tier else "UNREAD",
        "name": opened.person.name,
        "settled": opened.settled,
        "problem": problem,
        "done": said,
        "can_decline": order.obligation == ACKNOWLEDGEMENT,
        "needs_pin": opened.needs_pin,
        "has_pin": opened.needs_pin and await has_pin(parts, opened.person.id),
        "is_over": is_over,
        "form_token": _form_token(parts, nonce, opened.link.hash),
    }
    response = page(request, "link.html", frame(parts, None, None), content, status)
    response.set_cookie(
        _VISIT,
        nonce,
        _VISIT_SECONDS,
        path="/a/",
        secure=parts.is_encrypted,
        httponly=True,
        samesite="strict",
    )
    return response


async def _open(parts: WebParts, token: str) -> _Opened:
    """RefusalError (404, 410) for a link that is none, is over, or was used."""
    if _TOKEN.fullmatch(token) is None:
        raise _dead(404, "There is no such link.")
    return await in_store(parts, partial(_opened, parts, token))


def _opened(parts: WebParts, token: str) -> _Opened:
    with parts.store.read() as reader:
        link = reader.link(link_hash(token))
        row = reader.page(PageId(link.page)) if link else None
        case = reader.case(row.order.case) if row and row.order.case else None
    person = parts.desk.roster.people.get(link.person) if link else None
    if link is None or row is None or person is None:
        raise _dead(404, "There is no such link.")
    if link.used_at is not None:
        raise _dead(410, "This link has been used: an answer was recorded with it.")
    if link.expires_at <= parts.clock.now():
        raise _dead(410, "This link has expired.")
    if case is not None and case.state == "closed":
        raise _dead(410, "The case is closed: nobody is paged for it any more.")
    return _Opened(link, row, person, settled_words(row, case), _needs_pin(row, case))


def _needs_pin(row: PageRow, case: CaseRow | None) -> bool:
    is_emergent = Tier.EMERGENT in (row.order.tier, case.tier if case else None)
    return is_emergent and row.order.obligation == ACKNOWLEDGEMENT


def _credential(opened: _Opened) -> Credential:
    person, site = opened.person, opened.row.order.site
    actor = Actor(person=person.id, name=person.name, role=person.role, site=site)
    return Credential(sender_of(site, actor), f"link:{opened.link.hash}")


def _use_up(parts: WebParts, link: Link) -> None:
    with parts.store.begin() as tx:
        tx.use_link(link.hash, parts.clock.now())


def _form_token(parts: WebParts, nonce: str, digest: str) -> str:
    return parts.sessions.form_token(f"link.{nonce}.{digest}")


def _is_own_form(request: Request, opened: _Opened, given: str) -> bool:
    nonce = request.cookies.get(_VISIT, "")
    ours = _form_token(parts_of(request), nonce, opened.link.hash)
    return bool(nonce) and hmac.compare_digest(ours.encode(), given.encode(errors="replace"))


def _dead(status: int, why: str) -> RefusalError:
    return RefusalError(status, "Link not usable", f"{why} Sign in, or telephone the desk.")
