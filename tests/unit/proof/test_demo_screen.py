"""The live summary tells how many cases are open and unowned, why, and who was paged."""

import asyncio
from datetime import UTC, datetime, timedelta
from io import StringIO
from itertools import islice
from pathlib import Path

from rich.console import Console

from triage.desks import build_desk
from triage.handle import Incoming, handle
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.proof.demo_picture import Picture, as_line, take_picture
from triage.proof.demo_screen import IN_MEMORY_ONLY, screen_of, show
from triage.proof.demo_traffic import Published
from triage.proof.hospitals import HospitalStream, Traffic
from triage.settings import Settings
from triage.store.store import open_store

START = datetime(2026, 3, 9, 8, tzinfo=UTC)
DOOR = Door(name="kafka", admits="hospital")


def picture_of(tmp_path: Path, referrals: int) -> Picture:
    url = "sqlite:///:memory:"
    store = open_store(url)
    desk = build_desk(Settings(home=tmp_path, database_url=url), store)
    stream = HospitalStream(7, START, Traffic(opening=referrals, per_day=1))
    for message in islice(stream, referrals - 2):
        items = decode(
            message.value or b"",
            headers=dict(message.headers),
            door=DOOR,
            received_at=message.at,
            sent_at=message.at,
            origin=f"{message.at}",
        )
        events = [item for item in items if isinstance(item, Incoming)]
        with store.begin() as tx:
            handle(tx, events, desk, now=message.at)
    with store.read() as reader:
        return take_picture(reader, START + timedelta(minutes=5))


def shown(picture: Picture) -> str:
    """What a terminal shows after one look."""

    async def one_look() -> str:
        output, stop = StringIO(), asyncio.Event()
        console = Console(file=output, force_terminal=True, width=160, height=60)

        def look() -> Picture:
            stop.set()
            return picture

        await show(console, look, Published(hospitals=12), IN_MEMORY_ONLY, stop)
        return output.getvalue()

    return asyncio.run(one_look())


def test_the_picture_counts_open_and_unowned_cases_and_their_pages(tmp_path: Path) -> None:
    picture = picture_of(tmp_path, 14)
    by_tier = {line.tier: line for line in picture.tiers}
    assert sum(line.open for line in picture.tiers) >= 10
    assert by_tier["EMERGENT"].open == by_tier["EMERGENT"].unowned >= 1
    assert (by_tier["EMERGENT"].oldest_wait or timedelta()) > timedelta(minutes=4)
    assert picture.cases[0].tier == "EMERGENT"
    assert picture.cases[0].reason
    assert picture.pages


def test_a_terminal_shows_why_a_case_is_urgent_and_that_nobody_owns_it(tmp_path: Path) -> None:
    picture = picture_of(tmp_path, 14)
    text = shown(picture)
    assert "DEMONSTRATION ONLY" in text
    assert picture.cases[0].case in text
    assert picture.cases[0].reason[:30] in text
    assert "nobody yet" in text
    assert "unsigned" in text


def test_elsewhere_it_is_one_plain_line(tmp_path: Path) -> None:
    line = as_line(picture_of(tmp_path, 14))
    assert "\n" not in line
    assert "EMERGENT" in line
    assert "\x1b" not in line


def test_a_low_terminal_shows_what_fits(tmp_path: Path) -> None:
    picture = picture_of(tmp_path, 14)
    for height, has_cases in ((24, False), (34, True), (44, True)):
        console = Console(file=StringIO(), width=100, record=True)
        console.print(screen_of(picture, Published(), IN_MEMORY_ONLY, height=height))
        text = console.export_text()
        assert len(text.splitlines()) < height
        assert "EMERGENT" in text
        assert (picture.cases[0].case in text) == has_cases
