"""The watchman sees what stands still, tells it by its own way, repeats, and says when it ends."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from tests.web_house import CASE, House, build_house, findings
from triage.domain.paging import Attempt
from triage.domain.tiers import Tier
from triage.escalation.watchman import Telling, Watchman
from triage.escalation.watchman_judge import NEEDED, Judge
from triage.escalation.watchman_port import listening
from triage.escalation.watchman_route import FileRoute
from triage.escalation.watchman_sight import Away, Patience, eyes_of
from triage.metrics.watching import WATCHMAN
from triage.store.store import Store


@dataclass
class Post:
    """The watchman over a real file; `alarms` is what its own route got."""

    house: House
    watchman: Watchman
    out: Path
    fed: list[datetime] = field(default_factory=list)
    tick: float = 1000.0

    @property
    def alarms(self) -> list[dict[str, Any]]:
        lines = self.out.read_text().splitlines() if self.out.exists() else []
        return [json.loads(line) for line in lines]

    @property
    def keys(self) -> list[list[str]]:
        return [[each["key"] for each in alarm["troubles"]] for alarm in self.alarms]

    def stamp(self, *loops: str) -> None:
        with self.house.store.begin() as tx:
            for loop in loops:
                tx.stamp(loop, self.house.clock.now())

    def pass_time(self, seconds: int, *loops: str, step: int = 2) -> None:
        """Turns every two seconds; these loops stamp before each."""
        for _ in range(0, seconds, step):
            self.house.clock.advance(seconds=step)
            self.tick += step
            self.stamp(*loops)
            self.watchman.turn(self.house.clock.now(), self.tick)


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    house = build_house(tmp_path)
    out = tmp_path / "own" / "alarms.jsonl"
    fed: list[datetime] = []
    watchman = Watchman(
        eyes=Patience(eyes_of(f"sqlite:///{house.file}")),
        judge=Judge((*NEEDED, "consume")),
        telling=Telling(FileRoute(out), "https://triage.example"),
        deadman=lambda: fed.append(house.clock.now()),
    )
    yield Post(house, watchman, out, fed)
    house.store.dispose()


ALL = ("sweep", "relay", "consume")


def test_nothing_is_said_and_the_outside_is_fed_while_all_turns(post: Post) -> None:
    post.pass_time(600, *ALL)
    assert post.alarms == []
    assert 10 <= len(post.fed) <= 11
    with post.house.store.read() as reader:
        assert reader.progress()["watch"] == post.house.clock.now()


@pytest.mark.parametrize("dead", ALL)
def test_a_loop_that_stands_still_for_a_minute_is_told_by_name(post: Post, dead: str) -> None:
    alive = [name for name in ALL if name != dead]
    post.pass_time(10, *ALL)
    post.pass_time(58, *alive)
    assert post.alarms == []
    fed = len(post.fed)
    post.pass_time(6, *alive)
    assert post.keys == [[dead]]
    post.pass_time(60, *alive)
    assert len(post.fed) == fed  # the outside hears nothing while something is wrong


def test_a_loop_that_never_began_is_told(post: Post) -> None:
    post.pass_time(64, "relay", "consume")
    assert post.keys == [["sweep"]]


def test_the_alarm_repeats_until_well_and_says_so_once(post: Post) -> None:
    post.pass_time(4, *ALL)
    post.pass_time(62 + 2 * 180, "relay", "consume")
    assert post.keys == [["sweep"]] * 3
    assert [alarm["repeat"] for alarm in post.alarms] == [0, 1, 2]
    post.pass_time(300, *ALL)
    assert post.keys == [["sweep"]] * 3 + [[]]
    assert post.alarms[-1]["state"] == "well"


def test_a_second_trouble_is_told_at_once(post: Post) -> None:
    post.pass_time(4, *ALL)
    post.pass_time(30, "relay", "consume")
    post.pass_time(64, "consume")
    assert post.keys == [["sweep"], ["sweep", "relay"]]


def test_an_auditor_is_watched_from_its_first_stamp_on(post: Post) -> None:
    post.pass_time(100, *ALL)
    post.stamp("audit")
    post.pass_time(64, *ALL)
    assert post.keys == [["audit"]]


@pytest.mark.parametrize("jump", [timedelta(hours=-2), timedelta(days=1)])
def test_a_clock_that_jumps_neither_hides_nor_invents_a_standstill(
    post: Post, jump: timedelta
) -> None:
    post.pass_time(10, *ALL)
    post.house.clock.at += jump
    post.pass_time(10, *ALL)
    assert post.alarms == []
    post.pass_time(62, "relay", "consume")
    assert post.keys == [["sweep"]]


def test_a_database_that_is_away_is_told_within_a_minute_and_forgiven_when_back(
    post: Post, tmp_path: Path
) -> None:
    post.pass_time(10, *ALL)
    here = post.watchman.eyes
    post.watchman.eyes = Patience(eyes_of(f"sqlite:///{tmp_path}/gone.db"))
    post.pass_time(44)
    assert post.alarms == []
    post.pass_time(60)
    assert post.keys == [["database"]]
    assert "no page goes out" in post.alarms[0]["text"]
    post.watchman.eyes = here
    post.pass_time(4)  # the loops have not turned yet: they get their time again
    post.pass_time(60, *ALL)
    assert post.keys == [["database"], []]


def test_a_database_that_hangs_is_away_and_does_not_hold_the_watchman() -> None:
    release = threading.Event()

    class Frozen:
        def look(self) -> Any:
            release.wait(30)

        def stamp(self, loop: str, at: datetime) -> None:
            release.wait(30)

    patience = Patience(Frozen(), limit_seconds=0.05)
    began = time.monotonic()
    assert [isinstance(patience.look(), Away) for _ in range(8)] == [True] * 8
    assert patience.hung == 5  # and no more threads than these
    assert time.monotonic() - began < 5
    release.set()


# Invariant 8: an EMERGENT case without an owner, and no page at a provider


def refer(post: Post, **changed: object) -> None:
    post.house.refer(
        TestClient(post.house.client().app),
        data={"findings": findings(**changed), "referrer": {"callback": "+44 1632 960001"}},
    )


def attempt(store: Store, post: Post, outcome: str) -> None:
    """What came of the first EMERGENT page."""
    with store.begin() as tx:
        claims = tx.claim_pages(post.house.clock.now(), 50, 10)
        page = next(each for each in claims if each.order.tier is Tier.EMERGENT)
        tx.finish_attempts(
            [
                Attempt(
                    page=page.order.page,
                    route=page.order.route,
                    attempt=page.attempt,
                    outcome=outcome,
                    provider_word=None,
                    at=post.house.clock.now(),
                    retry_at=None if outcome == "accepted" else post.house.clock.now(),
                )
            ]
        )


def test_an_emergent_case_that_no_provider_heard_of_is_told_after_two_minutes(post: Post) -> None:
    post.pass_time(4, *ALL)
    refer(post)
    attempt(post.house.store, post, "failed")
    post.pass_time(118, *ALL)
    assert post.alarms == []
    post.pass_time(4, *ALL)
    assert post.keys == [[f"case {CASE}"]]
    text = json.dumps(post.alarms)
    assert "Sample" not in text
    assert "9990000018" not in text


def test_a_page_at_a_provider_is_enough_and_ends_the_alarm(post: Post) -> None:
    refer(post)
    post.pass_time(130, *ALL)
    assert post.keys == [[f"case {CASE}"]]
    attempt(post.house.store, post, "accepted")
    post.pass_time(4, *ALL)
    assert post.keys[-1] == []


def test_a_calmer_case_is_no_trouble_of_the_watchman(post: Post) -> None:
    refer(post, walking="unaided", ais="E", escc="1b", trend="stable", deficit_onset_at=None)
    post.pass_time(300, *ALL)
    assert post.alarms == []


def test_an_emergent_case_for_which_nothing_was_ordered_is_told_too(post: Post) -> None:
    refer(post)
    with post.house.store.begin() as tx:
        tx._connection.exec_driver_sql("DELETE FROM page")
    post.pass_time(124, *ALL)
    assert post.keys == [[f"case {CASE}"]]


# Its own way out


def test_an_alarm_that_is_not_taken_is_tried_again_and_the_screens_hear_of_it(post: Post) -> None:
    post.pass_time(10, *ALL)
    stamped = post.house.clock.now()
    post.out.parent.mkdir()
    post.out.mkdir()  # a folder where the file should be
    post.pass_time(100, "relay", "consume")
    assert post.watchman.telling.failures >= 4
    with post.house.store.read() as reader:
        assert reader.progress()["watch"] < stamped + timedelta(seconds=64)
    post.out.rmdir()
    post.pass_time(6, "relay", "consume")
    assert post.keys == [["sweep"]]


@contextmanager
def served(watchman: Watchman) -> Iterator[httpx.Client]:
    with (
        listening("127.0.0.1", 0, watchman) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}") as client,
    ):
        yield client


def test_its_port_tells_health_and_figures(post: Post) -> None:
    with served(post.watchman) as client:
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").status_code == 503
        post.pass_time(4, *ALL)
        assert client.get("/health/ready").json()["ready"] is True
        post.pass_time(62, "relay", "consume")
        ready = client.get("/health/ready")
        assert ready.status_code == 200
        assert {c["name"] for c in ready.json()["components"]} >= {"turns", "own route", "sweep"}
        text = client.get("/metrics").text
        assert "triage_watch_troubles 1.0" in text
        named = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
        assert named == {each.name for each in WATCHMAN}
        assert client.get("/").status_code == 404
