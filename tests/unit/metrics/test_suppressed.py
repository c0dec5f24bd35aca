"""After an outage: the log is folded to its end, EMERGENT goes first, what no longer matters is
withheld and counted by its reason.
"""

from datetime import timedelta

from tests.properties.case_events import CASE, CENTRE, HOSPITAL, MILD, SICK, START, build
from tests.scenarios.house import House
from tests.scenarios.script import person
from triage.domain.events import EventType
from triage.domain.paging import Attempt
from triage.metrics.instruments import Instruments
from triage.paging_port import StorePages


class Standing:
    """A clock that stands at the end of the outage."""

    def now(self) -> object:
        return START + timedelta(minutes=40)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def counted(instruments: Instruments, reason: str) -> float:
    name = "triage_pages_suppressed_total"
    return instruments.registry.get_sample_value(name, {"reason": reason}) or 0.0


def test_pages_that_no_longer_matter_are_withheld_and_counted() -> None:
    house, instruments = House(is_relay_up=False), Instruments(version="0.0-test")
    pages = StorePages(house.store, house.desk, Standing(), instruments)  # type: ignore[arg-type]
    house.receive([build(0, EventType.REFERRAL_SUBMITTED, HOSPITAL, MILD, (0, 0, None))], START)
    worse = build(1, EventType.NEURO_EXAMINED, HOSPITAL, SICK, (10, 10, None))
    house.receive([worse], START + minutes(10))
    with house.store.read() as reader:
        running = [p.order for p in reader.pages(CASE) if p.withdrawn is None]
    ladder = next(order for order in running if order.run == worse.id)
    answer = {"page": ladder.page, "by": person("registrar"), "answer": "coming", "minutes": 50}
    taken = build(2, EventType.PAGE_ACKNOWLEDGED, CENTRE, answer, (12, 12, None))
    house.receive([taken], START + minutes(12))

    claimed = pages.claim_pages(100, 10)
    assert claimed
    assert all(page.suppress for page in claimed)
    pages.finish(
        [
            Attempt(
                page=page.order.page,
                route=page.order.route,
                attempt=page.attempt,
                outcome="suppressed",
                provider_word=page.suppress,
                at=START + minutes(40),
            )
            for page in claimed
        ]
    )
    assert counted(instruments, "superseded") == 2  # the calmer run's registrar and coordinator
    assert counted(instruments, "acknowledged") == 2
    assert counted(instruments, "closed") == 0


def test_a_backlog_pages_for_what_is_true_at_its_end() -> None:
    """Forty minutes of the bus come at once: nobody is called for steps that others replaced."""
    house = House(is_relay_up=False)
    calm = build(0, EventType.REFERRAL_SUBMITTED, HOSPITAL, MILD, (0, 40, 0))
    worse = build(1, EventType.NEURO_EXAMINED, HOSPITAL, SICK, (1, 40, 1))
    end = START + minutes(40)
    house.receive([calm, worse], end)
    with house.store.begin() as tx:
        claimed = [page.order for page in tx.claim_pages(end, 100, 10)]
    assert {order.tier for order in claimed} == {"EMERGENT"}
    ladder = [order.role for order in claimed if order.obligation == "acknowledgement"]
    assert sorted(ladder) == sorted(set(ladder))
    assert {order.run for order in claimed if order.obligation == "acknowledgement"} == {worse.id}
