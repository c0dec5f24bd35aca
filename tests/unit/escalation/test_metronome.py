"""The metronome: turns every second, at once when woken, at the instant that is due; never two."""

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from queue import SimpleQueue
from time import monotonic
from typing import Any

from tests.running_door import eventually
from triage.clock import SystemClock
from triage.domain.errors import StoreUnavailable
from triage.escalation.metronome import Metronome
from triage.escalation.sweep import SweepResult

THEN = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


class Clock:
    def now(self) -> datetime:
        return THEN


def quiet(next_in: timedelta | None = None, *, cases: int = 0) -> SweepResult:
    return SweepResult(cases, 0, (), next_in)


def metronome(turn: Callable[[datetime], SweepResult], **settings: Any) -> Metronome:
    return Metronome(
        turn, clock=Clock(), machine=SystemClock(), run_blocking=asyncio.to_thread, **settings
    )


def play(made: Metronome, during: Callable[[], Any]) -> None:
    async def run() -> None:
        stop = asyncio.Event()
        task = asyncio.create_task(made.run(stop))
        try:
            await during()
        finally:
            stop.set()
            await asyncio.wait_for(task, 10)

    asyncio.run(run())


def test_it_turns_at_once_and_then_every_second_with_the_services_time() -> None:
    seen: list[datetime] = []
    made = metronome(lambda now: (seen.append(now), quiet(cases=2))[1])

    async def three() -> None:
        start = monotonic()
        await eventually(lambda: len(seen) >= 1)
        assert monotonic() - start < 0.9
        await eventually(lambda: len(seen) >= 3)
        assert monotonic() - start > 1.5

    play(made, three)
    assert set(seen) == {THEN}
    assert made.status().last_turn_at == THEN
    assert made.status().cases == 2 * made.status().turns


def test_it_turns_when_the_next_case_is_due() -> None:
    at: list[float] = []

    def turn(now: datetime) -> SweepResult:
        at.append(monotonic())
        return quiet(timedelta(milliseconds=200) if len(at) == 1 else None)

    async def due() -> None:
        await eventually(lambda: len(at) >= 2)

    play(metronome(turn), due)
    assert 0.15 < at[1] - at[0] < 0.9


class Moving:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.at = THEN

    def now(self) -> datetime:
        return self.at


def test_what_the_turn_itself_took_is_not_waited_again() -> None:
    clock, at = Moving(), list[float]()

    def turn(now: datetime) -> SweepResult:
        at.append(monotonic())
        clock.at += timedelta(minutes=10)
        return quiet(timedelta(minutes=10) if len(at) == 1 else None)

    made = Metronome(turn, clock=clock, machine=SystemClock(), run_blocking=asyncio.to_thread)

    async def due() -> None:
        await eventually(lambda: len(at) >= 2)

    play(made, due)
    assert at[1] - at[0] < 0.5


def test_a_wake_from_another_thread_is_a_turn_at_once() -> None:
    seen: list[datetime] = []
    made = metronome(lambda now: (seen.append(now), quiet())[1])

    async def woken() -> None:
        await eventually(lambda: len(seen) == 1)
        start = monotonic()
        threading.Thread(target=made.wake).start()
        await eventually(lambda: len(seen) >= 2)
        assert monotonic() - start < 0.5

    play(made, woken)


def test_two_turns_never_overlap() -> None:
    inside, most = 0, 0
    gate = threading.Event()

    def turn(now: datetime) -> SweepResult:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        gate.wait(0.3)
        inside -= 1
        return quiet(timedelta(milliseconds=1))

    made = metronome(turn)

    async def crowded() -> None:
        for _ in range(5):
            made.wake()
            await asyncio.sleep(0.05)
        await eventually(lambda: made.status().turns >= 3)

    play(made, crowded)
    assert most == 1


def test_it_waits_for_the_database_and_says_so() -> None:
    answers: list[Any] = [StoreUnavailable("away"), quiet()]

    def turn(now: datetime) -> SweepResult:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    made = metronome(turn)
    waited: list[str | None] = []

    async def away() -> None:
        await eventually(lambda: made.status().waiting_for == "database")
        waited.append(made.status().waiting_for)
        await eventually(lambda: made.status().waiting_for is None)

    play(made, away)
    assert waited == ["database"]
    assert made.status().turns >= 1


def test_a_fault_in_a_turn_is_counted_and_the_next_turn_comes(caplog: Any) -> None:
    calls: list[int] = []

    def turn(now: datetime) -> SweepResult:
        calls.append(1)
        if len(calls) == 1:
            raise ZeroDivisionError("Sample Patient")
        return quiet()

    told: list[str] = []
    made = metronome(turn, failed=told.append)

    async def again() -> None:
        await eventually(lambda: made.status().turns >= 1)

    play(made, again)
    assert made.status().failed_turns == len(told) == 1
    assert "ZeroDivisionError at test_metronome.py" in caplog.text
    assert "Sample" not in caplog.text


def test_an_accelerated_service_is_looked_at_as_often_in_its_own_time() -> None:
    seen: list[datetime] = []
    made = metronome(lambda now: (seen.append(now), quiet())[1], speed=20.0)

    async def many() -> None:
        start = monotonic()
        await eventually(lambda: len(seen) >= 10)
        assert monotonic() - start < 5

    play(made, many)


def test_a_wake_after_the_stop_does_nothing() -> None:
    made = metronome(lambda now: quiet())

    async def nothing() -> None:
        await eventually(lambda: made.status().turns >= 1)

    play(made, nothing)
    made.wake()
    assert made.status().failed_turns == 0


def test_a_turn_under_way_when_it_is_stopped_is_finished_without_a_complaint(caplog: Any) -> None:
    begun = threading.Event()

    def turn(now: datetime) -> SweepResult:
        begun.set()
        threading.Event().wait(0.3)  # nobody sets it: the store takes its time
        return quiet()

    made = metronome(turn)

    async def under_way() -> None:
        await eventually(begun.is_set)
        made.wake()  # one more stands behind it

    play(made, under_way)
    assert made.status().turns >= 1
    assert caplog.text == ""


def test_no_wake_is_lost_to_a_turn_that_is_just_ending() -> None:
    at: list[float] = []
    ends: SimpleQueue[bool] = SimpleQueue()

    def turn(now: datetime) -> SweepResult:
        at.append(monotonic())
        ends.put(True)
        return quiet(timedelta(milliseconds=1))

    made = metronome(turn)

    def wake_after_each_turn() -> None:
        while ends.get():
            made.wake()

    async def many() -> None:
        waker = asyncio.create_task(asyncio.to_thread(wake_after_each_turn))
        await eventually(lambda: len(at) >= 300)
        ends.put(False)
        await waker

    play(made, many)
    assert max(later - earlier for earlier, later in pairwise(at)) < 0.5
