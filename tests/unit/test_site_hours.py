"""Working hours of a site: openings, working time, working days; nights of the clock change too."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.domain.roster.roster import Site
from triage.domain.roster.site_hours import (
    add_working_days,
    add_working_time,
    in_hours,
    next_opening,
)

LONDON = ZoneInfo("Europe/London")
WEEK = Site(
    id="centre:NEURO",
    zone=LONDON,
    holidays=frozenset({date(2026, 4, 3), date(2026, 4, 6)}),  # Good Friday, Easter Monday
)
ALWAYS = Site(
    id="centre:NEURO", zone=LONDON, days=frozenset(range(7)), opens=time(0), closes=time(0)
)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-03-09T07:59:59", False),
        ("2026-03-09T08:00:00", True),
        ("2026-03-09T16:59:59", True),
        ("2026-03-09T17:00:00", False),
        ("2026-03-14T12:00:00", False),  # Saturday
        ("2026-04-03T12:00:00", False),  # holiday
        ("2026-07-06T08:00:00", True),  # summer time
    ],
)
def test_open_from_the_opening_to_before_the_closing(at: str, is_open: bool) -> None:
    assert in_hours(WEEK, local(at)) is is_open


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-03-09T07:00", "2026-03-09T08:00"),
        ("2026-03-09T12:34", "2026-03-09T12:34"),
        ("2026-03-09T17:00", "2026-03-10T08:00"),
        ("2026-03-13T18:00", "2026-03-16T08:00"),
        ("2026-04-02T17:00", "2026-04-07T08:00"),  # over Easter
        ("2026-03-27T18:00", "2026-03-30T08:00"),  # over the clock change
    ],
)
def test_the_next_opening(at: str, opens: str) -> None:
    assert next_opening(WEEK, local(at)) == local(opens)


@pytest.mark.parametrize(
    ("start", "hours", "ends"),
    [
        ("2026-03-09T09:00", 4, "2026-03-09T13:00"),
        ("2026-03-09T15:00", 4, "2026-03-10T10:00"),
        ("2026-03-09T13:00", 4, "2026-03-09T17:00"),  # used up exactly at closing
        ("2026-03-09T05:00", 4, "2026-03-09T12:00"),
        ("2026-03-13T16:00", 4, "2026-03-16T11:00"),
        ("2026-04-02T16:00", 10, "2026-04-07T17:00"),
        ("2026-03-14T10:00", 0, "2026-03-16T08:00"),
    ],
)
def test_working_time_passes_only_while_the_site_is_open(start: str, hours: int, ends: str) -> None:
    assert add_working_time(WEEK, local(start), timedelta(hours=hours)) == local(ends)


@pytest.mark.parametrize(
    ("start", "days", "ends"),
    [
        ("2026-03-09T09:30", 2, "2026-03-11T09:30"),
        ("2026-03-12T09:30", 2, "2026-03-16T09:30"),
        ("2026-03-14T11:00", 2, "2026-03-18T08:00"),  # Saturday counts from Monday's opening
        ("2026-03-13T17:00", 1, "2026-03-17T08:00"),  # closed already: Monday is day 0
        ("2026-04-02T10:00", 1, "2026-04-07T10:00"),  # over Easter
        ("2026-03-27T10:00", 1, "2026-03-30T10:00"),  # same wall time over the clock change
        ("2026-03-09T06:00", 0, "2026-03-09T08:00"),
    ],
)
def test_working_days_end_at_the_same_time_of_day(start: str, days: int, ends: str) -> None:
    assert add_working_days(WEEK, local(start), days) == local(ends)


def test_a_site_that_never_closes_is_open_through_both_clock_changes() -> None:
    for night in (datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 10, 24, tzinfo=UTC)):
        for quarters in range(4 * 72):
            at = night + timedelta(minutes=15 * quarters)
            assert in_hours(ALWAYS, at)
        end = add_working_time(ALWAYS, night, timedelta(hours=72))
        assert end == night + timedelta(hours=72)


def test_hours_over_the_missing_and_the_doubled_hour_are_counted_as_they_pass() -> None:
    nights = Site(
        id="centre:N", zone=LONDON, days=frozenset(range(7)), opens=time(0), closes=time(6)
    )
    spring = add_working_time(nights, local("2026-03-29T00:00"), timedelta(hours=5))
    assert spring == local("2026-03-29T06:00")  # the night has five hours
    autumn = add_working_time(nights, local("2026-10-25T00:00"), timedelta(hours=7))
    assert autumn == local("2026-10-25T06:00")  # the night has seven


def test_negative_amounts_are_refused() -> None:
    with pytest.raises(ValueError, match="backwards"):
        add_working_time(WEEK, local("2026-03-09T09:00"), timedelta(seconds=-1))
    with pytest.raises(ValueError, match="backwards"):
        add_working_days(WEEK, local("2026-03-09T09:00"), -1)


instants = st.timedeltas(timedelta(), timedelta(days=365 * 4)).map(
    lambda after: datetime(2024, 1, 1, tzinfo=UTC) + after
)
spans = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=10))
sites = st.builds(
    lambda zone, days, opens, length, holidays: Site(
        id="centre:P",
        zone=ZoneInfo(zone),
        days=days,
        opens=time(opens),
        closes=time((opens + length) % 24),
        holidays=holidays,
    ),
    st.sampled_from(
        (
            "UTC",
            "Europe/London",
            "America/New_York",
            "Australia/Lord_Howe",
            "Africa/Cairo",
            "America/Havana",
            "Asia/Kathmandu",
            "Pacific/Apia",
            "America/Santiago",
        )
    ),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 12),
    st.integers(1, 12),
    st.frozensets(st.dates(date(2024, 1, 1), date(2028, 1, 1)), max_size=5),
)


@given(site=sites, at=instants)
def test_the_next_opening_is_open_and_nothing_before_it_is(site: Site, at: datetime) -> None:
    opening = next_opening(site, at)
    assert opening >= at
    assert in_hours(site, opening)
    if opening > at:
        assert not in_hours(site, at)
        assert not in_hours(site, at + (opening - at) / 2)
        assert not in_hours(site, opening - timedelta(seconds=1))


@given(site=sites, at=instants, span=spans, more=spans)
def test_working_time_adds_up_and_never_runs_backwards(
    site: Site, at: datetime, span: timedelta, more: timedelta
) -> None:
    ends = add_working_time(site, at, span)
    assert ends >= max(at + span, next_opening(site, at))
    assert add_working_time(site, ends, more) == add_working_time(site, at, span + more) or (
        more == timedelta()
    )


@given(site=sites, at=instants, days=st.integers(0, 12))
def test_working_days_end_on_a_working_day_and_each_more_is_later(
    site: Site, at: datetime, days: int
) -> None:
    ends = add_working_days(site, at, days)
    wall = ends.astimezone(site.zone)
    assert ends >= next_opening(site, at)
    assert (wall - timedelta(microseconds=1)).weekday() in site.days or wall.weekday() in site.days
    assert add_working_days(site, at, days + 1) > ends
