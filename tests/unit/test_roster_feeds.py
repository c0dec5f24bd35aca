"""Calendar feeds in: what an event means, what is refused, what stays when a feed fails."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.web_house import CENTRE, House, build_house
from triage.domain.errors import UnsoundRoster
from triage.domain.roster.check import check_roster
from triage.domain.roster.roster import Roster
from triage.domain.roster_file.reading import read_roster
from triage.escalation.roster_watch import RosterWatch
from triage.rosters.fetching import EVERY, FeedFetcher
from triage.rosters.ical_in import UnsoundFeed, read_feed
from triage.rosters.keeper import RosterKeeper
from triage.rosters.sources import feed_states, put_together, read_kept

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
BERLIN_ZONE = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""


def event(summary: str, starts: str, ends: str, *more: str, uid: str = "1") -> str:
    """An event; `starts` and `ends` with their parameters, e.g. `;TZID=Europe/Berlin:2026...`."""
    lines = (f"UID:{uid}", "DTSTAMP:20260101T000000Z", f"DTSTART{starts}", f"DTEND{ends}")
    return "\n".join(("BEGIN:VEVENT", *lines, f"SUMMARY:{summary}", *more, "END:VEVENT")) + "\n"


def calendar(*events: str) -> bytes:
    text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//EN\n" + BERLIN_ZONE + "".join(events)
    return (text + "END:VCALENDAR\n").replace("\n", "\r\n").encode()


def weekly(summary: str = "reg-a", *more: str, at: str = "T020000", day: str = "20260301") -> str:
    """Sundays from two o'clock for a day, in Berlin."""
    following = f"{int(day) + 1}"
    return event(
        summary,
        f";TZID=Europe/Berlin:{day}{at}",
        f";TZID=Europe/Berlin:{following}{at}",
        "RRULE:FREQ=WEEKLY",
        *more,
    )


def roster(feed: str = 'url = "https://rota.example/r.ics"', site: str = "Europe/Berlin") -> Roster:
    text = f'version = 1\n[site."{CENTRE}"]\nzone = "{site}"\ndesk = "1"\n'
    for who in ("reg-a", "reg-b"):
        text += f'[person.{who}]\nname = "Sample"\nrole = "registrar"\n'
        text += 'routes = [{ name = "inbox", kind = "inbox" }]\n'
    text += f'[[feed]]\nname = "registrars"\nsite = "{CENTRE}"\nrole = "registrar"\n{feed}\n'
    return read_roster(text)


def shifts(content: bytes, feed: str = 'url = "https://x.example"') -> list[tuple[str, str, str]]:
    made = roster(feed)
    found = read_feed(content, made.feeds[0], made, now=NOW).overrides
    form = "%m-%d %H:%M"
    return [
        (
            each.person,
            f"{each.starts.astimezone(UTC):{form}}",
            f"{each.ends.astimezone(UTC):{form}}",
        )
        for each in found
    ]


def test_recurrence_exceptions_and_moved_occurrences_are_read() -> None:
    content = calendar(
        weekly("reg-a", "EXDATE;TZID=Europe/Berlin:20260405T020000"),
        event(
            "reg-b",
            ";TZID=Europe/Berlin:20260412T080000",
            ";TZID=Europe/Berlin:20260413T080000",
            "RECURRENCE-ID;TZID=Europe/Berlin:20260412T020000",
        ),
    )
    assert shifts(content)[:5] == [
        ("reg-a", "03-22 01:00", "03-23 01:00"),
        ("reg-a", "03-29 01:00", "03-30 00:00"),  # two o'clock is missing: the instant of the jump
        ("reg-b", "04-12 06:00", "04-13 06:00"),
        ("reg-a", "04-19 00:00", "04-20 00:00"),
        ("reg-a", "04-26 00:00", "04-27 00:00"),
    ]


def test_the_night_when_the_clocks_go_back_is_an_hour_longer() -> None:
    made = roster()
    at = datetime(2026, 10, 20, tzinfo=UTC)
    content = calendar(weekly("reg-a", day="20261018"))
    found = read_feed(content, made.feeds[0], made, now=at).overrides
    night = next(each for each in found if each.starts.date() >= date(2026, 10, 24))
    assert night.starts.astimezone(UTC) == datetime(2026, 10, 25, 0, tzinfo=UTC)
    assert night.ends - night.starts == timedelta(hours=25)


def test_a_whole_day_is_a_day_of_the_site_also_when_it_has_23_hours() -> None:
    content = calendar(event("reg-a", ";VALUE=DATE:20260329", ";VALUE=DATE:20260330"))
    assert shifts(content) == [("reg-a", "03-28 23:00", "03-29 22:00")]


@pytest.mark.parametrize(
    ("feed", "written"),
    [
        ('named_by = "attendee"\npeople = { "two@x.example" = "reg-b" }', "two@x.example"),
        ('named_by = "uid"\npeople = { "Shift-2" = "reg-b" }', "uid"),
        ('people = { "Dr Sample Two" = "reg-b" }', "summary"),
    ],
)
def test_an_event_may_name_its_person_by_summary_attendee_or_uid(feed: str, written: str) -> None:
    attendee = f"ATTENDEE;CN=Two:mailto:{written}"
    times = (":20260322T080000Z", ":20260323T080000Z")
    made = event("Dr Sample Two", *times, attendee, uid="shift-2")
    (found,) = shifts(calendar(made), f'url = "https://x.example"\n{feed}')
    assert found[0] == "reg-b"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no readable calendar"),
        (b"<html>sign in</html>", "no readable calendar"),
        (calendar(), "no event in the next three months"),
        (
            calendar(event("reg-a", ":20250322T080000Z", ":20250323T080000Z")),
            "no event in the next three months",
        ),
        (
            calendar(event("reg-a", ":20260322T080000", ":20260323T080000")),
            "a time without a zone: 2026-03-22 08:00",
        ),
        (
            calendar(event("Somebody", ":20260322T080000Z", ":20260323T080000Z")),
            "none of its 1 events names a person of the roster: Somebody",
        ),
        (
            calendar(event("reg-a", ":20260322T080000Z", ":20260323T080000Z", "STATUS:CANCELLED")),
            "no event in the next three months",
        ),
    ],
    ids=["empty", "html", "no events", "last year", "no zone", "nobody known", "cancelled"],
)
def test_a_feed_that_cannot_be_right_is_refused(content: bytes, said: str) -> None:
    made = roster()
    with pytest.raises(UnsoundFeed) as caught:
        read_feed(content, made.feeds[0], made, now=NOW)
    assert said in caught.value.what
    assert caught.value.hint


@pytest.mark.parametrize(
    ("feed", "said"),
    [
        ('url = "ftp://x"', "feed[1].url: is no address"),
        ('file = "rota.ics"', "feed[1].file: is no absolute path"),
        ('url = "https://x"\nfile = "/x"', "give either 'url' (an address) or 'file'"),
        ('url = "https://x"\nnamed_by = "colour"', "allowed: summary, attendee, uid"),
        ('url = "https://x"\npeople = { A = "reg-x" }', "feed[1].people.A: unknown person"),
    ],
)
def test_a_feed_table_that_leads_nowhere_is_refused_with_its_place(feed: str, said: str) -> None:
    with pytest.raises(UnsoundRoster) as caught:
        roster(feed)
    assert said in caught.value.what


class Address:
    """A calendar server: what it answers can be changed; it counts what it sent in full."""

    def __init__(self, content: bytes) -> None:
        self.content, self.status, self.sent = content, 200, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        tag = f'"{hash(self.content)}"'
        if self.status != 200:
            return httpx.Response(self.status)
        if request.headers.get("if-none-match") == tag:
            return httpx.Response(304)
        self.sent += 1
        return httpx.Response(200, content=self.content, headers={"etag": tag})


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = build_house(tmp_path)
    house.desk.roster = roster()
    return house


def fetcher(house: House, address: Address) -> FeedFetcher:
    return FeedFetcher(house.store, house.desk, {}, transport=httpx.MockTransport(address))


def serving(house: House, at: datetime) -> tuple[str | None, str]:
    with house.store.read() as reader:
        kept = read_kept(reader, at)
    found = put_together(roster(), kept, at).on_call(CENTRE, "registrar", at)
    return (found.person.id if found.person else None, found.chosen_by)


SUNDAY = datetime(2026, 3, 22, 12, tzinfo=UTC)


def test_a_feed_fills_its_post_and_a_page_says_so(house: House) -> None:
    address = Address(calendar(weekly()))
    assert fetcher(house, address).turn(NOW) == 1
    assert serving(house, SUNDAY) == ("reg-a", "feed (registrars) until 2026-03-23 02:00")
    assert serving(house, SUNDAY + timedelta(days=2))[0] is None


def test_it_is_asked_every_fifteen_minutes_and_sent_once_while_it_does_not_change(
    house: House,
) -> None:
    address = Address(calendar(weekly()))
    looking = fetcher(house, address)
    counts = [looking.turn(NOW + EVERY * step / 2) for step in range(5)]
    assert (counts, address.sent) == ([1, 0, 1, 0, 1], 1)
    address.content = calendar(weekly("reg-b"))
    looking.turn(NOW + EVERY * 3)
    assert address.sent == 2
    assert serving(house, SUNDAY)[0] == "reg-b"


@pytest.mark.parametrize("content", [b"", b"<html>", calendar(), b"x" * 6_000_000])
def test_the_last_good_copy_goes_on_when_the_feed_breaks_and_it_is_shouted(
    house: House, content: bytes
) -> None:
    address = Address(calendar(weekly()))
    looking = fetcher(house, address)
    looking.turn(NOW)
    address.content = content
    later = NOW + timedelta(hours=25)
    looking.turn(later)
    assert serving(house, SUNDAY)[0] == "reg-a"
    with house.store.read() as reader:
        kept = read_kept(reader, later)
    made = put_together(roster(), kept, later)
    found = check_roster(
        made, now=later, roles=["registrar"], feeds=feed_states(roster(), kept, later)
    )
    (told,) = [each for each in found if each.place == "feed registrars"]
    assert told.level == "error"
    assert told.what.startswith("no good copy since 2026-03-20 10:00: feed registrars:")
    RosterWatch(house.store, house.desk, house.instruments).turn(later)
    assert b"triage_roster_stale_feeds 1.0" in house.instruments.exposition()
    keeper = RosterKeeper(house.desk, house.store, None)
    keeper._file = roster()
    keeper.look(later)
    assert (
        "The calendar feed registrars is stale; its last good copy goes on." in house.desk.notices
    )


def test_an_address_that_refuses_or_a_feed_that_was_never_read_is_told(house: House) -> None:
    address = Address(b"")
    address.status = 403
    fetcher(house, address).turn(NOW)
    with house.store.read() as reader:
        kept = read_kept(reader, NOW)
    (state,) = feed_states(roster(), kept, NOW)
    assert state.is_stale(NOW)
    assert state.problem == "feed registrars: the address answers 403"


def test_a_feed_whose_events_end_soon_is_told_before_it_is_empty(house: House) -> None:
    address = Address(calendar(event("reg-a", ":20260320T080000Z", ":20260328T080000Z")))
    fetcher(house, address).turn(NOW)
    with house.store.read() as reader:
        kept = read_kept(reader, NOW)
    found = check_roster(
        put_together(roster(), kept, NOW),
        now=NOW,
        roles=["registrar"],
        feeds=feed_states(roster(), kept, NOW),
    )
    assert "its last event ends 2026-03-28 09:00" in [each.what for each in found]


def test_a_feed_may_be_a_file(house: House, tmp_path: Path) -> None:
    file = tmp_path / "rota.ics"
    file.write_bytes(calendar(weekly()))
    house.desk.roster = roster(f'file = "{file}"')
    FeedFetcher(house.store, house.desk, {}).turn(NOW)
    assert serving(house, SUNDAY)[0] == "reg-a"


def test_an_override_of_the_file_goes_before_a_feed(house: House) -> None:
    fetcher(house, Address(calendar(weekly()))).turn(NOW)
    with house.store.read() as reader:
        kept = read_kept(reader, NOW)
    text = (
        f'version = 1\n[site."{CENTRE}"]\nzone = "Europe/Berlin"\n'
        '[person.reg-a]\nname = "S"\nrole = "registrar"\n'
        '[person.reg-b]\nname = "S"\nrole = "registrar"\n'
        f'[[feed]]\nname = "registrars"\nsite = "{CENTRE}"\nrole = "registrar"\nurl = "https://x"\n'
        f'[[override]]\nsite = "{CENTRE}"\nrole = "registrar"\nperson = "reg-b"\n'
        'from = "2026-03-01T00:00"\nto = "2026-03-22T13:30"\n'
    )
    made = put_together(read_roster(text), kept, NOW)
    holders = [
        made.on_call(CENTRE, "registrar", SUNDAY + timedelta(hours=hour)).person for hour in (0, 1)
    ]
    assert [each.id for each in holders if each] == ["reg-b", "reg-a"]
