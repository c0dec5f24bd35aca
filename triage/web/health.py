"""/metrics and /health: the truth about this process, for every role's port."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from triage.domain.errors import StoreUnavailable
from triage.metrics.instruments import CONTENT_TYPE
from triage.web.asking import parts_of
from triage.web.parts import Component, WebParts

router = APIRouter()

SWEEP, WATCH = "deadline sweep", "watchman"
_ANSWER_SECONDS = 3.0  # shorter than the patience of those who ask
LOOPS = {"sweep": SWEEP, "watch": WATCH}  # by the name under which they stamp their progress


@router.get("/metrics", include_in_schema=False)
async def metrics(request: Request) -> Response:
    """Prometheus' text format; reads no database."""
    body = parts_of(request).instruments.exposition()
    return Response(body, headers={"Content-Type": CONTENT_TYPE})


@router.get("/health/live")
async def live() -> Response:
    """This process answers; nothing else is asked."""
    return Response(orjson.dumps({"live": True}), media_type="application/json")


@router.get("/health/ready")
async def ready(request: Request) -> Response:
    """Whether this role can do its work (200 or 503), and the state of every part with reasons."""
    parts = parts_of(request)
    components = await states(parts)
    is_ready = all(each.is_well or not each.is_vital for each in components)
    body = {
        "ready": is_ready,
        "components": [
            {
                "name": each.name,
                "state": _state(each),
                "detail": each.detail,
            }
            for each in components
        ],
    }
    return Response(orjson.dumps(body), 200 if is_ready else 503, media_type="application/json")


async def states(parts: WebParts) -> list[Component]:
    """The database, the loops that stamp their progress there, and what the process adds."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            progress = await parts.run_blocking(lambda: _progress(parts))
    except StoreUnavailable as error:
        return [_away(error.what), *parts.health()]
    except TimeoutError:
        silent = f"has not answered within {_ANSWER_SECONDS:g} s"
        return [_away(silent), *parts.health()]
    return [
        Component("database", is_well=True, detail="answers"),
        *loops(progress, parts.clock.now(), parts.stale_after),
        *parts.health(),
    ]


def loops(
    progress: Mapping[str, datetime], now: datetime, stale_after: timedelta
) -> Iterator[Component]:
    """Whether the deadline sweep and the watchman are alive, wherever they run."""
    for name, title in LOOPS.items():
        at = progress.get(name)
        if at is None:
            yield Component(title, is_well=False, detail="not running", is_vital=False)
        elif now - at > stale_after:
            age = int((now - at).total_seconds())
            detail = f"last turn {age} s ago"
            yield Component(title, is_well=False, detail=detail, is_vital=False)
        else:
            yield Component(title, is_well=True, detail="turns", is_vital=False)


def _away(detail: str) -> Component:
    return Component("database", is_well=False, detail=detail)


def _progress(parts: WebParts) -> dict[str, datetime]:
    with parts.store.read() as reader:
        return reader.progress()


def _state(component: Component) -> str:
    if component.is_well:
        return "well"
    return "down" if component.is_vital else "degraded"
