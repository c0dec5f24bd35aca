"""What a template is given: from the contract's documents alone, and at the edges of time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from tests.store_rows import case_row
from tests.web_house import findings
from triage.domain.instants import format_instant
from triage.policies.load import load_policy_book
from triage.policies.shipped import shipped_texts
from triage.web.board_view import row
from triage.web.case_view import case_view
from triage.web.referral_form import local_instant
from triage.web.wall import Wall, wait_words
from triage.web.window import window_of
from triage.web.words import Wording

BOOK = load_policy_book(shipped_texts())
NOW = datetime(2026, 3, 10, 8, 12, 1, tzinfo=UTC)
WALL = Wall(ZoneInfo("Europe/London"), NOW)
# The contract's example of a case, with nothing of what we add to it.
EXAMPLE: dict[str, Any] = {
    "case": "BF2T-5B1F-ZGDY",
    "referral": "hospital:RX1/2026-004711",
    "state": "open",
    "owner": None,
    "destination": "centre:NEURO",
    "tier": "EMERGENT",
    "held": False,
    "rules": ["E1", "E2"],
    "all_rules": ["E1", "E2", "P3", "U1", "U2"],
    "flags": ["PRECAUTIONS"],
    "unread": [],
    "assumed": [],
    "reasons": ["Lost walking 10 h ago and still worsening: inside the 48 h window (E2)."],
    "policy": "0.1+3f9c21ab-draft",
    "tier_since": "2026-03-10T08:02:01+00:00",
    "tier_event": "e-0001",
    "findings": {"ais": {"value": "C", "at": "2026-03-10T08:02:00+00:00", "event": "e-0001"}},
    "milestones": {
        "referral_received": {
            "at": "2026-03-10T08:02:01+00:00",
            "event": "e-0001",
            "recorded_by": "hospital:RX1",
        }
    },
    "obligations": [
        {
            "name": "acknowledgement",
            "starts_at": "2026-03-10T08:02:01+00:00",
            "due_at": "2026-03-10T08:17:01+00:00",
            "met_at": None,
            "breached_at": None,
            "holder": "registrar",
            "kind": "proposal",
            "run": "e-0001",
        }
    ],
    "next_due_at": "2026-03-10T08:07:01+00:00",
    "version": 3,
    "head": "sha256:…",
}


def test_the_contracts_example_is_enough_for_every_view() -> None:
    case = replace(
        case_row(),
        case_id="BF2T-5B1F-ZGDY",
        tier="EMERGENT",
        state="open",
        document=orjson.dumps(EXAMPLE).decode(),
        deadlines='[{"step":"acknowledgement","due_at":"2026-03-10T08:17:01+00:00"}]',
    )
    line = row(case, Wording(BOOK), WALL)
    assert (line.tier, line.rules, line.flags) == ("EMERGENT", "E1 E2", ("Precautions",))
    assert line.due is not None
    assert (line.due.title, line.due.left.words) == ("Human acknowledgement", "5 min left")

    view = case_view(case, [], [], Wording(BOOK), WALL, "centre:NEURO")
    assert [rule.id for rule in view.rules] == ["E1", "E2"]
    assert [rule.id for rule in view.lesser_rules] == ["P3", "U1", "U2"]
    assert [(owed.title, owed.outcome) for owed in view.owed] == [("Human acknowledgement", "open")]
    assert [step.title for step in view.steps] == ["Referral received"]


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(), "0 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=1), "1 h 00 min"),
        (timedelta(hours=47, minutes=59), "47 h 59 min"),
        (timedelta(days=2), "2 d 0 h"),
    ],
)
def test_waits_in_words(wait: timedelta, words: str) -> None:
    assert wait_words(wait) == words


def test_exactly_at_the_deadline_is_not_late() -> None:
    at = WALL.countdown(NOW, near=timedelta(minutes=15))
    after = WALL.countdown(NOW - timedelta(seconds=1), near=timedelta(minutes=15))
    assert at is not None
    assert after is not None
    assert (at.words, at.is_late) == ("0 min left", False)
    assert (after.words, after.is_late) == ("0 min late", True)


def test_both_two_o_clocks_are_told_apart_by_their_offset() -> None:
    first, second = (
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    )
    moments = [WALL.moment(at) for at in (first, second)]
    assert [(m.clock, m.offset) for m in moments if m] == [("01:30", "+01:00"), ("01:30", "+00:00")]


def test_a_time_that_the_clock_shows_twice_is_the_later_one() -> None:
    """The shorter wait keeps a case inside its window."""
    assert local_instant("2026-10-25T01:30", WALL.zone) == "2026-10-25T01:30:00+00:00"
    assert local_instant("2026-06-01T12:00", WALL.zone) == "2026-06-01T11:00:00+00:00"
    assert local_instant("yesterday", WALL.zone) == "yesterday"


def document(hours_ago: float, **changes: Any) -> dict[str, Any]:
    values = findings(**changes)
    values["deficit_onset_at"] = format_instant(NOW - timedelta(hours=hours_ago))
    return {"findings": {name: {"value": value} for name, value in values.items()}}


def test_the_window_ends_strictly_after_48_hours() -> None:
    inside, over = window_of(document(48), BOOK, NOW), window_of(document(48.01), BOOK, NOW)
    assert inside is not None
    assert over is not None
    assert (inside.words, inside.of, inside.share, inside.is_over) == ("48 h", "48 h", 100, False)
    assert over.is_over


def test_the_window_of_a_range_counts_from_its_latest_end() -> None:
    ranged = document(0)
    ranged["findings"]["deficit_onset_at"]["value"] = {
        "earliest": format_instant(NOW - timedelta(hours=60)),
        "latest": format_instant(NOW - timedelta(hours=12)),
    }
    window = window_of(ranged, BOOK, NOW)
    assert window is not None
    assert window.words == "12 h"


def test_no_window_once_the_cord_is_free_or_while_nothing_was_lost() -> None:
    done = document(10) | {"milestones": {"decompression_complete": {"at": format_instant(NOW)}}}
    assert window_of(done, BOOK, NOW) is None
    assert window_of({"findings": {}}, BOOK, NOW) is None


def test_a_senders_own_text_is_not_shown_as_a_value() -> None:
    wording = Wording(BOOK)
    assert wording.value("walking", "cannot") == "Cannot"
    assert wording.value("walking", "Sampleton cannot walk") == "not understood"
    assert wording.value("pvr_ml", 650) == "650 mL"
