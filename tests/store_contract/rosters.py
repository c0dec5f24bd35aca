"""What the store keeps of the roster."""

from dataclasses import replace
from datetime import timedelta

from tests.store_contract.checks import check
from tests.store_rows import NOW, minutes
from triage.domain.roster.changes import ChangeKind, RosterChange
from triage.store import Store
from triage.store.records import FeedCopy, RouteTest

COVER = RosterChange(
    id="3f9c21ab.1",
    together="3f9c21ab",
    kind=ChangeKind.COVER,
    site="centre:NEURO",
    role="registrar",
    person="reg-b",
    starts=NOW,
    ends=NOW + timedelta(hours=12),
    reason="dentist",
    made_by="reg-a",
    made_at=NOW,
)
TEST = RouteTest(page="drill.1", person="reg-a", route="sms", setup="ab", ordered_at=NOW)


@check
def roster_changes_come_back_in_the_order_in_which_they_were_made(store: Store) -> None:
    later = replace(COVER, id="0.1", together="0", made_at=NOW + minutes(1))
    with store.begin() as tx:
        tx.add_roster_changes([later, COVER])
    with store.read() as reader:
        assert reader.roster_changes() == [COVER, later]


@check
def a_feed_keeps_what_was_last_said_of_it(store: Store) -> None:
    first = FeedCopy(feed="rota", checked_at=NOW, fetched_at=NOW, etag="x", content=b"BEGIN")
    second = replace(first, checked_at=NOW + minutes(1), problem="not found")
    for copy in (first, second):
        with store.begin() as tx:
            tx.keep_feed(copy)
    with store.read() as reader:
        assert reader.feed_copies() == {"rota": second}


@check
def a_test_page_is_confirmed_once(store: Store) -> None:
    with store.begin() as tx:
        tx.add_route_tests([TEST])
        tx.add_route_tests([replace(TEST, ordered_at=NOW + minutes(1))])
        assert tx.confirm_route("drill.1", "reg-a", NOW + minutes(2))
        assert not tx.confirm_route("drill.1", "reg-b", NOW + minutes(3))
        assert not tx.confirm_route("drill.2", "reg-b", NOW)
    confirmed = replace(TEST, confirmed_at=NOW + minutes(2), confirmed_by="reg-a")
    with store.read() as reader:
        assert reader.route_tests(NOW) == [confirmed]
        assert reader.route_tests(NOW + minutes(1)) == []
        assert reader.route_test("drill.1") == confirmed
        assert reader.route_test("drill.2") is None
