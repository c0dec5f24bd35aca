"""The benchmarks' own tools: what they measure with must itself be right."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from triage.proof.bench_audit import AuditOptions, bench_audit
from triage.proof.commit_rate import commit_rate
from triage.proof.kafka_node import free_ports
from triage.proof.ports import NoFreePort, free_port
from triage.proof.webhook_receiver import webhook_receiver


def test_a_port_that_was_given_is_not_given_again_before_somebody_can_listen_on_it() -> None:
    given = [port for _ in range(400) for port in free_ports(1)]
    assert len(set(given)) == len(given) == 400


def test_the_receiver_answers_and_notes_each_page_when_it_came() -> None:
    came: list[tuple[dict[str, Any], float]] = []

    async def send() -> list[int]:
        async with (
            webhook_receiver(lambda page, at: came.append((page, at))) as url,
            httpx.AsyncClient() as client,
        ):
            answers = [await client.post(url, json={"page": n}) for n in range(3)]
            together = await asyncio.gather(*(client.post(url, json={"page": n}) for n in (3, 4)))
            return [answer.status_code for answer in (*answers, *together)]

    began = time.perf_counter()
    assert asyncio.run(send()) == [200] * 5
    assert sorted(page["page"] for page, _ in came) == [0, 1, 2, 3, 4]
    assert all(began < at < time.perf_counter() for _, at in came)


def test_a_taken_port_gives_the_next_free_one() -> None:
    (wanted,) = free_ports(1)
    assert free_port("127.0.0.1", wanted) == wanted
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", wanted))
        taken.listen()
        assert free_port("127.0.0.1", wanted) > wanted


def test_no_port_at_all_is_said() -> None:
    with pytest.raises(NoFreePort, match="all taken"):
        free_port("192.0.2.1", 8000)  # an address that no machine has


@pytest.mark.postgres_real
def test_the_commit_baseline_counts_commits_that_are_in_the_table(fresh_postgres: str) -> None:
    libpq = make_url(fresh_postgres).set(drivername="postgresql").render_as_string(False)
    figure = commit_rate(libpq, 1)
    with psycopg.connect(libpq) as connection:
        row = connection.execute("SELECT count(*) FROM bench_commit").fetchone()
    assert row == (figure.samples,)
    assert figure.value > 0


@pytest.mark.postgres_real
@pytest.mark.timeout(180)
def test_a_copied_case_is_sound_and_a_planted_loss_among_copies_is_found(
    fresh_postgres: str, tell: Callable[[str], None]
) -> None:
    result = bench_audit(AuditOptions(database=fresh_postgres, cases=700))
    figures = {figure.name: figure.value for figure in result.figures}
    assert figures["planted losses found"] == 20
    assert figures["findings of nothing planted"] == 0
    tell(f"20 losses among 700 cases, slowest {figures['found after: slowest']:.1f} s")
