"""The web application: doors for events, the JSON API, pages for people, metrics and health."""

from importlib.resources import as_file, files
from pathlib import Path

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from triage.web import (
    api,
    call_page,
    health,
    link_pages,
    me_page,
    pages,
    phone_calls,
    phone_messages,
    refer_page,
    roster_api,
    roster_ics,
    signing_in,
)
from triage.web.asking import parts_of
from triage.web.parts import WebParts
from triage.web.problems import RefusalError, problem
from triage.web.rendering import frame, page
from triage.web.visiting import SignInNeededError
from triage.web.wire_safety import RequestCount, WireSafety

_FOR_MACHINES = ("/api/", "/events", "/health/", "/metrics", "/providers/")


def create_app(parts: WebParts) -> FastAPI:
    """Everything of the role `web`."""
    app = _bare(parts)
    app.include_router(api.router)
    app.include_router(roster_api.router)
    app.include_router(roster_ics.router)
    app.include_router(signing_in.router)
    app.include_router(pages.router)
    app.include_router(refer_page.router)
    app.include_router(link_pages.router)
    app.include_router(me_page.router)
    app.include_router(call_page.router)
    app.include_router(phone_calls.router)
    app.include_router(phone_messages.router)
    with as_file(files("triage.web") / "static") as folder:
        app.mount("/static", StaticFiles(directory=Path(folder)), name="static")
    _count_routes(app, parts)
    return app


def create_status_app(parts: WebParts) -> FastAPI:
    """Only metrics and health, for the port of a role that has no pages."""
    app = _bare(parts)
    _count_routes(app, parts)
    return app


def _bare(parts: WebParts) -> FastAPI:
    app = FastAPI(
        title="Urgent-referral triage",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.parts = parts
    app.include_router(health.router)
    app.add_exception_handler(RefusalError, _refused)
    app.add_exception_handler(SignInNeededError, _sign_in)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_middleware(RequestCount, instruments=parts.instruments)
    app.add_middleware(WireSafety, is_encrypted=parts.is_encrypted)
    return app


def _count_routes(app: FastAPI, parts: WebParts) -> None:
    parts.instruments.expect_routes(getattr(route, "path", "other") for route in app.routes)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusalError)
    if request.url.path.startswith(_FOR_MACHINES):
        return error.response()
    return _error_page(request, error.status, error.title, error.detail)


async def _sign_in(_: Request, error: Exception) -> Response:
    assert isinstance(error, SignInNeededError)
    return error.response


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.url.path.startswith(_FOR_MACHINES):
        return problem(error.status_code, str(error.detail), "", headers=error.headers)
    return _error_page(request, error.status_code, str(error.detail), "")


def _error_page(request: Request, status: int, title: str, detail: str) -> Response:
    around = frame(parts_of(request), None, None)
    return page(request, "error.html", around, {"title": title, "detail": detail}, status)
