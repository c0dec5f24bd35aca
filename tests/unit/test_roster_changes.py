"""Overrides, swaps and cover made at the desk: who serves, who made them and why."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from tests.unit.test_roster import NEURO, holder, person, roster, weekly
from tests.web_house import CENTRE, NOW, House, build_house
from triage.cli import app
from triage.domain.paging import PageOrder
from triage.domain.roster.changes import (
    Act,
    NoSuchShift,
    RosterChange,
    cover,
    override,
    revocation,
    swap,
    with_changes,
)
from triage.domain.roster.roster import Roster
from triage.notify.resolve import resolve_order
from triage.rosters.keeper import RosterKeeper

MADE = datetime(2026, 3, 1, tzinfo=UTC)
BASE = roster(weekly("reg-a", "reg-b", "reg-c"))  # hand-over on Mondays at 08:00 in London
FIRST, SECOND = datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 17, tzinfo=UTC)


def act(number: int = 1, **later: int) -> Act:
    at = MADE + timedelta(**later)
    return Act(id=f"0000000{number}", by="reg-a", reason="leave", at=at)


def test_a_swap_exchanges_two_whole_shifts_and_nothing_else() -> None:
    made = with_changes(BASE, swap(BASE, NEURO, "registrar", FIRST, SECOND, act()))
    one, two = holder(BASE, FIRST.isoformat()), holder(BASE, SECOND.isoformat())
    assert one != two
    for week, expected in ((9, two), (16, one)):
        for at in (f"2026-03-{week:02}T08:00:00+00:00", f"2026-03-{week + 7:02}T07:59:59+00:00"):
            assert holder(made, at) == expected
    for at in ("2026-03-09T07:59:59+00:00", "2026-03-23T08:00:00+00:00"):
        assert holder(made, at) == holder(BASE, at)


def test_a_swap_of_one_persons_shifts_or_of_a_post_without_turns_is_refused() -> None:
    with pytest.raises(NoSuchShift, match="nothing to swap"):
        swap(BASE, NEURO, "registrar", FIRST, FIRST + timedelta(weeks=3), act())
    with pytest.raises(NoSuchShift, match="has no turns"):
        swap(BASE, NEURO, "consultant", FIRST, SECOND, act())


def test_cover_takes_only_the_shifts_of_who_is_away() -> None:
    away = holder(BASE, FIRST.isoformat())
    assert away is not None
    deputy = next(each for each in ("reg-a", "reg-b", "reg-c") if each != away)
    start = datetime(2026, 3, 8, tzinfo=UTC)
    changes = cover(BASE, away, deputy, start, start + timedelta(days=5), act())
    (only,) = changes
    assert (only.starts, only.ends) == (
        datetime(2026, 3, 9, 8, tzinfo=UTC),
        start + timedelta(days=5),
    )
    made = with_changes(BASE, changes)
    assert holder(made, "2026-03-09T08:00:00+00:00") == deputy
    assert holder(made, "2026-03-13T00:00:00+00:00") == away
    assert holder(made, "2026-03-09T07:59:59+00:00") == holder(BASE, "2026-03-09T07:59:59+00:00")


def test_of_several_changes_the_one_made_last_serves_until_it_is_revoked() -> None:
    start, end = FIRST, FIRST + timedelta(days=1)
    one = override(BASE, NEURO, "registrar", "reg-c", start, end, act(1))
    two = override(
        BASE, NEURO, "registrar", "reg-b", start - timedelta(days=1), end, act(2, minutes=1)
    )
    changes: list[RosterChange] = [*two, *one]
    assert holder(with_changes(BASE, changes), start.isoformat()) == "reg-b"
    changes.append(revocation(changes, "00000002", act(3, minutes=2)))
    made = with_changes(BASE, changes)
    assert holder(made, start.isoformat()) == "reg-c"
    assert made.on_call(NEURO, "registrar", start).chosen_by == (
        "override 00000001 until 2026-03-11 00:00"
    )
    changes.append(revocation(changes, "00000001", act(4, minutes=3)))
    assert with_changes(BASE, changes) is BASE
    with pytest.raises(ValueError, match="no change stands"):
        revocation(changes, "00000001", act(5, minutes=4))


def test_a_revoked_swap_ends_in_both_halves() -> None:
    changes = [*swap(BASE, NEURO, "registrar", FIRST, SECOND, act())]
    changes.append(revocation(changes, "00000001", act(2, minutes=1)))
    assert with_changes(BASE, changes) is BASE


def test_a_change_that_names_somebody_who_left_has_no_effect() -> None:
    changes = override(BASE, NEURO, "registrar", "reg-c", FIRST, SECOND, act())
    left = Roster(
        sites=BASE.sites,
        people={name: person(name) for name in ("reg-a", "reg-b")},
        rotas=(weekly("reg-a", "reg-b"),),
        overrides=(),
        widen={},
        default_site=NEURO,
        version="later",
    )
    assert with_changes(left, changes) is left


@pytest.fixture
def house(tmp_path: Path) -> House:
    return build_house(tmp_path)


def test_a_page_goes_to_who_serves_when_it_is_sent_by_the_rule_that_chose_them(
    house: House,
) -> None:
    """Ordered for the registrar on duty; a change made before it is sent counts, with its rule."""
    house.refer(house.client())
    with house.store.read() as reader:
        (order,) = [
            row.order
            for row in reader.pages()
            if row.order.role == "registrar" and row.order.obligation == "acknowledgement"
        ]
    assert order.person == "reg-a"
    keeper = RosterKeeper(house.desk, house.store, None)
    keeper._file = house.desk.roster
    answer = house.client().post(
        "/api/roster/changes",
        json={
            "kind": "override",
            "role": "registrar",
            "person": "con-a",
            "from": "2026-03-10T08:00",
            "to": "2026-03-10T20:00",
            "reason": "illness",
        },
        headers=house.as_("coord-a"),
    )
    assert answer.status_code == 201, answer.text
    keeper.look(NOW)
    sent: PageOrder = resolve_order(order, house.desk.roster, NOW)
    assert (sent.page, sent.person) == (order.page, "con-a")
    assert sent.chosen_by == f"override {answer.json()['id']} until 2026-03-10 20:00"
    assert "illness" not in sent.chosen_by


def test_the_api_answers_what_was_made_what_it_weakens_and_how_to_end_it(house: House) -> None:
    client, mine = house.client(), house.as_("coord-a")
    asked = {
        "kind": "cover",
        "absent": "reg-a",
        "person": "con-a",
        "from": "2026-03-12T08:00",
        "to": "2026-03-13T08:00",
        "reason": "leave",
    }
    keeper = RosterKeeper(house.desk, house.store, None)
    keeper._file = house.desk.roster
    made = client.post("/api/roster/changes", json=asked, headers=mine).json()
    (change,) = made["changes"]
    assert (change["role"], change["person"], change["by"]) == ("registrar", "con-a", "coord-a")
    assert change["from"] == "2026-03-12T07:00:00+00:00"
    assert any("con-a is also registrar from 2026-03-12 08:00" in w for w in made["warnings"])
    listed = client.get("/api/roster/changes", headers=mine).json()
    assert [each["id"] for each in listed] == [made["id"]]
    path = f"/api/roster/changes/{made['id']}/revoke"
    assert client.post(path, json={"reason": "back"}, headers=mine).status_code == 201
    assert client.get("/api/roster/changes", headers=mine).json() == []
    assert len(client.get("/api/roster/changes?all=1", headers=mine).json()) == 2
    assert client.post(path, json={"reason": "back"}, headers=mine).status_code == 404


@pytest.mark.parametrize(
    ("whom", "changed", "status", "said"),
    [
        ("hospital:RX1", {}, 403, "for people of the centre"),
        ("coord-a", {"person": "nobody-a"}, 400, "unknown person: nobody-a"),
        ("coord-a", {"kind": "revoked"}, 400, "allowed: override, swap, cover"),
        ("coord-a", {"from": "2026-13-01T08:00"}, 400, "from: no date with a time"),
        ("coord-a", {"to": "2026-03-11T08:00"}, 400, "the end is not after the start"),
        ("coord-a", {"role": "surgeon"}, 400, "unknown role: 'surgeon'"),
        ("coord-a", {"site": "centre:SOUTH"}, 403, "another site"),
        ("coord-a", {"by": "con-a"}, 403, "contradicts"),
        ("coord-a", {"reason": " "}, 400, "Say in `reason` why"),
        ("centre:NEURO", {}, 400, "Say in `by`"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    house: House, whom: str, changed: dict[str, Any], status: int, said: str
) -> None:
    asked = {
        "kind": "override",
        "role": "registrar",
        "person": "con-a",
        "from": "2026-03-12T08:00",
        "to": "2026-03-13T08:00",
        "reason": "leave",
    }
    answer = house.client().post(
        "/api/roster/changes", json=asked | changed, headers=house.as_(whom)
    )
    assert answer.status_code == status
    assert said.casefold() in answer.text.casefold()
    with house.store.read() as reader:
        assert reader.roster_changes() == []


def test_who_serves_now_is_told_to_the_centre(house: House) -> None:
    told = house.client().get("/api/roster", headers=house.as_("con-a")).json()
    assert told["site"] == CENTRE
    serving = {each["role"]: each["person"] for each in told["serving"]}
    assert (serving["registrar"], serving["site_manager"]) == ("reg-a", None)


ROSTER = """version = 1
[site."centre:NEURO"]
zone = "Europe/London"
[person.reg-a]
name = "Sample One"
role = "registrar"
[person.reg-b]
name = "Sample Two"
role = "registrar"
[[rota]]
site = "centre:NEURO"
role = "registrar"
people = ["reg-a", "reg-b"]
every = "1 week"
handover = "mon 08:00"
since = "2026-01-05"
"""


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    file = tmp_path / "roster.toml"
    file.write_text(ROSTER)
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path))
    monkeypatch.setenv("TRIAGE_ROSTER_FILE", str(file))
    monkeypatch.delenv("TRIAGE_DATABASE_URL", raising=False)
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str]:
        answer = CliRunner().invoke(app, ["roster", *words])
        return answer.exit_code, answer.output + str(answer.exception or "")

    return run


def test_the_terminal_makes_lists_and_ends_a_change(
    terminal: Callable[..., tuple[int, str]],
) -> None:
    signed = ("--by", "reg-a", "--reason", "exam")
    status, made = terminal("swap", "registrar", "2099-03-10T12:00", "2099-03-17T12:00", *signed)
    assert status == 0
    first, second = (line for line in made.splitlines() if "  swap  " in line)
    assert {each.split("  ")[3] for each in (first, second)} == {"reg-a", "reg-b"}
    assert "2099-03-09 08:00 to 2099-03-16 08:00  by reg-a: exam" in first
    change = first.split()[0]
    listed = orjson.loads(terminal("list", "--json")[1])["changes"]
    assert [each["id"] for each in listed] == [change, change]
    assert terminal("revoke", change, *signed) == (0, f"revoked: {change}\n")
    assert terminal("list") == (0, "no changes\n")
    assert len(terminal("list", "--all")[1].splitlines()) == 3
    status, said = terminal("revoke", change, *signed)
    assert status != 0
    assert f"no change stands under this id: {change}" in said


def test_the_terminal_refuses_what_names_nobody(terminal: Callable[..., tuple[int, str]]) -> None:
    times = ("--from", "2099-03-10T12:00", "--to", "2099-03-11T12:00")
    status, said = terminal("cover", "reg-x", "reg-b", *times, "--by", "reg-a", "--reason", "x")
    assert status != 0
    assert "unknown person: reg-x" in said
    status, said = terminal("cover", "reg-a", "reg-b", *times, "--by", "reg-x", "--reason", "x")
    assert status != 0
    assert "person: reg-x" in said
