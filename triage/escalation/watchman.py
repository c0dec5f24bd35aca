"""The watchman: looks at the service from outside, and pages by a way that it shares with nobody.

A process of its own (`triage run --role watch`), with its own login and its own route: no Kafka, no
relay, no roster, no event loop. One turn every two seconds: look, judge, tell, stamp.
"""

import logging
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from triage.domain.instants import Clock, format_instant
from triage.escalation.watchman_judge import Judge, Trouble
from triage.escalation.watchman_route import Send, fetch
from triage.escalation.watchman_sight import Away, Sight

LOOP = "watch"
TURN_SECONDS = 2.0
REPEAT_SECONDS = 180.0
TRY_AGAIN_SECONDS = 5.0
DEADMAN_SECONDS = 60.0

_LOG = logging.getLogger(__name__)
_SEND_FAULTS = (OSError, ValueError, subprocess.SubprocessError)


class Patient(Protocol):
    """Looks and stamps within a limit, and raises nothing."""

    def look(self) -> Sight | Away:
        """What there is to see, or why not."""
        ...

    def stamp(self, loop: str, at: datetime) -> Away | None:
        """None when the stamp is there."""
        ...


@dataclass(slots=True)
class Telling:
    """What was told of which troubles. `told_at` in ticks; None while nothing is to be told."""

    send: Send
    name: str
    told: frozenset[str] = frozenset()
    told_at: float | None = None
    tried_at: float | None = None
    failures: int = 0
    repeats: int = 0
    is_failing: bool = False

    def tell(self, troubles: Sequence[Trouble], now: datetime, tick: float) -> None:
        """Alarm of what is new, again of what lasts, and once that all is well. A send that fails
        is tried again after five seconds, for ever."""
        keys = frozenset(each.key for each in troubles)
        if not self._is_due(keys, tick):
            return
        self.tried_at = tick
        document = alarm(troubles, now, self.name, self.repeats)
        try:
            self.send(document, now)
        except _SEND_FAULTS as error:
            self.failures += 1
            self.is_failing = True
            _LOG.error("watch.not_sent: %s", type(error).__name__)
            return
        _LOG.warning("watch.told: %s", ", ".join(sorted(keys)) or "well again")
        self.is_failing = False
        self.repeats = self.repeats + 1 if keys else 0
        self.told, self.told_at = keys, tick if keys else None

    def _is_due(self, keys: frozenset[str], tick: float) -> bool:
        if self.is_failing and self.tried_at is not None:
            if not keys and not self.told:  # it was over before anybody could be told
                self.is_failing = False
                return False
            return tick - self.tried_at >= TRY_AGAIN_SECONDS
        if keys - self.told or (self.told and not keys):
            return True
        return bool(keys) and self.told_at is not None and tick - self.told_at >= REPEAT_SECONDS


def alarm(
    troubles: Sequence[Trouble], now: datetime, name: str, repeats: int = 0
) -> dict[str, Any]:
    """The document that goes out: `state` is `alarm` or `well`; nothing personal is in it."""
    state = "alarm" if troubles else "well"
    at = format_instant(now)
    title = "TRIAGE IS NOT PAGING" if troubles else "Triage: well again"
    lines = [f"{each.what} {each.hint}" for each in troubles] or ["Every check is passed again."]
    return {
        "type": "watchman.v1",
        "id": f"watch-{at}",
        "state": state,
        "at": at,
        "service": name,
        "repeat": repeats,
        "title": title,
        "text": "\n".join([*lines, name]),
        "troubles": [{"key": e.key, "what": e.what, "hint": e.hint} for e in troubles],
    }


@dataclass(slots=True)
class Watchman:
    """`turn` is one look and what follows from it; `run` does so until told to stop.

    `deadman`: an address outside, asked for once a minute while every check is passed. It is left
    unasked otherwise, so that whoever listens there alarms by its own silence.
    """

    eyes: Patient
    judge: Judge
    telling: Telling
    deadman: Callable[[], None] | None = None
    troubles: tuple[Trouble, ...] = ()
    passed_at: datetime | None = None
    turned_at: float | None = None
    _fed_at: float | None = field(default=None)

    def turn(self, now: datetime, tick: float) -> None:
        """Look, judge, tell; then the outside and our own stamp. Raises nothing of theirs."""
        look = self.eyes.look()
        self.troubles = self.judge.judge(look, now, tick)
        self.telling.tell(self.troubles, now, tick)
        is_passed = isinstance(look, Sight) and not self.troubles and not self.telling.is_failing
        if is_passed:
            self.passed_at = now
            self._feed(tick)
        # A watchman that cannot page is none: without a stamp the screens say so.
        if isinstance(look, Sight) and not self.telling.is_failing:
            away = self.eyes.stamp(LOOP, now)
            if away is not None:
                _LOG.warning("watch.not_stamped: %s", away.reason)
        self.turned_at = tick

    def run(self, stop: threading.Event, clock: Clock, ticks: Callable[[], float]) -> None:
        """Until `stop`; a fault of our own is logged, and the next turn comes all the same."""
        while not stop.is_set():
            try:
                self.turn(clock.now(), ticks())
            except Exception as error:  # the loop's edge: whoever watches must not end
                _LOG.error("watch.fault: %s", type(error).__name__)
            stop.wait(TURN_SECONDS)

    def _feed(self, tick: float) -> None:
        if self.deadman is None or (
            self._fed_at is not None and tick - self._fed_at < DEADMAN_SECONDS
        ):
            return
        self._fed_at = tick
        try:
            self.deadman()
        except OSError as error:
            _LOG.warning("watch.outside_not_reached: %s", type(error).__name__)


def deadman_of(url: str | None) -> Callable[[], None] | None:
    """What tells the outside that all is well; None without an address."""
    if url is None:
        return None
    return lambda: fetch(urllib.request.Request(url))  # noqa: S310 - http by the settings
