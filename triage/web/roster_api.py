"""The roster over HTTP: who serves, changes at the desk. For people of the centre."""

import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from triage.domain.instants import format_instant
from triage.domain.roster.changes import Act, RosterChange, revocation
from triage.domain.roster.check_sites import Finding
from triage.policies.roles import paged_roles
from triage.rosters.changing import NoChange, change_document, changes_of, shown, weaknesses
from triage.web.asking import bearer, json_object, parts_of
from triage.web.auth import Credential
from triage.web.parts import WebParts
from triage.web.problems import RefusalError
from triage.web.submission import in_store

router = APIRouter()
_OBJECT_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.get("/api/roster")
async def get_roster(request: Request) -> Response:
    """Who serves now at the token's site, in each role that is paged, and by which rule."""
    parts, credential = parts_of(request), await _of_the_centre(request)
    roster, now = parts.desk.roster, parts.clock.now()
    found = [
        {
            "role": role,
            "person": serving.person.id if serving.person else None,
            "name": serving.person.name if serving.person else None,
            "chosen_by": serving.chosen_by,
        }
        for role in paged_roles(parts.desk.books.current)
        for serving in [roster.on_call(credential.source, role, now)]
    ]
    return _json({"site": credential.source, "at": format_instant(now), "serving": found}, 200)


@router.get("/api/roster/changes")
async def get_changes(request: Request) -> Response:
    """Changes at the desk of the token's site that stand and are not over; `all=1`: every one."""
    parts, credential = parts_of(request), await _of_the_centre(request)
    known = await in_store(parts, partial(_changes, parts))
    is_all = request.query_params.get("all") == "1"
    mine = [each for each in known if each.site == credential.source]
    found = shown(mine, parts.clock.now(), is_all=is_all)
    return _json([change_document(each) for each in found], 200)


@router.post("/api/roster/changes", status_code=201, openapi_extra=_OBJECT_BODY)
async def post_change(request: Request) -> Response:
    """An override, swap or cover; `reason` and, unless the token names a person, `by`."""
    parts, credential = parts_of(request), await _of_the_centre(request)
    asked = await json_object(request)
    roster, book, now = parts.desk.roster, parts.desk.books.current, parts.clock.now()
    try:
        act = _act(parts, credential, asked)
        changes = changes_of({"site": credential.source, **asked}, roster, act)
    except NoChange as error:
        raise RefusalError(400, "No such change", str(error)) from None
    if any(each.site != credential.source for each in changes):
        raise RefusalError(403, "Another site", "The token is for another site's roster.")
    await in_store(parts, partial(_keep, parts, changes))
    found = weaknesses(roster, changes, book, now)
    return _json(_answer(changes, found), 201)


@router.post("/api/roster/changes/{change}/revoke", status_code=201, openapi_extra=_OBJECT_BODY)
async def post_revocation(request: Request, change: str) -> Response:
    """The end of a change; what it replaced holds again."""
    parts, credential = parts_of(request), await _of_the_centre(request)
    act = _act(parts, credential, await json_object(request))
    ended = await in_store(parts, partial(_revoke, parts, credential, change, act))
    if ended is None:
        raise RefusalError(404, "No such change", "No change of your site stands under this id.")
    return _json(change_document(ended), 201)


async def _of_the_centre(request: Request) -> Credential:
    credential = await bearer(request)
    if credential.is_hospital or credential.source not in parts_of(request).desk.roster.sites:
        raise RefusalError(403, "Not your roster", "The roster is for people of the centre.")
    return credential


def _act(parts: WebParts, credential: Credential, asked: Any) -> Act:
    """Who answers for it: the token's person, else the person of the roster whom `by` names."""
    known = credential.actor.person if credential.actor else None
    said = asked.get("by")
    if known is not None and said not in (None, known):
        raise RefusalError(403, "Not yours to sign", "`by` contradicts the person of the token.")
    by, reason = known or said, asked.get("reason")
    if not isinstance(by, str) or by not in parts.desk.roster.people:
        raise RefusalError(400, "Nobody named", "Say in `by` who changes the roster: its id there.")
    if not isinstance(reason, str) or not reason.strip():
        raise RefusalError(400, "No reason", "Say in `reason` why.")
    return Act(id=secrets.token_hex(4), by=by, reason=reason.strip(), at=parts.clock.now())


def _changes(parts: WebParts) -> list[RosterChange]:
    with parts.store.read() as reader:
        return reader.roster_changes()


def _keep(parts: WebParts, changes: Sequence[RosterChange]) -> None:
    with parts.store.begin() as tx:
        tx.add_roster_changes(changes)


def _revoke(parts: WebParts, credential: Credential, change: str, act: Act) -> RosterChange | None:
    with parts.store.begin() as tx:
        mine = [each for each in tx.roster_changes() if each.site == credential.source]
        try:
            ended = revocation(mine, change, act)
        except ValueError:
            return None
        tx.add_roster_changes([ended])
    return ended


def _answer(changes: Sequence[RosterChange], found: Sequence[Finding]) -> dict[str, Any]:
    return {
        "id": changes[0].together,
        "changes": [change_document(each) for each in changes],
        "warnings": [f"{each.place}: {each.what}" for each in found],
    }


def _json(value: Any, status: int) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
