"""The pages for people: board, case, inbox, one page's own screen, and the referral form."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from triage.domain.paging import PageId
from triage.domain.tiers import SETTABLE_TIERS
from triage.page_reasons import page_reasons
from triage.store.reader import Reader
from triage.web import forms
from triage.web.acts import acknowledge, act_on_case, find_case
from triage.web.asking import parts_of
from triage.web.board_view import board, centre_words
from triage.web.case_view import case_view
from triage.web.inbox_view import inbox, page_line
from triage.web.parts import WebParts
from triage.web.problems import RefusalError
from triage.web.rendering import frame, page, see_other, zone_of
from triage.web.sessions import Visitor
from triage.web.sight import cases_of_pages, seen_case, seen_cases, seen_pages
from triage.web.visiting import reading, safe_path, submitted, visitor_of
from triage.web.words import Wording

router = APIRouter(include_in_schema=False)

INBOX_PAGES = 300
CASE_PAGES = 100
_JSON = {"content-type": b"application/cloudevents+json"}


@router.get("/")
async def board_page(request: Request, tier: str | None = None) -> Response:
    """Open cases, most urgent first; `tier` keeps one tier's."""
    parts, visitor = parts_of(request), await visitor_of(request)

    def build(reader: Reader) -> Mapping[str, Any]:
        around = frame(parts, visitor, reader)
        cases = seen_cases(reader, visitor.credential, parts.desk.roster, "open")
        shown = board(cases, parts.desk.books, around.wall, tier)
        return {"around": around, "content": {"board": shown, "only": tier}}

    return page(request, "board.html", **await reading(request, build))


@router.get("/inbox")
async def inbox_page(request: Request) -> Response:
    """Pages: those that wait for an answer with EMERGENT on top, then earlier ones."""
    parts, visitor = parts_of(request), await visitor_of(request)

    def build(reader: Reader) -> Mapping[str, Any]:
        around = frame(parts, visitor, reader)
        found = reader.pages(limit=INBOX_PAGES)
        known = cases_of_pages(reader, found, visitor.credential, parts.desk.roster)
        pages = seen_pages(found, known, visitor.credential)
        shown = inbox(pages, known, visitor.credential.actor, around.wall)
        return {"around": around, "content": {"inbox": shown, **_answering(parts, visitor)}}

    return page(request, "inbox.html", **await reading(request, build))


@router.get("/cases/{case}")
async def case_page(request: Request, case: str) -> Response:
    """One case: why, what is owed, the pathway, pages and log."""
    parts, visitor = parts_of(request), await visitor_of(request)

    def build(reader: Reader) -> Mapping[str, Any]:
        around = frame(parts, visitor, reader)
        row = seen_case(reader, visitor.credential, parts.desk.roster, case)
        view = case_view(
            row,
            reader.pages(row.case_id, limit=CASE_PAGES),
            reader.log(row.case_id),
            Wording(parts.desk.books.pinned(row.policy)),
            around.wall,
            centre_words(parts.desk.roster, row.destination),
        )
        content = {"view": view, **_acts(visitor), **_answering(parts, visitor)}
        return {"around": around, "content": content}

    return page(request, "case.html", **await reading(request, build))


@router.get("/p/{name}")
async def one_page(request: Request, name: str) -> Response:
    """The screen that a page's link opens. Looking answers nothing: only its buttons do."""
    parts, visitor = parts_of(request), await visitor_of(request)

    def build(reader: Reader) -> Mapping[str, Any]:
        around = frame(parts, visitor, reader)
        row = reader.page(PageId(name))
        found = [row] if row else []
        known = cases_of_pages(reader, found, visitor.credential, parts.desk.roster)
        seen = seen_pages(found, known, visitor.credential)
        if not seen:
            raise RefusalError(404, "No such page", "There is no page of this name for you.")
        case = known.get(seen[0].order.case or "")
        line = page_line(seen[0], case, visitor.credential.actor, around.wall)
        why = None if visitor.credential.is_hospital else page_reasons(reader, parts.desk, seen[0])
        content = {"line": line, "why": why, **_answering(parts, visitor)}
        return {"around": around, "content": content}

    return page(request, "page.html", **await reading(request, build))


@router.post("/p/{name}")
async def answer_page(request: Request, name: str) -> Response:
    """A person's answer to a page."""
    parts, (visitor, form) = parts_of(request), await submitted(request)
    data = forms.answer(form, parts.desk.roster)
    result = await acknowledge(parts, visitor.credential, name, data)
    return see_other(request, safe_path(form.get("next")), forms.said(result))


@router.post("/cases/{case}")
async def act_page(request: Request, case: str) -> Response:
    """A person's act on a case: milestone, decision, tier, closing."""
    parts, (visitor, form) = parts_of(request), await submitted(request)
    kind, data, time = forms.act(form, zone_of(parts, visitor))
    row = await find_case(parts, visitor.credential, case)
    outcome = await act_on_case(parts, visitor.credential, row, kind, data, time=time)
    said = {"effect": outcome.effect, "reason": outcome.reason, "warnings": outcome.warnings}
    return see_other(request, f"/cases/{row.case_id}", forms.said(said))


def _answering(parts: WebParts, visitor: Visitor) -> dict[str, Any]:
    """Only the centre answers pages; whom it may hand over to."""
    people = sorted(parts.desk.roster.people.values(), key=lambda person: person.name)
    return {"people": people, "can_answer": not visitor.credential.is_hospital}


def _acts(visitor: Visitor) -> dict[str, Any]:
    return {
        "milestones": forms.milestones(visitor.credential.sender.side),
        "treatments": forms.TREATMENTS,
        "close_reasons": forms.CLOSE_REASONS,
        "tiers": [tier.value for tier in SETTABLE_TIERS],
    }
