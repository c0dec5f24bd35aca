"""Whatever happens, an EMERGENT case that nobody owns is never quiet longer than one round."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.properties.case_events import CASE, CENTRE, HOSPITAL, MILD, SICK, START, build
from tests.properties.test_never_quiet import LADDER, ROUND, longest_gap
from tests.scenarios.house import ROSTER, House
from tests.scenarios.script import person
from triage.domain.events import Event, EventType
from triage.domain.paging import ACKNOWLEDGEMENT
from triage.domain.roster.roster import Roster

END = timedelta(hours=2)
assert LADDER.due is not None
DUE = LADDER.due
_EMPTY = st.frozensets(st.sampled_from(sorted({r for rung in LADDER.rungs for r in rung.roles})))
_WHO = st.sampled_from(["registrar", "coordinator", "consultant", "second consultant"])
_ACTS = st.sampled_from(
    ["decline", "decline", "coming", "hand_back", "hand_over", "worse", "worse again", "roster"]
)
_WORSE = {"findings": {"ais": "C", "walking": "cannot"}}
_AGAIN = {"findings": {"bladder": "retention_incontinence"}}
Act = tuple[int, str, str, int, frozenset[str]]


@st.composite
def acts(draw: st.DrawFn) -> list[Act]:
    """By second: what is done, by whom, for how many minutes, and which roles nobody holds."""
    seconds = st.one_of(st.integers(1, 20 * 60), st.integers(1, 100 * 60))
    each = st.tuples(seconds, _ACTS, _WHO, st.integers(0, 30), _EMPTY)
    found = draw(st.lists(each, min_size=1, max_size=7))
    return sorted(found, key=lambda act: act[0])


def without(roles: frozenset[str]) -> Roster:
    """The roster in which nobody serves in these roles."""
    return replace(ROSTER, rotas=tuple(rota for rota in ROSTER.rotas if rota.role not in roles))


class Watch:
    """A house, and at every instant at which something happened whether someone had to be called.

    Between those instants nothing changes: a promise lapses when the case is next due.
    """

    def __init__(self, first: Event, roster: Roster) -> None:
        self.house = House(roster)
        self.waits: list[tuple[datetime, bool]] = []
        self.receive(first, START)

    def receive(self, event: Event, now: datetime) -> None:
        self.house.receive([event], now)
        self._look(now)

    def pass_time(self, to: datetime) -> None:
        while (due := self.house.next_due()) is not None and due <= to:
            self.house.sweep(due)
            self._look(due)
        self.waits.append((to, self.waits[-1][1]))

    def _look(self, now: datetime) -> None:
        document = self.house.document(CASE)
        assert document is not None
        self.waits.append((now, (document["tier"], document["owner"]) == ("EMERGENT", None)))

    def paged(self) -> list[datetime]:
        """When somebody was called to take the case."""
        sent = self.house.sent
        return [each.at for each in sent if each.order.obligation == ACKNOWLEDGEMENT]

    def stretches(self) -> list[tuple[datetime, datetime]]:
        """From when to when it was EMERGENT and nobody's."""
        found, instants = [], [at for at, _ in self.waits]
        for waits, run in groupby(range(len(self.waits)), lambda n: self.waits[n][1]):
            places = list(run)
            if waits:
                last = min(places[-1] + 1, len(instants) - 1)
                found.append((instants[places[0]], instants[last]))
        return found


def _event(number: int, act: Act, house: House) -> Event | None:
    second, kind, who, minutes, _ = act
    at = (0, 0, None)
    now = START + timedelta(seconds=second)
    if kind in ("worse", "worse again"):
        data = _WORSE if kind == "worse" else _AGAIN
        made = build(number, EventType.NEURO_EXAMINED, HOSPITAL, data, at)
        return replace(made, occurred_at=now, received_at=now)
    ladder = [each for each in house.sent if each.order.obligation == ACKNOWLEDGEMENT]
    own = [each for each in ladder if each.order.role == who.replace(" ", "_")]
    if not own:
        return None
    said = {"page": own[-1].order.page, "by": person(who), "answer": kind, "minutes": minutes}
    if kind == "hand_over":
        said["to"] = person("fellow")
    made = build(number, EventType.PAGE_ACKNOWLEDGED, CENTRE, said, at)
    return replace(made, occurred_at=now, received_at=now)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([SICK, MILD]), _EMPTY, acts())
def test_no_gap_is_longer_than_a_round(
    patient: dict[str, object], empty: frozenset[str], happens: list[Act]
) -> None:
    """Refusals, hand-overs, hand-backs, lapsed promises, raises, roles nobody holds, new rosters.

    Somebody who is put on an empty post in a run's first minutes takes back the rungs that his
    absence brought forward: then the due instant is the next call (decision 11).
    """
    first = build(0, EventType.REFERRAL_SUBMITTED, HOSPITAL, patient, (0, 0, None))
    watch, longest = Watch(first, without(empty)), ROUND
    for number, act in enumerate(happens, start=1):
        now = START + timedelta(seconds=act[0])
        watch.pass_time(now)
        if act[1] == "roster":
            longest = longest if act[4] >= empty else DUE
            watch.house.desk.roster, empty = without(act[4]), act[4]
            continue
        event = _event(number, act, watch.house)
        if event is not None:
            watch.receive(event, now)
    watch.pass_time(START + END)
    paged = watch.paged()
    for since, until in watch.stretches():
        assert longest_gap(paged, until, since=since) <= longest, (since, until)
