"""The sweep looks ahead where many cases fall due at once, so that none of them has to wait.

A burst of instants is known before it comes: its cases are worked out in the quiet before, a few at
a time. What has changed meanwhile is worked out anew when it is due, as everything else is.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from triage.domain.errors import StoreUnavailable
from triage.domain.events import CaseId
from triage.intake.faults import described
from triage.recording.foreseeing import Foreseen, foresee
from triage.recording.ledger import Desk
from triage.store.store import Store

_LOG = logging.getLogger(__name__)
_AHEAD = timedelta(seconds=30)
_PRESSING = timedelta(seconds=15)  # as long as 5,000 cases take beside what falls due meanwhile
_WORTH_IT = 100  # fewer than this are worked out in time when they are due
_A_CASE = timedelta(milliseconds=4)  # twice what it takes where nothing else is to be done
_SLICE = 10
_LONG_SLICE = 50
_MOST = 5_000  # about 75 MB
_ASKED_EVERY = timedelta(seconds=0.5)  # where nothing can be done: what is due waits for the asking
_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Foresight:
    """What is known of the next seconds. For one sweep, in its thread; its hands may `forget`."""

    def __init__(
        self, store: Store, desk: Desk, failed: Callable[[str], None] = lambda _: None
    ) -> None:
        self._store, self._desk, self._failed = store, desk, failed
        self._known: dict[CaseId, Foreseen] = {}
        self._looked_upto = (_BEGINNING, "")
        self._ask_from = _BEGINNING

    @property
    def known(self) -> Mapping[CaseId, Foreseen]:
        """Cases that were worked out and are not past."""
        return self._known

    def due(self, now: datetime) -> int:
        """How many of those have come due."""
        return sum(each.due_at <= now for each in self._known.values())

    def forget(self, cases: Iterable[CaseId]) -> None:
        """These are past. Freeing all of a burst at once would take 80 ms, and while none is freed
        Python looks through all of it for garbage."""
        for case in cases:
            self._known.pop(case, None)

    def look(self, now: datetime, next_in: timedelta | None) -> bool:
        """Work out a few more; whether there are others left. Raises StoreUnavailable.

        What is due at `now` is past. `next_in`: how long until the next case is due, negative when
        it is overdue, None when none waits. As many are worked out as there is time for until
        then; others are not kept waiting, unless a burst is so near that some must be.
        """
        self.forget([case for case, each in self._known.items() if each.due_at <= now])
        if next_in is None or next_in > _AHEAD:
            return False
        fitting = max(0, min(next_in // _A_CASE, _LONG_SLICE))
        if not fitting and now < self._ask_from:
            return False
        try:
            return self._look_behind(now, fitting)
        except StoreUnavailable:
            raise
        except Exception as error:  # a loop's outer edge: the sweep itself will meet it again
            self._failed("sweep_foresight")
            _LOG.error("sweep.foresight_failed: %s", described(error))
            return False

    def _look_behind(self, now: datetime, fitting: int) -> bool:
        with self._store.begin() as tx:
            coming = tx.due_next(max(self._looked_upto, (now, "")), now + _AHEAD, _WORTH_IT)
            most = self._how_many(coming, now, fitting)
            if most == 0:
                self._ask_from = now + _ASKED_EVERY
                return False
            chosen = coming[:most]
            self._looked_upto = chosen[-1]
            self._known |= foresee(tx, [case for _, case in chosen], self._desk)
        return len(coming) > most

    def _how_many(self, coming: Sequence[tuple[datetime, str]], now: datetime, fitting: int) -> int:
        if not coming or (not self._known and len(coming) < _WORTH_IT):
            return 0
        is_near = coming[0][0] <= now + _PRESSING
        return min(max(fitting, _SLICE if is_near else 0), _MOST - len(self._known))
