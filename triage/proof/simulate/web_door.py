"""The web role of a simulated process: a page's own screen, looked at by its real route."""

from copy import copy
from http.cookies import SimpleCookie
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import State

from triage.web.parts import WebParts
from triage.web.sessions import COOKIE


async def look_at_page(parts: WebParts, page: str) -> int:
    """GET of the address that a page carries, as the person who holds the telephone; the status."""
    app = _app_for(parts)
    cookie = SimpleCookie({COOKIE: parts.sessions.open_demo(parts.clock.now())})
    return await _get(app, f"/p/{page}", cookie.output(header="").strip())


_BUILT: dict[str, FastAPI] = {}


def _app_for(parts: WebParts) -> FastAPI:
    """Building an application takes longer than a whole run: copies share one, not its state. Not
    even loaded until somebody looks at a page: in a month nobody does."""
    if not _BUILT:
        from triage.web.app import create_app

        _BUILT["app"] = create_app(parts)
    app = copy(_BUILT["app"])
    app.state = State({"parts": parts})
    return app


async def _get(app: FastAPI, path: str, cookie: str) -> int:
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"triage.example"), (b"cookie", cookie.encode())],
        "client": ("192.0.2.1", 50000),
        "server": ("triage.example", 443),
    }
    await app(scope, receive, send)
    return status
