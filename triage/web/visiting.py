"""Who is at a page: the session's visitor, a demonstration's visitor, or nobody yet."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from triage.store.reader import Reader
from triage.web.asking import parts_of
from triage.web.body import read_form
from triage.web.parts import WebParts
from triage.web.problems import RefusalError
from triage.web.rendering import set_session
from triage.web.sessions import COOKIE, Visitor
from triage.web.submission import in_store

T = TypeVar("T")

# A strict cookie stays at home when a link is followed from elsewhere (a mail, a chat). Asking for
# the same page once more from our own origin brings it along.
_ONCE_MORE = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>One moment</title>'
    '<meta http-equiv="refresh" content="0"></head><body><p>One moment…</p></body></html>'
)


class SignInNeededError(Exception):
    """Nobody is signed in; the browser is sent to do that, and comes back."""

    def __init__(self, response: Response) -> None:
        super().__init__("sign-in needed")
        self.response = response


async def visitor_of(request: Request) -> Visitor:
    """Who looks at a page. Raises SignInNeededError with the answer that gets them in."""
    parts, cookie = parts_of(request), request.cookies.get(COOKIE)
    visitor = await in_store(parts, partial(_look_up, parts, cookie))
    if visitor is not None:
        return visitor
    raise SignInNeededError(_way_in(request, parts))


async def submitted(request: Request) -> tuple[Visitor, Mapping[str, str]]:
    """Visitor and fields of a form that was made for them. RefusalError (403) for a foreign one."""
    visitor, form = await visitor_of(request), await read_form(request)
    if not parts_of(request).sessions.may_submit(visitor, form.get("form_token")):
        detail = "This form is from another session or too old. Open the page again and repeat."
        raise RefusalError(403, "Form not accepted", detail)
    return visitor, form


async def reading(request: Request, work: Callable[[Reader], T]) -> T:
    """`work` on one instant of the database, off the event loop. RefusalError (503) without it."""
    parts = parts_of(request)
    return await in_store(parts, partial(_read, parts, work))


def safe_path(text: str | None) -> str:
    """A path of ours to go to; the board for anything that leads elsewhere."""
    path = text or "/"
    leads_away = path.startswith(("//", "/\\")) or not path.startswith("/")
    return "/" if leads_away or not path.isprintable() else path


def _way_in(request: Request, parts: WebParts) -> Response:
    if request.headers.get("sec-fetch-site") == "cross-site" and request.method == "GET":
        return HTMLResponse(_ONCE_MORE)
    if parts.is_demo:
        response: Response = RedirectResponse(safe_path(request.url.path), 303)
        set_session(request, response, parts.sessions.open_demo(parts.clock.now()))
        return response
    there = request.url.path if request.method == "GET" else "/"
    return RedirectResponse(f"/login?next={quote(there)}", 303)


def _look_up(parts: WebParts, cookie: str | None) -> Visitor | None:
    with parts.store.read() as reader:
        return parts.sessions.visitor(cookie, reader, parts.clock.now())


def _read(parts: WebParts, work: Callable[[Reader], T]) -> T:
    with parts.store.read() as reader:
        return work(reader)
