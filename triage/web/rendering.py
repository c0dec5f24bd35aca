"""Pages as HTML: what each has around its own content, and an ETag so that looking is cheap."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from triage.store.reader import Reader
from triage.web.asking import parts_of
from triage.web.health import SWEEP, WATCH, loops
from triage.web.parts import WebParts
from triage.web.sessions import COOKIE, LASTS, Visitor
from triage.web.wall import Wall
from triage.web.words import plain, role_words, tier_key

STATIC = Path(__file__).parent / "static"
SAID = "triage_said"
_SAID_SECONDS = 60
_UNTRIED = timedelta(seconds=60)
_POLL = "x-poll"
_NO_SWEEP = "Deadlines are not being watched: the sweep is not running. Follow every case by hand."
_NO_WATCHMAN = "The watchman is not running: nothing outside this service checks that it is alive."

_TEMPLATES = Environment(
    loader=PackageLoader("triage.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"plain": plain, "role": role_words, "tier_key": tier_key}


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every page. `alarms` are shown loud, `notes` calm.

    `siren` are EMERGENT cases for which no provider takes a page: red, and with sound.
    """

    visitor: Visitor | None
    wall: Wall
    is_demo: bool
    policy: str
    is_draft: bool
    desk: str
    alarms: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    siren: tuple[str, ...] = ()


def frame(parts: WebParts, visitor: Visitor | None, reader: Reader | None) -> Frame:
    """The frame at this instant; without a reader (no database) the loops are not judged."""
    book, now = parts.desk.books.current, parts.clock.now()
    known = loops(reader.progress(), now, parts.stale_after) if reader else ()
    still = {each.name for each in known if not each.is_well}
    return Frame(
        visitor=visitor,
        wall=Wall(zone_of(parts, visitor), now),
        is_demo=parts.is_demo,
        policy=book.version,
        is_draft=book.is_draft,
        desk=desk_number(parts, visitor),
        alarms=((_NO_SWEEP,) if SWEEP in still else ()) + _roster_notices(parts, visitor),
        notes=(_NO_WATCHMAN,) if WATCH in still else (),
        siren=_siren(reader, visitor, now),
    )


def _siren(reader: Reader | None, visitor: Visitor | None, now: datetime) -> tuple[str, ...]:
    """After the first failure, or when nobody has even tried for a minute."""
    if reader is None or visitor is None or visitor.credential.is_hospital:
        return ()
    return tuple(
        each.case for each in reader.unheard() if each.failures or now - each.since >= _UNTRIED
    )


def _roster_notices(parts: WebParts, visitor: Visitor | None) -> tuple[str, ...]:
    """The centre's affair, not a hospital's."""
    is_ours = visitor is not None and not visitor.credential.is_hospital
    return parts.desk.notices if is_ours else ()


def zone_of(parts: WebParts, visitor: Visitor | None) -> tzinfo:
    """The zone of the visitor's site, of the default site for a hospital."""
    roster = parts.desk.roster
    site = roster.sites.get(visitor.credential.source) if visitor else None
    site = site or roster.sites.get(roster.default_site)
    return site.zone if site else UTC


def desk_number(parts: WebParts, visitor: Visitor | None) -> str:
    """The telephone that answers when this service does not."""
    roster = parts.desk.roster
    site = roster.sites.get(visitor.credential.source) if visitor else None
    site = site or roster.sites.get(roster.default_site)
    return (site.desk if site else None) or ""


def page(
    request: Request, template: str, around: Frame, content: Mapping[str, Any], status: int = 200
) -> Response:
    """The page, or 304 when the browser has it already."""
    is_poll = _POLL in request.headers
    said = "" if is_poll else unquote(request.cookies.get(SAID, ""))
    body = _TEMPLATES.get_template(template).render(
        frame=around, path=request.url.path, said=said, **content
    )
    tag = f'"{hashlib.sha256(body.encode()).hexdigest()[:20]}"'
    if is_poll and request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    response = HTMLResponse(body, status, headers={"ETag": tag})
    if said:
        response.delete_cookie(SAID)
    return response


def see_other(request: Request, path: str, said: str = "") -> Response:
    """Go to a page of ours after a form; `said` is shown there once."""
    response = RedirectResponse(path, 303)
    if said:
        secure = parts_of(request).is_encrypted
        response.set_cookie(
            SAID, quote(said), _SAID_SECONDS, secure=secure, httponly=True, samesite="strict"
        )
    return response


def set_session(request: Request, response: Response, cookie: str) -> None:
    """Give the browser its session."""
    response.set_cookie(
        COOKIE,
        cookie,
        int(LASTS.total_seconds()),
        secure=parts_of(request).is_encrypted,
        httponly=True,
        samesite="strict",
    )
