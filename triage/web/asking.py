"""What every route of the API asks of a request: who sends it, and a JSON object."""

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from starlette.requests import Request

from triage.intake.strict_json import UnreadableJson, read_json
from triage.web.auth import Credential, authenticate
from triage.web.body import read_body
from triage.web.parts import WebParts
from triage.web.problems import RefusalError, unauthorized
from triage.web.submission import in_store


def parts_of(request: Request) -> WebParts:
    """What the application was made with."""
    return cast(WebParts, request.app.state.parts)


async def bearer(request: Request) -> Credential:
    """The credential of the request's token. RefusalError: 401, or 503 without a database."""
    parts, header = parts_of(request), request.headers.get("authorization")
    credential = await in_store(parts, partial(_look_up, parts, header))
    if credential is None:
        raise unauthorized()
    return credential


def _look_up(parts: WebParts, header: str | None) -> Credential | None:
    with parts.store.read() as reader:
        return authenticate(header, reader)


async def json_object(request: Request) -> Mapping[str, Any]:
    """The body as a JSON object. Raises RefusalError: 400, or 413 over the limit."""
    raw = await read_body(request, parts_of(request).event_limit_bytes)
    try:
        value = read_json(raw)
    except UnreadableJson as error:
        reason = {"path": error.path, "value": None, "allowed": error.allowed, "hint": error.hint}
        raise RefusalError(
            400, "Not JSON", "The body could not be read.", errors=[reason]
        ) from None
    if not isinstance(value, dict):
        raise RefusalError(400, "Not an object", "The body must be one JSON object.")
    return value
