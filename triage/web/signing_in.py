"""Signing in with a token, and out again."""

from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from triage.web.asking import parts_of
from triage.web.auth import Credential, authenticate
from triage.web.body import read_form
from triage.web.parts import WebParts
from triage.web.rendering import frame, page, see_other, set_session
from triage.web.sessions import COOKIE
from triage.web.submission import in_store
from triage.web.visiting import safe_path, submitted

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def sign_in_page(request: Request) -> Response:
    """Asks for a token."""
    around, there = frame(parts_of(request), None, None), request.query_params.get("next")
    return page(request, "login.html", around, {"next": safe_path(there), "problem": ""})


@router.post("/login")
async def sign_in(request: Request) -> Response:
    """Open a session for a token that is in force."""
    parts, form = parts_of(request), await read_form(request)
    there = safe_path(form.get("next"))
    credential = await in_store(parts, partial(_credential, parts, form.get("token", "")))
    if credential is None:
        around = frame(parts, None, None)
        problem = "This token is not valid, or it was revoked."
        return page(request, "login.html", around, {"next": there, "problem": problem}, 401)
    response = see_other(request, there)
    set_session(request, response, parts.sessions.open(credential.token_hash, parts.clock.now()))
    return response


@router.post("/logout")
async def sign_out(request: Request) -> Response:
    """End the session in this browser."""
    await submitted(request)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE)
    return response


def _credential(parts: WebParts, token: str) -> Credential | None:
    with parts.store.read() as reader:
        return authenticate(f"Bearer {token.strip()}", reader)
