"""How findings are read: what counts as a value, what asks for a human, what is listed."""

import math
from datetime import UTC, datetime

import pytest

from tests.unit.policies.conftest import Judge, Reader


@pytest.mark.parametrize(
    ("field", "sent", "value"),
    [
        ("ais", " c ", "C"),
        ("ais", "C", "C"),
        ("escc", 3, "3"),
        ("escc", 3.0, "3"),
        ("escc", -0.0, "0"),
        ("escc", "1A", "1a"),
        ("level", "t6", "T6"),
        ("histology", "GERM_CELL\n", "germ_cell"),
        ("sins", "09", 9),
        ("sins", 9.0, 9),
        ("sins", " 18 ", 18),
        ("kps", "100", 100),
        ("pvr_ml", 650, 650),
        ("pvr_ml", " 199.9", 199.9),
        ("pvr_ml", 0, 0),
        ("prognosis_months", 2.5, 2.5),
    ],
)
def test_understood(read: Reader, field: str, sent: object, value: object) -> None:
    reading = read({field: sent})
    assert (reading.values, reading.unread, reading.review) == ({field: value}, (), False)


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("ais", "F"), ("ais", ""), ("ais", 5), ("ais", True), ("ais", ["C"]), ("ais", {"is": "C"}),
        ("escc", "2.0"), ("escc", 2.5), ("escc", math.nan), ("escc", 10**400), ("escc", "Ⅱ"),
        ("level", "T13"), ("level", "T6-T7"), ("level", 6),
        ("sins", 19), ("sins", -1), ("sins", 9.5), ("sins", "9.0"), ("sins", "+9"), ("sins", "-0"),
        ("sins", "٩"), ("sins", True), ("sins", "9" * 5000), ("sins", math.inf),
        ("kps", 101), ("kps", [80]),
        ("pvr_ml", -1), ("pvr_ml", "650 ml"), ("pvr_ml", "1e3"), ("pvr_ml", math.nan),
        ("pvr_ml", math.inf), ("pvr_ml", False), ("pvr_ml", "nan"),
        ("deficit_onset_at", "2026-03-10"), ("deficit_onset_at", "2026-03-10T08:00:00"),
        ("deficit_onset_at", 1773129600), ("deficit_onset_at", "2026-03-10T24:00:00Z"),
        ("previous_ais_at", {"latest": "2026-03-10T08:00:00Z"}), ("sins_items", [3]),
    ],
)  # fmt: skip
def test_not_understood_asks_for_a_human(read: Reader, field: str, sent: object) -> None:
    reading = read({field: sent})
    assert reading.values == {}
    assert (reading.unread, reading.review) == ((field,), True)
    assert field in reading.unknown


@pytest.mark.parametrize(
    "field",
    ["ais", "sins", "kps", "pvr_ml", "deficit_onset_at", "previous_ais_at", "sins_items",
     "compartment", "re_referral", "level"],
)  # fmt: skip
@pytest.mark.parametrize("sent", [None, "unknown", " Unknown "])
def test_unknown_is_understood_everywhere(read: Reader, field: str, sent: object) -> None:
    reading = read({field: sent})
    assert (reading.values, reading.unread, reading.review) == ({}, (), False)
    assert reading.unknown == {field}


@pytest.mark.parametrize(
    ("name", "asks"),
    [
        ("bladdr", True), ("bladder_", True), ("Ais", True), ("ai", True), ("sins_item", True),
        ("AIS", False), ("comment", False), ("histologi", False), ("kpss", False),
        ("mri_done", False),
    ],
)  # fmt: skip
def test_stranger_is_listed_and_a_near_miss_asks(read: Reader, name: str, asks: bool) -> None:
    reading = read({name: "A", "walking": "aided"})
    assert (reading.values, reading.unread) == ({"walking": "aided"}, (name,))
    assert reading.review is asks


def test_rightly_named_value_stands_beside_a_misspelt_one(read: Reader) -> None:
    for raw in (
        {"compartmnt": "x", "compartment": "extradural"},
        {"compartment": "extradural", "compartmnt": "x"},
    ):
        reading = read(raw)
        assert reading.values == {"compartment": "extradural"}
        assert (reading.unknown, reading.unread) == (frozenset(), ("compartmnt",))
        assert reading.review


def test_onset_between_two_instants(read: Reader) -> None:
    at = datetime(2026, 3, 9, 8, tzinfo=UTC)
    sent = {"earliest": "2026-03-08T08:00:00Z", "latest": "2026-03-09T09:00:00+01:00"}
    assert read({"deficit_onset_at": sent}).values == {"deficit_onset_at": at}

    half = read({"deficit_onset_at": sent | {"latest": "this morning"}})
    assert (half.values, half.unread) == ({}, ("deficit_onset_at.latest",))
    assert half.review

    rest = read({"deficit_onset_at": sent | {"earliest": 7, "by": "nurse"}})
    assert rest.values == {"deficit_onset_at": at}
    assert rest.unread == ("deficit_onset_at.by", "deficit_onset_at.earliest")


ITEMS = {"location": 1, "pain": 3, "lesion": 2, "alignment": 0, "collapse": 1, "posterolateral": 0}


def test_items_are_read_one_by_one(read: Reader) -> None:
    sent = ITEMS | {"pain": 2, "collapse": None, "lesion": "1", "colapse": 1, "total": 9}
    reading = read({"sins_items": sent})
    assert reading.values == {
        "sins_items.location": 1,
        "sins_items.lesion": 1,
        "sins_items.alignment": 0,
        "sins_items.posterolateral": 0,
    }
    assert reading.unread == ("sins_items.colapse", "sins_items.pain", "sins_items.total")
    assert reading.review


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"sins_items": ITEMS}, "P3"),
        ({"sins_items": ITEMS | {"pain": 0}}, ""),
        # Unknown alignment may be 4: the top of the range counts.
        ({"sins_items": ITEMS | {"pain": 1, "alignment": None}}, "P3"),
        # Location from the level T6 (1 point), which is why this is 13 and not 15.
        ({"sins_items": {"pain": 3, "alignment": 4, "collapse": 3, "lesion": 2,
                         "posterolateral": 0}}, "U4"),
        ({"sins_items": {"pain": 3, "alignment": 4, "collapse": 3, "lesion": 1,
                         "posterolateral": 0}}, "P3"),
        ({"sins_items": {"pain": 3, "alignment": 4, "collapse": 3, "lesion": 1,
                         "posterolateral": 0}, "level": None}, "U4"),
        # A location that was sent stands against the level.
        ({"sins_items": {"pain": 3, "alignment": 4, "collapse": 3, "lesion": 1,
                         "posterolateral": 0, "location": 3}}, "U4"),
        ({"sins_items": {"location": 3}}, "P4"),
        ({"sins_items": {}}, "P4"),
        ({"sins_items": {"pain": 2}}, "P4"),
        # Total and items: the total, never less than the items' bottom.
        ({"sins": 2, "sins_items": ITEMS}, "P3"),
        ({"sins": 14, "sins_items": ITEMS}, "U4"),
        ({"sins": "many", "sins_items": ITEMS}, "P3"),
    ],
)  # fmt: skip
def test_sins_from_items(judge: Judge, changes: dict[str, object], rule: str) -> None:
    rules = judge(**({"sins": None} | changes)).all_rules
    assert rules == ((rule,) if rule else ("R1",))


def test_total_outside_the_items_range_is_a_contradiction(judge: Judge) -> None:
    assert "CONTRADICTION" in judge(sins=2, sins_items=ITEMS).flags
    assert "CONTRADICTION" not in judge(sins=7, sins_items=ITEMS).flags
    assert "CONTRADICTION" not in judge(sins=11, sins_items=ITEMS | {"alignment": None}).flags
    assert "CONTRADICTION" in judge(sins=12, sins_items=ITEMS | {"alignment": None}).flags
