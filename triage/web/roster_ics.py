"""Calendars to subscribe to: read-only, by a link that shows nothing else and acts on nothing."""

import hmac

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from triage.rosters.ical_out import calendar_of, calendar_token
from triage.web.asking import parts_of
from triage.web.problems import RefusalError

router = APIRouter(include_in_schema=False)


@router.get("/roster/{name}.ics")
async def get_calendar(request: Request, name: str, token: str = "") -> Response:
    """The shifts of the next 90 days of a person (`reg-a`) or a post (`centre:NEURO.registrar`)."""
    parts = parts_of(request)
    expected = calendar_token(parts.secret_key, name)
    roster, now = parts.desk.roster, parts.clock.now()
    site, _, role = name.rpartition(".")
    is_person, is_post = name in roster.people, (site, role) in roster.posts
    if not hmac.compare_digest(expected, token) or not (is_person or is_post):
        raise RefusalError(404, "No such calendar", "The link is not valid, or not any more.")
    if is_person:
        content = calendar_of(roster, now=now, person=name)
    else:
        content = calendar_of(roster, now=now, post=(site, role))
    return Response(content, media_type="text/calendar; charset=utf-8")
