"""What the house keeps for itself: credentials, books, progress, figures, wake-ups."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from tests.store_contract.checks import check
from tests.store_rows import (
    NOW,
    case_number,
    case_row,
    minutes,
    order,
)
from triage.domain.paging import PageId
from triage.domain.tiers import Tier
from triage.store import Store
from triage.store.figures import DeadlineCount, OpenCount, Unacknowledged
from triage.store.records import CompletedLeg, Token


@check
def a_token_is_found_by_its_hash_until_it_is_revoked(store: Store) -> None:
    system = Token(id="t-1", hash="aa", source="hospital:RX1", created_at=NOW)
    person = Token(
        id="t-2",
        hash="bb",
        person="con-a",
        name="Sample Consultant",
        role="consultant",
        site="centre:NEURO",
        created_at=NOW + minutes(1),
    )
    with store.begin() as tx:
        tx.add_token(system)
        tx.add_token(person)
        assert tx.find_token("bb") == person
        assert tx.find_token("cc") is None
        assert tx.sources() == {"hospital:RX1"}
        assert tx.revoke_token("t-1", NOW)
        assert not tx.revoke_token("t-1", NOW)
        assert tx.sources() == frozenset()
    with store.read() as reader:
        assert reader.list_tokens() == [replace(system, revoked_at=NOW), person]


@check
def a_policy_book_is_kept_as_it_was_first_used(store: Store) -> None:
    with store.begin() as tx:
        tx.keep_policy_book("0.1+abc", {"tiers.toml": 'id = "E1"', "legs.toml": "ü"})
        tx.keep_policy_book("0.1+abc", {"tiers.toml": "changed"})
    with store.read() as reader:
        assert reader.policy_book("0.1+abc") == {"tiers.toml": 'id = "E1"', "legs.toml": "ü"}
        assert reader.policy_book("none") is None


@check
def loops_stamp_their_progress(store: Store) -> None:
    with store.begin() as tx:
        tx.stamp("sweep", NOW)
        tx.stamp("relay", NOW)
        tx.stamp("sweep", NOW + minutes(1))
    with store.read() as reader:
        assert reader.progress() == {"sweep": NOW + minutes(1), "relay": NOW}


@check
def figures_count_open_cases_only(store: Store) -> None:
    deadlines = orjson.dumps(
        [
            {"step": "mri", "due_at": "2026-03-10T08:02:01+00:00"},
            {"step": "decision", "due_at": "2026-03-10T08:02:00.500000+00:00"},
        ]
    ).decode()
    with store.begin() as tx:
        tx.save_cases(
            [
                case_row(1, deadlines=deadlines),
                case_row(2, deadlines=deadlines, referral_received_at=NOW - minutes(60)),
                case_row(3, tier="EMERGENT", hospital="hospital:RX2", unacknowledged_since=None),
                case_row(4, state="closed", deadlines=deadlines),
                case_row(5, state="unopened", deadlines=deadlines),
                case_row(6, lead_case_id=case_number(1), deadlines=deadlines),
            ]
        )
        tx.complete_legs([_leg(1), _leg(2)])
        tx.complete_legs([replace(_leg(1), seconds=1.0)])
    leg = "received_to_acknowledged"
    with store.read() as reader:
        assert set(reader.open_by_tier_leg()) == {
            OpenCount("URGENT", leg, 2, NOW - minutes(60)),
            OpenCount("EMERGENT", leg, 1, NOW),
        }
        half_a_second_before = NOW - timedelta(milliseconds=500)
        assert set(reader.past_deadline(NOW)) == {
            DeadlineCount("URGENT", "mri", "hospital:RX1", 2, 0, NOW),
            DeadlineCount("URGENT", "decision", "hospital:RX1", 2, 2, half_a_second_before),
        }
        assert reader.unacknowledged_oldest() == [Unacknowledged("URGENT", "hospital:RX1", NOW)]
        assert sorted(row.seconds for row in reader.durations()) == [60.0, 120.0]
        assert reader.counts().cases == {"open": 4, "closed": 1, "unopened": 1}


@check
def a_wake_up_comes_after_the_commit_and_only_then(store: Store) -> None:
    seen: list[list[PageId]] = []

    def woken() -> None:
        with store.read() as reader:
            seen.append([row.order.page for row in reader.pages()])

    store.on_wake("page", woken)
    with store.begin() as tx:
        tx.order_pages([order(1)], NOW)
        tx.notify("page")
        tx.notify("page")
        assert seen == []
    assert seen == [[order(1).page]]

    def roll_back() -> None:
        with store.begin() as tx:
            tx.notify("page")
            raise RuntimeError("not committed")

    with pytest.raises(RuntimeError, match="not committed"):
        roll_back()
    assert len(seen) == 1
    with pytest.raises(ValueError, match="no such wake-up: soup"), store.begin() as tx:
        tx.notify("soup")


def _leg(number: int) -> CompletedLeg:
    return CompletedLeg(
        case_id=case_number(number),
        leg="received_to_decompression",
        tier=Tier.EMERGENT,
        hospital="hospital:RX1",
        seconds=60 * number,
        completed_at=NOW,
    )
