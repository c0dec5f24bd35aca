"""The JSON side: events in, cases out, answers to pages. Every route needs a bearer token."""

from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from triage.intake.unreadable import Unreadable
from triage.store.records import CaseRow, LogRow
from triage.web.acts import acknowledge, act_on_case, find_case, receipt
from triage.web.asking import bearer, json_object, parts_of
from triage.web.auth import Credential
from triage.web.body import read_body, too_large
from triage.web.parts import WebParts
from triage.web.problems import RefusalError
from triage.web.sight import seen_cases
from triage.web.submission import Taken, in_store, take, unreadable_error

router = APIRouter()

_BINARY = "ce-"
_EVENT_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/cloudevents+json": {"schema": {"type": "object"}},
            "application/cloudevents-batch+json": {"schema": {"type": "array"}},
            "application/json": {"schema": {}},
        },
    }
}
_OBJECT_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


@router.post("/events", status_code=202, openapi_extra=_EVENT_BODY)
async def post_events(request: Request) -> Response:
    """Take in one event or a batch; answered with a receipt for each once all are stored."""
    parts, credential = parts_of(request), await bearer(request)
    raw = await read_body(request, parts.batch_limit_bytes)
    is_batch = raw.lstrip()[:1] == b"["
    if not is_batch and len(raw) > parts.event_limit_bytes:
        raise too_large(parts.event_limit_bytes)
    taken = await take(parts, credential.sender, raw, _headers(request))
    receipts = [_receipt(taken, index) for index in range(len(taken.results))]
    return _json(receipts if is_batch else receipts[0], 202)


@router.get("/api/cases")
async def get_cases(request: Request, state: str | None = None) -> Response:
    """Cases in sight of the token, EMERGENT first; `state=open` for all that need following."""
    parts, credential = parts_of(request), await bearer(request)
    rows = await in_store(parts, partial(_cases, parts, credential, state))
    return _documents([row.document for row in rows])


@router.get("/api/cases/{case}")
async def get_case(request: Request, case: str) -> Response:
    """One case."""
    row = await find_case(parts_of(request), await bearer(request), case)
    return Response(row.document, media_type="application/json")


@router.get("/api/cases/{case}/events")
async def get_case_events(request: Request, case: str) -> Response:
    """The case's log with its hash chain, first event first."""
    parts, credential = parts_of(request), await bearer(request)
    row = await find_case(parts, credential, case)
    log = await in_store(parts, partial(_log, parts, row))
    return _json([_log_line(line) for line in log], 200)


@router.post("/api/cases/{case}/events", status_code=202, openapi_extra=_OBJECT_BODY)
async def post_case_event(request: Request, case: str) -> Response:
    """A person's act on a case: `{"type", "data"}`, and `time` where it was not just now."""
    parts, credential = parts_of(request), await bearer(request)
    body = await json_object(request)
    kind, data, time = body.get("type"), body.get("data", {}), body.get("time")
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise RefusalError(400, "No act", "Send `type` (text) and `data` (an object).")
    row = await find_case(parts, credential, case)
    outcome = await act_on_case(parts, credential, row, kind, data, time=time)
    return _json(receipt(outcome), 202)


@router.post("/api/pages/{page}/acknowledge", status_code=202, openapi_extra=_OBJECT_BODY)
async def post_acknowledgement(request: Request, page: str) -> Response:
    """Answer a page; the body is `data` of `page.acknowledged.v1`, `by` the token's if absent."""
    parts, credential = parts_of(request), await bearer(request)
    return _json(await acknowledge(parts, credential, page, await json_object(request)), 202)


def _headers(request: Request) -> dict[str, bytes]:
    """What tells the mode and carries attributes; no other header reaches the journal."""
    return {
        name: value.encode()
        for name, value in request.headers.items()
        if name == "content-type" or name.startswith(_BINARY)
    }


def _receipt(taken: Taken, index: int) -> dict[str, Any]:
    result = taken.results[index]
    if isinstance(result, Unreadable):
        return {"error": unreadable_error(index, result)}
    answer = receipt(result)
    return answer if taken.may_see[result.case] else {**answer, "tier": None}


def _cases(parts: WebParts, credential: Credential, state: str | None) -> list[CaseRow]:
    with parts.store.read() as reader:
        return seen_cases(reader, credential, parts.desk.roster, state)


def _log(parts: WebParts, row: CaseRow) -> list[LogRow]:
    with parts.store.read() as reader:
        return reader.log(row.case_id)


def _log_line(line: LogRow) -> dict[str, Any]:
    return {
        "seq": line.seq,
        "previous_hash": line.previous_hash,
        "hash": line.hash,
        "event": orjson.Fragment(line.document),
    }


def _documents(documents: list[str]) -> Response:
    return _json([orjson.Fragment(document) for document in documents], 200)


def _json(value: Any, status: int) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json")
