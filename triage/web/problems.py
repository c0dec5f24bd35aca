"""Refusals as RFC 9457 problem details: what, where, what was allowed, what to do."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from starlette.responses import Response

from triage.domain.errors import TriageError

MEDIA_TYPE = "application/problem+json"


class RefusalError(TriageError):
    """The request is answered with this problem; nothing of it was acted on."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(title, hint=detail)
        self.status, self.title, self.detail = status, title, detail
        self.errors, self.headers = errors, headers

    def response(self) -> Response:
        """The answer on the wire."""
        return problem(
            self.status, self.title, self.detail, errors=self.errors, headers=self.headers
        )


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document; `errors` hold `path`, `value`, `allowed`, `hint`, `index` in a batch."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
    }
    if errors:
        body["errors"] = list(errors)
    return Response(orjson.dumps(body), status, media_type=MEDIA_TYPE, headers=dict(headers or {}))


def unauthorized() -> RefusalError:
    """No token, or one that is not in force."""
    return RefusalError(
        401,
        "No valid token",
        "Send `Authorization: Bearer tri_...`; tokens are made with `triage token create`.",
        headers={"WWW-Authenticate": 'Bearer realm="triage"'},
    )


def unavailable() -> RefusalError:
    """The database cannot take or give anything now."""
    return RefusalError(
        503,
        "Nothing was stored",
        "The database is away. Send the same thing again; if it is urgent, telephone the desk.",
        headers={"Retry-After": "2"},
    )


def undecided(seconds: float) -> RefusalError:
    """The database has not answered for so long, and may still store what it was given."""
    return RefusalError(
        503,
        "Not known whether it was stored",
        f"The database has not answered within {seconds:g} s. Send the same thing again, it counts"
        " once; if it is urgent, telephone the desk.",
        headers={"Retry-After": "2"},
    )


def unknown_case() -> RefusalError:
    """Also what somebody gets who may not see it."""
    return RefusalError(404, "No such case", "There is no case with this id that you may see.")
