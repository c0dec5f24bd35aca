"""Links, PINs and push subscriptions; what still rings when somebody has answered."""

from dataclasses import replace

from tests.store_contract.checks import check
from tests.store_rows import NOW, case_number, case_row, minutes, order
from triage.domain.paging import Attempt
from triage.store import Store
from triage.store.reaching import Link, Pin, Subscription

_LINK = Link(
    hash="a" * 64, page="p1", person="reg-a", made_at=NOW, expires_at=NOW + minutes(60 * 12)
)
_PIN = Pin(person="reg-a", hash="scrypt$00$11", set_at=NOW)
_BROWSER = Subscription(
    id="b1", person="reg-a", endpoint="https://push.example/1", p256dh="k", auth="a", made_at=NOW
)


@check
def a_link_is_used_once_and_forgotten_a_week_after_its_end(store: Store) -> None:
    with store.begin() as tx:
        tx.add_links([_LINK])
        assert tx.link(_LINK.hash) == _LINK
        assert tx.link("b" * 64) is None
        assert tx.use_link(_LINK.hash, NOW + minutes(1))
        assert not tx.use_link(_LINK.hash, NOW + minutes(2))
    with store.read() as reader:
        used = reader.link(_LINK.hash)
        assert used is not None
        assert used.used_at == NOW + minutes(1)
    later = replace(_LINK, hash="c" * 64, made_at=NOW + minutes(60 * 24 * 8))
    with store.begin() as tx:
        tx.add_links([])
        assert tx.link(_LINK.hash) is not None
        tx.add_links([later])
        assert tx.link(_LINK.hash) is None


@check
def guesses_at_a_pin_are_counted_before_they_are_looked_at(store: Store) -> None:
    until = NOW + minutes(15)
    with store.begin() as tx:
        assert tx.count_pin_guess("reg-a", NOW, most=2, locked_until=until) is None
        tx.keep_pin(_PIN)
        assert tx.count_pin_guess("reg-a", NOW, most=2, locked_until=until) == (_PIN.hash, 1)
        assert tx.count_pin_guess("reg-a", NOW, most=2, locked_until=until) == (_PIN.hash, 2)
        assert tx.count_pin_guess("reg-a", NOW, most=2, locked_until=until) is None
        kept = tx.pin("reg-a")
        assert kept is not None
        assert (kept.failures, kept.locked_until) == (2, until)
        assert tx.count_pin_guess("reg-a", until, most=2, locked_until=until + minutes(15))
        tx.forgive_pin("reg-a")
        assert tx.pin("reg-a") == _PIN
        tx.keep_pin(replace(_PIN, hash="scrypt$22$33"))
        assert tx.count_pin_guess("reg-a", NOW, most=2, locked_until=until) == ("scrypt$22$33", 1)


@check
def a_browser_is_kept_until_it_is_gone_and_may_come_back(store: Store) -> None:
    with store.begin() as tx:
        tx.keep_subscription(_BROWSER)
        tx.keep_subscription(replace(_BROWSER, auth="b"))
        assert tx.subscriptions("reg-a") == [replace(_BROWSER, auth="b")]
        assert tx.subscriptions("reg-b") == []
        tx.end_subscription("b1", NOW + minutes(1))
        assert tx.subscriptions("reg-a") == []
        tx.keep_subscription(_BROWSER)
        assert tx.subscriptions("reg-a") == [_BROWSER]


@check
def what_still_rings_is_found_once_somebody_owns_the_case(store: Store) -> None:
    ringing = replace(order(1), route="mobile", route_kind="voice", asked="acknowledge")
    silent = replace(order(2), route="mobile", route_kind="voice", asked="acknowledge")
    with store.begin() as tx:
        tx.order_pages([ringing, silent], NOW)
        tx.claim_pages(NOW, 10, 10)
        tx.finish_attempts(
            [
                Attempt(
                    page=each.page,
                    route="mobile",
                    attempt=1,
                    outcome="accepted",
                    provider_word="CA1",
                    at=NOW,
                )
                for each in (ringing, silent)
            ]
        )
        waiting = replace(case_row(1), owner=None, unacknowledged_since=NOW, state="open")
        tx.save_cases([waiting, replace(waiting, case_id=case_number(2))])
        assert tx.answered_elsewhere(["voice"], NOW) == []
        tx.save_cases([replace(waiting, owner="registrar", unacknowledged_since=None)])
        assert tx.answered_elsewhere(["voice"], NOW) == [(ringing, "CA1")]
        assert tx.answered_elsewhere(["webpush"], NOW) == []
        assert tx.answered_elsewhere(["voice"], NOW + minutes(1)) == []
