"""Courses of stored logs, kept from one transaction to the next.

A log only grows, and its fold goes on from event to event: what was read and folded of it before
is not read and folded again. What is kept is used only where the stored chain goes on from its last
link, by number and hash; the hash stands for every link before it.
"""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import orjson

from triage.domain.events import CaseId, Event, EventType, read_event
from triage.domain.roster.roster import Roster
from triage.policies.book import PolicyBook
from triage.store.records import LogRow, StoredCase
from triage.workflow.fold import Followed, follow, further

KEPT_CASES = 512  # at about 100 kB for a log of 50 events
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A log as it was read up to link `seq`, without our own notes of pages.

    `followed` is the course of its first `done` events, where it was folded.
    """

    seq: int
    head: str
    log: tuple[Event, ...]
    followed: Followed | None = None
    done: int = 0


@dataclass(frozen=True, slots=True)
class _Joint:
    """The course of several logs as one; of each how much of it, and its last event of those."""

    followed: Followed
    ends: Mapping[CaseId, tuple[int, Event | None]]

    def goes_on_in(self, logs: Mapping[CaseId, Sequence[Event]]) -> bool:
        """Each log begins with what was followed: a log that was read anew has other events."""
        return self.ends.keys() == logs.keys() and all(
            len(logs[case]) >= done and (last is None or logs[case][done - 1] is last)
            for case, (done, last) in self.ends.items()
        )


class Courses:
    """The courses of the cases that were in hand last; for any number of threads."""

    def __init__(self, limit: int = KEPT_CASES) -> None:
        self._limit = limit
        self._kept: dict[CaseId, _Kept] = {}
        self._joint: dict[CaseId, _Joint] = {}
        self._lock = threading.Lock()

    def known(self, cases: Collection[CaseId]) -> dict[CaseId, int]:
        """Up to which link each case's log is kept; 0 where it is not."""
        kept = self._kept
        return {case: kept[case].seq if case in kept else 0 for case in cases}

    def log(self, stored: StoredCase) -> tuple[Event, ...] | None:
        """The stored log, without our own notes of pages; None where links before those that were
        loaded are not kept. Raises as `read_event` does."""
        kept = self._read(stored)
        return kept.log if kept else None

    def followed(self, stored: StoredCase, book: PolicyBook, roster: Roster) -> Followed:
        """The course of a stored log that `log` could give."""
        kept = self._read(stored)
        assert kept is not None
        before = kept.followed
        if before is None or before.course.book is not book or before.roster is not roster:
            before = follow(stored.row.case_id, kept.log, book, roster)
        else:
            before = further(before, kept.log[kept.done :])
        self._keep(stored.row.case_id, _Kept(kept.seq, kept.head, kept.log, before, len(kept.log)))
        return before

    def together(
        self,
        lead: CaseId,
        logs: Mapping[CaseId, Sequence[Event]],
        book: PolicyBook,
        roster: Roster,
    ) -> Followed:
        """The course of these stored logs, as `log` gave them, as one; `lead` speaks for it."""
        kept = self._joint.get(lead)
        before = kept.followed if kept is not None and kept.goes_on_in(logs) else None
        if before is None or before.course.book is not book or before.roster is not roster:
            every = [event for log in logs.values() for event in log]
            before = follow(lead, every, book, roster)
        elif kept is not None:
            ends = kept.ends
            before = further(before, [e for case in logs for e in logs[case][ends[case][0] :]])
        ends = {case: (len(log), log[-1] if log else None) for case, log in logs.items()}
        with self._lock:
            self._put(self._joint, lead, _Joint(before, ends))
        return before

    def note(
        self,
        stored: StoredCase | None,
        new: Sequence[Event],
        end: LogRow,
        followed: Followed | None = None,
    ) -> None:
        """A log has been given these events, up to this link; `followed` is its course with them.

        Where the transaction fails after all, the stored chain does not go on from there.
        """
        kept = self._recall(stored) if stored else _Kept(0, "", ())
        if kept is None or (stored and kept.seq != stored.last_seq):
            return
        log = (*kept.log, *new)
        if followed is None:
            kept = _Kept(end.seq, end.hash, log, kept.followed, kept.done)
        else:
            kept = _Kept(end.seq, end.hash, log, followed, len(log))
        self._keep(end.case_id, kept)

    def _read(self, stored: StoredCase) -> _Kept | None:
        kept = self._recall(stored)
        if kept is None and stored.first_seq > 1:
            return None
        before = kept or _Kept(0, "", ())
        if kept is None or kept.seq < stored.last_seq:
            new = _events(stored.log[before.seq - stored.first_seq + 1 :])
            log = (*before.log, *new)
            kept = _Kept(stored.last_seq, stored.head, log, before.followed, before.done)
            self._keep(stored.row.case_id, kept)
        return kept

    def _recall(self, stored: StoredCase) -> _Kept | None:
        """What is kept of this log; None where the stored chain does not go on from it."""
        kept = self._kept.get(stored.row.case_id)
        if kept is None:
            return None
        ends = ((stored.first_seq, stored.first_hash), (stored.last_seq, stored.head))
        return kept if (kept.seq, kept.head) in ends else None

    def _keep(self, case: CaseId, kept: _Kept) -> None:
        with self._lock:
            self._put(self._kept, case, kept)

    def _put(self, among: dict[CaseId, K], case: CaseId, kept: K) -> None:
        """As the last of them; the one that was not in hand for longest makes room."""
        among.pop(case, None)
        among[case] = kept
        if len(among) > self._limit:
            del among[next(iter(among))]


def _events(documents: Iterable[str]) -> list[Event]:
    read = map(orjson.loads, documents)
    return [read_event(each) for each in read if each["type"] != EventType.PAGES_ORDERED]
