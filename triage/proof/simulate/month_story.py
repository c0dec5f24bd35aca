"""A month on call as a story: synthetic hospitals by hour and weekday, a rota, calm providers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise, takewhile

from triage.domain.roster_file.reading import read_roster
from triage.proof.hospitals import HospitalStream, Traffic
from triage.proof.messages import TimedMessage
from triage.proof.people_and_places import CENTRE
from triage.proof.simulate.joins import Joiner
from triage.proof.simulate.make_story import as_message
from triage.proof.simulate.story import CALM, Message, Story, dice

_STARTS = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday; a change of the clocks is in its month
# Two hospitals refer one patient, somebody sees it, and is now and then wrong: no measured rates.
_OF_ONE_PATIENT, _WRONGLY, _FOUND_WITHIN_HOURS = 0.03, 0.1, 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What is asked for. `cases` are expected, not exact: referrals come by chance."""

    roster: str
    days: int = 30
    cases: int = 500
    seed: int = 1
    starts: datetime = _STARTS


def month_story(month: Month) -> Story:
    """The story of a month. Raises UnsoundRoster."""
    roster = read_roster(month.roster)
    zone = roster.sites[roster.default_site].zone
    start = datetime.combine(month.starts.date(), time(), zone).astimezone(UTC)
    return Story(
        seed=month.seed,
        start=start,
        hours=month.days * 24,
        roster=month.roster,
        messages=tuple(_with_joins(month, start, roster.default_site)),
        partitions=1,
        temper=CALM,
    )


def _messages(month: Month, start: datetime, site: str) -> Iterator[Message]:
    traffic = Traffic(per_day=month.cases / month.days)
    stream = iter(HospitalStream(month.seed, start, traffic))
    end = start + timedelta(days=month.days)
    for message in takewhile(lambda each: each.at < end, stream):
        yield as_message(_readdressed(message, site), message.key.decode().partition("/")[0])


def _with_joins(month: Month, start: datetime, site: str) -> Iterator[Message]:
    """Some referrals turn out to be of the patient of the one before."""
    first_at: dict[str, datetime] = {}
    for message in _messages(month, start, site):
        first_at.setdefault(message.key.decode(), message.at)
        yield message
    referrals = [each for each in first_at if "/" in each]
    for before, referral in pairwise(referrals):
        luck = dice(month.seed, "joins", referral)
        if luck.random() < _OF_ONE_PATIENT:
            joiner = Joiner(luck=luck, site=site, part=_WRONGLY, by_http=0.0)
            yield from joiner.messages((before, referral), first_at[referral], _FOUND_WITHIN_HOURS)


def _readdressed(message: TimedMessage, site: str) -> TimedMessage:
    """The synthetic hospitals know one centre by name; here it is the rota's."""
    if site == CENTRE or message.value is None:
        return message
    return TimedMessage(
        at=message.at,
        topic=message.topic,
        key=message.key,
        headers=message.headers,
        value=message.value.replace(CENTRE.encode(), site.encode()),
        kind=message.kind,
    )
