"""The page on which a referral is submitted by hand."""

import uuid
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from triage.store.reader import Reader
from triage.web.asking import parts_of
from triage.web.problems import RefusalError
from triage.web.referral_form import questions, referral_event
from triage.web.rendering import frame, page, see_other, zone_of
from triage.web.sessions import Visitor
from triage.web.submission import take
from triage.web.visiting import reading, submitted, visitor_of

router = APIRouter(include_in_schema=False)

_JSON = {"content-type": b"application/cloudevents+json"}


@router.get("/refer")
async def referral_page(request: Request) -> Response:
    """An empty referral form."""
    return await _referral_form(request, await visitor_of(request), {}, ())


@router.post("/refer")
async def submit_referral(request: Request) -> Response:
    """Submit it, and go to the case; back to the form with what is wrong otherwise."""
    parts, (visitor, form) = parts_of(request), await submitted(request)
    source, zone = visitor.credential.source, zone_of(parts, visitor)
    raw = referral_event(form, source=source, zone=zone, opened_at=parts.clock.now())
    try:
        taken = await take(parts, visitor.credential.sender, raw, _JSON)
    except RefusalError as refusal:
        if refusal.status not in (400, 403):
            raise
        return await _referral_form(request, visitor, form, refusal.errors)
    outcome = taken.outcomes[0]
    tier = f"It is {outcome.tier.value}." if outcome.tier else ""
    unread = f" Not understood: {', '.join(outcome.unread)}." if outcome.unread else ""
    return see_other(request, f"/cases/{outcome.case}", f"Referral received. {tier}{unread}")


async def _referral_form(
    request: Request, visitor: Visitor, form: Mapping[str, str], errors: Any
) -> Response:
    parts = parts_of(request)

    def build(reader: Reader) -> Mapping[str, Any]:
        around = frame(parts, visitor, reader)
        content = {
            "groups": questions(parts.desk.books.current, form),
            "form": form,
            "errors": errors,
            "subject": form.get("subject") or f"F-{uuid.uuid4().hex[:10].upper()}",
            "opened_at": form.get("opened_at") or around.wall.moment(around.wall.now),
            "sites": sorted(parts.desk.roster.sites),
        }
        return {"around": around, "content": content}

    built = await reading(request, build)
    return page(request, "refer.html", **built, status=400 if errors else 200)
