"""One thing that must have happened by an instant."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from tests.second_opinion.case_chart import Chart


@dataclass(frozen=True)
class Owed:
    """`met` is None while it is not done; `ended` when it ended without that. `own` sets apart
    those of one name that each have their own pages."""

    name: str
    start: datetime
    due: datetime
    met: datetime | None = None
    ended: datetime | None = None
    own: str = ""

    @property
    def is_open(self) -> bool:
        return self.met is None and self.ended is None

    def is_missed(self, now: datetime) -> bool:
        """Met later than due, or not met and due is past."""
        return (self.met or self.ended or now) > self.due


def ending(found: Iterator[Owed], *ends: datetime | None) -> Iterator[Owed]:
    """It ends at the first of these, unless met by then; what would end before it starts never
    ran, and is no breach."""
    for each in found:
        end = earliest(each.ended, *ends)
        if each.met is not None and (end is None or each.met <= end):
            yield replace(each, ended=None)
        elif end is None or end > each.start:
            yield replace(each, met=None, ended=end)
        else:
            yield replace(each, met=None, ended=min(end, each.due))


def earliest(*times: datetime | None) -> datetime | None:
    return min((each for each in times if each is not None), default=None)


def closed_at(chart: Chart) -> datetime | None:
    return chart.closing.event.received_at if chart.closing is not None else None
