"""What is kept of stored logs gives what reading and folding them anew would give."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from tests.properties.case_events import CASE, HOSPITAL, START, build
from tests.scenarios.house import BOOK, ROSTER, House
from tests.second_opinion.case_join_logs import JoinMaker
from triage.domain.case import Case
from triage.domain.events import CaseId, Event, EventType
from triage.domain.tiers import Tier
from triage.recording.courses import Courses
from triage.recording.holding import Held
from triage.store.records import StoredCase
from triage.workflow.fold import follow

LATER = START + timedelta(hours=1)
WHOLE: Mapping[CaseId, int] = MappingProxyType({})


def _submitted(number: int) -> Event:
    return build(number, EventType.REFERRAL_SUBMITTED, HOSPITAL, {}, (number, number, None))


@pytest.fixture
def house() -> House:
    """A referral without deficit, then an examination that finds a complete one."""
    house = House()
    calm = {"findings": {"ais": "E"}}
    worse = {"findings": {"ais": "A"}}
    after = START + timedelta(minutes=5)
    house.receive([build(1, EventType.REFERRAL_SUBMITTED, HOSPITAL, calm, (0, 0, None))], START)
    house.receive([build(2, EventType.NEURO_EXAMINED, HOSPITAL, worse, (5, 5, None))], after)
    return house


def _load(house: House, since: Mapping[CaseId, int] = WHOLE) -> StoredCase:
    with house.store.begin() as tx:
        return tx.load_cases([CASE], since)[CASE]


def _upto(stored: StoredCase, house: House, count: int) -> StoredCase:
    """The case as it was loaded when its log had so many links."""
    with house.store.read() as reader:
        links = reader.log(CASE)[:count]
    log = tuple(link.document for link in links)
    first = links[0].hash
    return replace(stored, log=log, last_seq=count, head=links[-1].hash, first_hash=first)


def _seen(courses: Courses, stored: StoredCase, house: House | None = None) -> Case:
    held = Held(stored.row.case_id, stored, courses, (lambda _: _load(house)) if house else None)
    return held.case(BOOK, LATER, ROSTER)


def test_a_log_that_has_grown_goes_on(house: House) -> None:
    stored, courses = _load(house), Courses()
    for count in range(1, len(stored.log) + 1):
        part = _upto(stored, house, count)
        assert _seen(courses, part) == _seen(Courses(), part)
        grown = _load(house, courses.known([CASE]))
        assert len(grown.log) == len(stored.log) - count + 1
        assert _seen(courses, grown) == _seen(Courses(), stored)
        courses = Courses()


def test_a_course_of_links_that_were_never_stored_is_forgotten(house: House) -> None:
    """As after a transaction that failed at its commit, or on a database that was put back."""
    stored, courses = _load(house), Courses()
    assert _seen(courses, stored).findings["ais"].value == "A"
    with house.store.begin() as tx:
        house_log = tx.reads.log(CASE)
    never = build(3, EventType.NEURO_EXAMINED, HOSPITAL, {"findings": {"ais": "B"}}, (9, 9, None))
    courses.note(stored, [never], replace(house_log[-1], seq=stored.last_seq + 1, hash="never"))
    again = _load(house, courses.known([CASE]))
    assert len(again.log) == 1
    assert _seen(courses, again, house) == _seen(Courses(), stored)


def test_a_log_that_has_lost_links_is_read_anew(house: House) -> None:
    stored, courses = _load(house), Courses()
    assert _seen(courses, stored).findings["ais"].value == "A"
    shorter = _upto(stored, house, 1)
    assert _seen(courses, shorter).findings["ais"].value == "E"


def test_only_so_many_are_kept_and_the_others_are_read_again(house: House) -> None:
    stored, courses = _load(house), Courses(limit=1)
    other = replace(_upto(stored, house, 1), row=replace(stored.row, case_id=CaseId(f"{CASE}-2")))
    for each in (stored, other, stored):
        assert _seen(courses, each) == _seen(Courses(), each)
    assert courses.known([CASE, other.row.case_id]) == {CASE: stored.last_seq, other.row.case_id: 0}
    assert _seen(courses, stored).tier is Tier.EMERGENT


def test_receipts_of_a_case_that_is_not_kept_need_only_the_end_of_its_log(house: House) -> None:
    stored = _load(house)
    end = _load(house, {CASE: 10_000})
    assert (end.last_seq, end.head, end.log) == (stored.last_seq, stored.head, stored.log[-1:])
    assert Courses().log(end) is None


@pytest.mark.parametrize("seed", range(12))
def test_joined_cases_come_to_the_same_where_nothing_is_kept(seed: int) -> None:
    """Referrals that are joined and parted, with everything else that happens to them."""
    maker, keeps, forgets = JoinMaker(seed), House(), House()
    event = maker.first()
    for _ in range(maker.length):
        for house in (keeps, forgets):
            forgets.desk.courses = Courses()
            house.pass_time(event.received_at)
            house.receive([event], event.received_at)
        assert forgets.sent == keeps.sent
        assert forgets.rows() == keeps.rows()
        event = maker.next_event([each.order.page for each in keeps.sent])


def test_a_log_read_anew_does_not_go_on_from_another_reading() -> None:
    first, second, third, other = map(_submitted, range(1, 5))
    courses, beside = Courses(), CaseId("beside")
    one, both, anew = (first,), (first, second), (first, third)
    for own, its in ((one, None), (one, other), (both, other), (anew, other), ((), other)):
        logs = {CASE: own} if its is None else {CASE: own, beside: (its,)}
        found = courses.together(CASE, logs, BOOK, ROSTER)
        every = [each for log in logs.values() for each in log]
        assert found.events == follow(CASE, every, BOOK, ROSTER).events


def test_of_joined_cases_too_only_so_many_are_kept() -> None:
    event = _submitted(1)
    courses, other = Courses(limit=1), CaseId(f"{CASE}-2")
    before = courses.together(CASE, {CASE: (event,)}, BOOK, ROSTER)
    assert courses.together(CASE, {CASE: (event,)}, BOOK, ROSTER) is before
    courses.together(other, {other: (event,)}, BOOK, ROSTER)
    assert courses.together(CASE, {CASE: (event,)}, BOOK, ROSTER) is not before
