"""Hours since walking or power was lost, against the window of the policy book."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from triage.domain.instants import parse_instant
from triage.policies.book import PolicyBook

_FIELD = "deficit_onset_at"


@dataclass(frozen=True, slots=True)
class Window:
    """`share` of the window that is used up, 0 to 100; `title` says since what."""

    title: str
    words: str
    of: str
    share: int
    is_over: bool


def window_of(document: Mapping[str, Any], book: PolicyBook, now: datetime) -> Window | None:
    """None when nothing was lost or decompression is done. Exactly at the limit is inside."""
    findings, milestones = document.get("findings", {}), document.get("milestones", {})
    if "decompression_complete" in milestones:
        return None
    is_walking_lost = _value(findings, "walking") == "cannot"
    since = _onset(_value(findings, _FIELD)) or _onset(
        (milestones.get("last_walked") or {}).get("at")
    )
    if since is None:
        return None
    limit = next((each.within for each in book.derived.window if each.of == _FIELD), None)
    if limit is None:
        return None
    return _window(max(now - since, timedelta()), limit, is_walking_lost)


def _window(passed: timedelta, limit: timedelta, is_walking_lost: bool) -> Window:
    return Window(
        title="since walking was lost" if is_walking_lost else "since the deficit began",
        words=_hours(passed),
        of=_hours(limit),
        share=min(100, int(100 * passed / limit)),
        is_over=passed > limit,
    )


def _hours(wait: timedelta) -> str:
    """Whole hours, the rest cut off: 47 h 59 min is still 47 h."""
    return f"{int(wait.total_seconds() // 3600)} h"


def _value(findings: Mapping[str, Any], name: str) -> Any:
    found = findings.get(name)
    return found.get("value") if isinstance(found, Mapping) else None


def _onset(value: object) -> datetime | None:
    """An instant, or the latest plausible one of a range."""
    if isinstance(value, Mapping):
        value = value.get("latest")
    return parse_instant(value)
