"""Somebody who is off shift never makes an EMERGENT case quiet for longer than they promise."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.case_events import CASE, CENTRE, HOSPITAL, SICK, START, build
from tests.properties.test_never_quiet import BOOK, ROUND, longest_gap
from tests.properties.test_unowned_gaps import Watch
from tests.scenarios.house import ROSTER
from tests.scenarios.rosters import night_person, relief
from tests.scenarios.script import person
from triage.domain.events import Event, EventType
from triage.domain.paging import ACKNOWLEDGEMENT

WAIT = BOOK.ladders.promise.hand_over_wait.emergent
# Until the senior opinion is due a promise may be as long as that, later it is the cap.
LONGEST = timedelta(minutes=60)
END = timedelta(hours=4)
_ACTS = st.tuples(st.integers(1, 200), st.sampled_from(["coming", "milestone", "examined"]))


def _event(number: int, minute: int, kind: str, watch: Watch) -> Event:
    at = (minute, minute, None)
    if kind == "milestone":
        data: dict[str, object] = {"milestone": "images_received"}
        return build(number, EventType.MILESTONE_REACHED, CENTRE, data, at)
    if kind == "examined":
        return build(number, EventType.NEURO_EXAMINED, CENTRE, SICK, at)
    sent = watch.house.sent
    asked = [each.order.page for each in sent if each.order.obligation == ACKNOWLEDGEMENT]
    said = {"page": asked[-1], "by": person("registrar"), "answer": "coming", "minutes": 60}
    return build(number, EventType.PAGE_ACKNOWLEDGED, CENTRE, said, at)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 120), st.lists(_ACTS, min_size=1, max_size=10, unique_by=lambda act: act[0]))
def test_an_owner_off_shift_promises_by_minutes_only(
    leaves: int, happens: list[tuple[int, str]]
) -> None:
    """Whatever is recorded, an hour after the last answer of somebody who left all are called."""
    relieved = relief(ROSTER.default_site, "registrar", START + timedelta(minutes=leaves))
    people = {**ROSTER.people, relieved.person: night_person("registrar")}
    roster = replace(ROSTER, overrides=(relieved,), people=people)
    watch = Watch(build(0, EventType.REFERRAL_SUBMITTED, HOSPITAL, SICK, (0, 0, None)), roster)
    answered = START
    for number, (minute, kind) in enumerate(sorted(happens), start=1):
        now = START + timedelta(minutes=minute)
        watch.pass_time(now)
        watch.receive(_event(number, minute, kind, watch), now)
        answered = now if kind == "coming" else answered
    watch.pass_time(START + END)
    over = max(START + timedelta(minutes=leaves) + WAIT, answered + LONGEST)
    assert watch.house.document(CASE)["owner"] is None  # type: ignore[index]
    assert all(since <= over for since, _ in watch.stretches()[-1:])
    for since, until in watch.stretches():
        assert longest_gap(watch.paged(), until, since=since) <= ROUND
