"""The sweep looks ahead where many cases fall due at once, so that none of them has to wait.

A burst of instants is known before it comes: its cases are worked out in the quiet before, a few at
a time. What has changed meanwhile is worked out anew when it is due, as everything else is.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from triage.domain.errors import StoreUnavailable
from triage.domain.events import CaseId
from triage.intake.faults import described
from triage.recording.foreseeing import Foreseen, foresee
from triage.recording.ledger import Desk
from triage.store.store import Store

_LOG = logging.getLogger(__name__)
_AHEAD = timedelta(seconds=30)
_WORTH_IT = 100  # fewer than this are worked out in time when they are due
_SLICE = 10  # about 10 ms of work, so that what falls due meanwhile hardly waits
_LONG_SLICE = 50  # where nothing falls due within `_LEISURE`
_LEISURE = timedelta(seconds=0.5)
_MOST = 5_000  # about 75 MB
_BEGINNING = (datetime.min.replace(tzinfo=UTC), "")


class Foresight:
    """What is known of the next seconds. For one sweep, in its thread."""

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store, self._desk = store, desk
        self._known: dict[CaseId, Foreseen] = {}
        self._looked_upto = _BEGINNING

    @property
    def known(self) -> Mapping[CaseId, Foreseen]:
        """Cases that were worked out and are not past."""
        return self._known

    def due(self, now: datetime) -> int:
        """How many of those have come due."""
        return sum(each.due_at <= now for each in self._known.values())

    def look(self, now: datetime, next_in: timedelta | None) -> bool:
        """Work out a few more; whether there are others left. Raises StoreUnavailable.

        `next_in`: until the next case is due, None when none waits.
        """
        self._known = {case: each for case, each in self._known.items() if each.due_at > now}
        if len(self._known) >= _MOST or next_in is None or next_in > _AHEAD:
            return False
        after = max(self._looked_upto, (now, ""))
        try:
            return self._look_behind(
                after, now + _AHEAD, _LONG_SLICE if next_in > _LEISURE else _SLICE
            )
        except StoreUnavailable:
            raise
        except Exception as error:  # a loop's outer edge: the sweep itself will meet it again
            _LOG.error("sweep.foresight_failed: %s", described(error))
            return False

    def _look_behind(self, after: tuple[datetime, str], until: datetime, most: int) -> bool:
        with self._store.begin() as tx:
            coming = tx.due_next(after, until, _WORTH_IT)
            if not coming or (not self._known and len(coming) < _WORTH_IT):
                return False
            chosen = coming[:most]
            self._looked_upto = chosen[-1]
            self._known |= foresee(tx, [case for _, case in chosen], self._desk)
        return len(coming) > most
