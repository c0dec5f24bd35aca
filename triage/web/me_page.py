"""The page of whoever is signed in: their routes, and this browser as one of them."""

import hashlib
from functools import partial

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from triage.domain.roster.people import Person
from triage.store.reaching import Subscription
from triage.store.reader import Reader
from triage.web.asking import parts_of
from triage.web.parts import WebParts
from triage.web.problems import RefusalError
from triage.web.rendering import STATIC, frame, page
from triage.web.sessions import Visitor
from triage.web.submission import in_store
from triage.web.visiting import reading, submitted, visitor_of

router = APIRouter(include_in_schema=False)

_LONGEST = 2_000  # characters of an endpoint
_KEY_LONGEST = 200


@router.get("/me")
async def me(request: Request) -> Response:
    """Which routes reach this person, and whether they have a PIN."""
    parts, visitor = parts_of(request), await visitor_of(request)
    person = _person(parts, visitor)

    def build(reader: Reader) -> dict[str, object]:
        return {
            "person": person,
            "push_key": parts.push_key or "",
            "browsers": len(reader.subscriptions(person.id)) if person else 0,
            "has_pin": person is not None and reader.pin(person.id) is not None,
            "takes_push": person is not None and any(r.kind == "webpush" for r in person.routes),
        }

    content = await reading(request, build)
    return page(request, "me.html", frame(parts, visitor, None), content)


@router.get("/sw.js")
async def service_worker() -> Response:
    """The script that shows pages in a browser; it has to come from the root."""
    return FileResponse(STATIC / "sw.js", media_type="text/javascript")


@router.post("/me/push")
async def sign_up(request: Request) -> Response:
    """This browser takes push messages for the person from now on."""
    parts, (visitor, form) = parts_of(request), await submitted(request)
    person = _person(parts, visitor)
    if person is None:
        raise RefusalError(403, "Nobody named", "Sign in as a person of the roster.")
    endpoint, keys = form.get("endpoint", ""), (form.get("p256dh", ""), form.get("auth", ""))
    # A push service is reached over TLS; without it only where nobody does, on this machine.
    schemes = ("https://",) if parts.is_encrypted else ("https://", "http://127.0.0.1:")
    if not endpoint.startswith(schemes) or len(endpoint) > _LONGEST:
        raise RefusalError(400, "No push service", "`endpoint` must be an https address.")
    if not all(0 < len(key) <= _KEY_LONGEST for key in keys):
        raise RefusalError(400, "No keys", "`p256dh` and `auth` must be the browser's keys.")
    browser = Subscription(
        id=_id(endpoint),
        person=person.id,
        endpoint=endpoint,
        p256dh=keys[0],
        auth=keys[1],
        made_at=parts.clock.now(),
    )
    await in_store(parts, partial(_keep, parts, browser))
    return Response(status_code=204)


@router.post("/me/push/end")
async def sign_off(request: Request) -> Response:
    """This browser takes none any more."""
    parts, (_, form) = parts_of(request), await submitted(request)
    await in_store(parts, partial(_end, parts, _id(form.get("endpoint", ""))))
    return Response(status_code=204)


def _person(parts: WebParts, visitor: Visitor) -> Person | None:
    actor = visitor.credential.actor
    return parts.desk.roster.people.get(actor.person or "") if actor else None


def _id(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()


def _keep(parts: WebParts, browser: Subscription) -> None:
    with parts.store.begin() as tx:
        tx.keep_subscription(browser)


def _end(parts: WebParts, browser: str) -> None:
    with parts.store.begin() as tx:
        tx.end_subscription(browser, parts.clock.now())
