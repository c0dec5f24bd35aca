"""Referrals sent to the running service, and when the first page of each came back."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random
from typing import Any

from aiokafka import AIOKafkaProducer

from triage.clock import SystemClock
from triage.consumers.topics import REFERRALS
from triage.domain.case_id import case_id
from triage.domain.tiers import Tier
from triage.proof import presentations
from triage.proof.bench_services import Child, Services, role
from triage.proof.messages import envelope, structured
from triage.proof.people_and_places import hospitals, patient, referrer
from triage.proof.webhook_receiver import webhook_receiver

ROLES = ("consume", "escalate", "notify")
_GIVE_UP_SECONDS = 90
_ROSTER_ROLES = ("registrar", "coordinator", "consultant", "second_consultant", "site_manager")
# Presentations whose first page is owed at once; the calmer ones wait for working hours.
_PAGED_AT_ONCE = ("lost walking", "cauda equina", "weaker legs", "compressed, well", "unstable")
_HOSPITALS = hospitals(40)
_URGENT_PRESENTATIONS = [p for p in presentations.PRESENTATIONS if p.name in _PAGED_AT_ONCE]


@dataclass(slots=True)
class Arrivals:
    """When each case's referral was sent and its first page came, by `time.perf_counter()`."""

    sent: dict[str, float] = field(default_factory=dict)
    paged: dict[str, float] = field(default_factory=dict)
    emergent: set[str] = field(default_factory=set)

    def on_page(self, page: dict[str, Any], at: float) -> None:
        """Only a case's first page counts."""
        case = page.get("case")
        if case is None or case in self.paged:
            return
        self.paged[case] = at
        if page.get("tier") == Tier.EMERGENT:
            self.emergent.add(case)

    def waits(self, cases: Sequence[str], *, emergent_only: bool = False) -> list[float]:
        """Seconds from sending to the first page, of those cases that were paged."""
        chosen = [c for c in cases if c in self.paged]
        if emergent_only:
            chosen = [c for c in chosen if c in self.emergent]
        return [self.paged[c] - self.sent[c] for c in chosen]

    def missing(self, cases: Sequence[str]) -> int:
        """How many of these cases nobody has been paged for."""
        return sum(case not in self.paged for case in cases)


@dataclass(slots=True)
class Load:
    """Sends invented referrals and waits for their pages."""

    producer: AIOKafkaProducer
    arrivals: Arrivals
    children: Sequence[Child]
    dice: Random
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def send(self, number: int, *, rate: float | None) -> list[str]:
        """Case ids of `number` referrals, sent at `rate` a second (None: as fast as it goes)."""
        cases, began, sendings = [], time.perf_counter(), []
        for index in range(number):
            if rate is not None:
                wait = began + index / rate - time.perf_counter()
                await asyncio.sleep(max(wait, 0))
            key, headers, value = self._referral(SystemClock().now())
            case = case_id(key)
            self.arrivals.sent[case] = time.perf_counter()
            sendings.append(
                await self.producer.send(REFERRALS, value, key=key.encode(), headers=list(headers))
            )
            cases.append(str(case))
        await asyncio.gather(*sendings)
        return cases

    async def wait_for(self, cases: Sequence[str]) -> None:
        """Until each has its first page, or nothing has come for a long time."""
        deadline = time.perf_counter() + _GIVE_UP_SECONDS
        while self.arrivals.missing(cases) and time.perf_counter() < deadline:
            for child in self.children:
                child.refuse_if_ended()
            await asyncio.sleep(0.2)

    def _referral(self, now: datetime) -> tuple[str, tuple[tuple[str, bytes], ...], bytes]:
        dice, hospital = self.dice, self.dice.choice(_HOSPITALS)
        chosen = dice.choice(_URGENT_PRESENTATIONS)
        subject = f"bench-{next(self._numbers):07d}"
        data = {
            "referrer": referrer(dice, hospital),
            "patient": patient(dice, hospital),
            "findings": chosen.findings(dice, now),
            "note": chosen.note,
        }
        event = envelope(
            source=hospital.source,
            event_id=subject,
            event_type="referral.submitted.v1",
            time=now,
            data=data,
            subject=subject,
        )
        return f"{hospital.source}/{subject}", *structured(event)


@asynccontextmanager
async def running_service(
    under_test: Services, arrivals: Arrivals, *, seed: int
) -> AsyncIterator[Load]:
    """The roles that a page passes, each in a process of its own, paging into `arrivals`."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(webhook_receiver(arrivals.on_page))
        roster = under_test.home / "roster.toml"
        roster.write_text(_roster(url), encoding="utf-8")
        environment = under_test.environment(
            TRIAGE_ROSTER_FILE=str(roster), BENCH_SECRET=secrets.token_hex(32)
        )
        children = [stack.enter_context(role(under_test, name, environment)) for name in ROLES]
        for child in children:
            await asyncio.to_thread(child.wait_until_ready)
        producer = AIOKafkaProducer(
            bootstrap_servers=under_test.bootstrap.split(","), acks="all", linger_ms=0
        )
        await producer.start()
        stack.push_async_callback(producer.stop)
        yield Load(producer, arrivals, children, Random(seed))


def _roster(url: str) -> str:
    """Everybody is reached at the receiver; each role has one invented person."""
    people = "".join(
        f'[person.{role}]\nname = "Sample {role}"\nrole = "{role}"\n'
        f'routes = [{{ name = "desk", kind = "webhook", url = "{url}",'
        f' secret = "env:BENCH_SECRET" }}]\n'
        f'[[rota]]\nsite = "centre:NEURO"\nrole = "{role}"\npeople = ["{role}"]\n'
        for role in _ROSTER_ROLES
    )
    site = '[site."centre:NEURO"]\nzone = "UTC"\ndesk = "+44 1632 960100"\n'
    hours = 'hours = { days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], '
    return (
        f'version = 1\ndefault_site = "centre:NEURO"\n{site}{hours}'
        f'from = "00:00", to = "24:00" }}\n{people}'
    )
