"""One case in hand: as stored, its log, and what this transaction adds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import orjson

from triage.domain.authority import refusal
from triage.domain.case import Case
from triage.domain.events import CaseId, Event, EventType, event_document
from triage.domain.roster.roster import Roster
from triage.policies.book import PolicyBook
from triage.recording.courses import Courses
from triage.store.records import CaseRow, LogRow, StoredCase
from triage.workflow.fold import Followed, follow, further, seen_at


@dataclass(slots=True)
class Held:
    """One case in hand. `reload` loads it with its whole log, where only the end was loaded."""

    id: CaseId
    stored: StoredCase | None
    courses: Courses
    reload: Callable[[CaseId], StoredCase] | None = None
    referral: str = ""
    new: list[Event] = field(default_factory=list)
    is_touched: bool = False
    _followed: Followed | None = None
    _upto: int = 0
    _texts: dict[int, tuple[Event, str]] = field(default_factory=dict)

    @property
    def row(self) -> CaseRow | None:
        """The stored row, if the case exists."""
        return self.stored.row if self.stored else None

    @property
    def log(self) -> Sequence[Event]:
        """The stored log, read when something has to be folded; without our own notes of pages."""
        if self.stored is None:
            return ()
        log = self.courses.log(self.stored)
        if log is None and self.reload is not None:
            self.stored = replace(self.reload(self.id), row=self.stored.row)
            log = self.courses.log(self.stored)
        assert log is not None
        return log

    @property
    def gets_only_receipts(self) -> bool:
        """Receipts are facts of the log: they change no case, so nothing is folded for them."""
        return (
            self.row is not None
            and bool(self.new)
            and not self.is_touched
            and all(map(is_receipt, self.new))
        )

    @property
    def news(self) -> list[Event]:
        """What is new, where there is more of it than receipts."""
        return [] if self.gets_only_receipts else self.new

    @property
    def events(self) -> list[Event]:
        """The log with what is new."""
        return [*self.log, *self.new]

    def case(self, book: PolicyBook, now: datetime, roster: Roster) -> Case:
        """The case of its log with what is new, at `now`."""
        self._followed, self._upto = self._follow(book, roster, self.new), len(self.new)
        return seen_at(self._followed, now)

    def case_before(self, book: PolicyBook, now: datetime, roster: Roster) -> Case:
        """The case of its log alone, at `now`."""
        return seen_at(self._follow(book, roster, ()), now)

    def text_of(self, event: Event) -> str:
        """The document of an event as it is kept: the journal and the log have the same."""
        known = self._texts.get(id(event))
        if known is None:
            known = event, orjson.dumps(event_document(event)).decode()
            self._texts[id(event)] = known
        return known[1]

    def note(self, links: Sequence[LogRow]) -> None:
        """These links go into the log with what is new."""
        if links:
            is_whole = self._upto == len(self.new)
            self.courses.note(
                self.stored, self.new, links[-1], self._followed if is_whole else None
            )

    def let_go(self) -> None:
        """Nobody asks for the case again: its course is not kept here."""
        self._followed, self._upto = None, 0

    def _follow(self, book: PolicyBook, roster: Roster, new: Sequence[Event]) -> Followed:
        if self.stored is None:
            return follow(self.id, new, book, roster)
        _ = self.log  # loaded as far as the course needs it
        return further(self.courses.followed(self.stored, book, roster), new)


def is_receipt(event: Event) -> bool:
    """What a provider said of a page, from one who may say so."""
    return event.type is EventType.PAGE_RECEIPT and not refusal(event)
