"""/call-list: who to telephone, to print before it is needed."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from triage.call_list import CallList, as_html, call_list
from triage.policies.roles import paged_roles
from triage.store.reader import Reader
from triage.web.asking import parts_of
from triage.web.problems import RefusalError
from triage.web.visiting import reading, visitor_of

router = APIRouter(include_in_schema=False)


@router.get("/call-list")
async def call_list_page(request: Request) -> Response:
    """For people of the centre; the same is in TRIAGE_HOME for when no page answers."""
    parts, visitor = parts_of(request), await visitor_of(request)
    if visitor.credential.is_hospital:
        raise RefusalError(404, "No such page", "There is no page of this name for you.")
    now, roles = parts.clock.now(), paged_roles(parts.desk.books.current)

    def build(reader: Reader) -> CallList:
        return call_list(reader, parts.desk.roster, roles, now, others=reader.calmer_cases())

    return HTMLResponse(as_html(await reading(request, build), now))
