"""Hand-over on the nights when the clocks change, in every zone: never nobody, never two."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.domain.roster.roster import Override, Person, Roster, Rota, Site
from triage.domain.roster.shifts import shifts

START = datetime(2022, 12, 31, tzinfo=UTC)  # before the first Sunday begins anywhere
END = datetime(2033, 1, 1, tzinfo=UTC)
SUNDAYS = 522  # of the ten years
SUNDAY_AT_TWO = (6, time(2))
PEOPLE = ("reg-a", "reg-b")
STEP = timedelta(minutes=15)
ZONES = sorted(available_timezones())
INSTANTS = st.timedeltas(timedelta(), timedelta(days=365 * 9)).map(lambda after: START + after)


def roster(zone: str, *, handover: tuple[int, time] = SUNDAY_AT_TWO) -> Roster:
    site = Site(id="centre:N", zone=ZoneInfo(zone))
    rota = Rota(
        site=site.id,
        role="registrar",
        people=PEOPLE,
        every=timedelta(weeks=1),
        handover=handover,
        since=date(2023, 1, 1),
    )
    return Roster(
        sites={site.id: site},
        people={who: Person(id=who, name="Sample", role="registrar") for who in PEOPLE},
        rotas=(rota,),
        overrides=(),
        widen={},
        default_site=site.id,
        version="test",
    )


def holder(made: Roster, at: datetime) -> str:
    served = made.on_call("centre:N", "registrar", at).person
    assert served is not None
    return served.id


def walls(zone: ZoneInfo, around: datetime) -> set[timedelta | None]:
    return {(around + timedelta(days=days)).astimezone(zone).utcoffset() for days in (-1, 1)}


def watched_handover(wall: datetime, zone: ZoneInfo) -> datetime:
    """The hand-over as somebody sees who looks at the wall clock every quarter of an hour."""
    at = wall.replace(tzinfo=UTC) - timedelta(hours=15)
    while at.astimezone(zone).replace(tzinfo=None) < wall:
        at += STEP
    return at


@pytest.mark.parametrize("zone", ZONES)
def test_weekly_hand_over_at_two_leaves_no_gap_and_no_second_holder(zone: str) -> None:
    made = roster(zone)
    found = shifts(made, "centre:N", "registrar", start=START, end=END)
    assert found[0].starts == START
    assert found[-1].ends == END
    assert all(first.ends == second.starts for first, second in pairwise(found))
    who = [shift.on_call.person.id for shift in found if shift.on_call.person]
    assert (
        len(who) == len(found) == SUNDAYS + 1
    )  # each begins a turn; and the night before the first
    assert all(first != second for first, second in pairwise(who))
    for shift in found[1:-1]:
        assert abs(shift.ends - shift.starts - timedelta(weeks=1)) <= timedelta(hours=3)
        assert holder(made, shift.starts - timedelta(microseconds=1)) != holder(made, shift.starts)
        assert holder(made, shift.ends - timedelta(microseconds=1)) == holder(made, shift.starts)


@cache
def nights_of_change() -> tuple[tuple[str, datetime], ...]:
    """(zone, wall time of the hand-over) of every Sunday in 2023 to 2032 with a change near it."""
    first = datetime(2023, 1, 1, 2, tzinfo=UTC).replace(tzinfo=None)
    sundays = [first + timedelta(weeks=week) for week in range(SUNDAYS)]
    return tuple(
        (zone, wall)
        for zone in ZONES
        for wall in sundays
        if len(walls(ZoneInfo(zone), wall.replace(tzinfo=UTC))) == 2
    )


def test_hand_over_is_when_the_clock_on_the_wall_first_shows_it() -> None:
    nights = nights_of_change()
    assert len(nights) > 1000
    for zone, wall in nights:
        at = watched_handover(wall, ZoneInfo(zone))
        made = roster(zone)
        assert holder(made, at) != holder(made, at - timedelta(seconds=1)), (zone, wall)


@given(
    zone=st.sampled_from(ZONES),
    weekday=st.integers(0, 6),
    at=st.times().filter(lambda value: value.tzinfo is None),
    instant=INSTANTS,
)
def test_any_hand_over_gives_one_holder_who_serves_once_in_two_turns(
    zone: str, weekday: int, at: time, instant: datetime
) -> None:
    made = roster(zone, handover=(weekday, at.replace(microsecond=0)))
    found = shifts(made, "centre:N", "registrar", start=instant, end=instant + timedelta(weeks=3))
    assert 3 <= len(found) <= 4
    assert found[0].on_call == made.on_call("centre:N", "registrar", instant)
    assert all(one.on_call.person != two.on_call.person for one, two in pairwise(found))


@given(
    zone=st.sampled_from(ZONES),
    starts=INSTANTS,
    length=st.timedeltas(timedelta(seconds=1), timedelta(days=3)),
)
def test_an_override_holds_exactly_its_time_and_nobody_else_does(
    zone: str, starts: datetime, length: timedelta
) -> None:
    base = roster(zone)
    other = "reg-a" if holder(base, starts) == "reg-b" else "reg-b"
    override = Override(
        site="centre:N",
        role="registrar",
        person=other,
        starts=starts,
        ends=starts + length,
        reason="swap",
    )
    made = Roster(
        sites=base.sites,
        people=base.people,
        rotas=base.rotas,
        overrides=(override,),
        widen={},
        default_site="centre:N",
        version="test",
    )
    tick = timedelta(microseconds=1)
    assert holder(made, starts - tick) == holder(base, starts - tick)
    assert holder(made, starts) == other
    assert holder(made, starts + length - tick) == other
    assert holder(made, starts + length) == holder(base, starts + length)
