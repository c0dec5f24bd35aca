"""Pages through Apprise, to a receiver on this machine that speaks its JSON service."""

import asyncio
import json
import logging
from typing import Any

import pytest

from tests.fakes_notify import START, order
from tests.webhook_receiver import Receiver
from triage.domain.paging import page_document
from triage.domain.roster.roster import Route
from triage.notify.apprise_route import AppriseRoute
from triage.notify.quiet_log import quieten_senders
from triage.notify.routes import Accepted, Refused, SendResult, Unreachable


def document() -> dict[str, Any]:
    return page_document(
        order(),
        attempt=1,
        possibly_doubled=False,
        url="https://triage.example/p/x",
        sent_at=START,
    )


def send(
    receiver: Receiver, *, url: str = "env:SMS", limit_seconds: float = 5.0, known: str = ""
) -> SendResult:
    async def run() -> SendResult:
        async with receiver.listening():
            environment = {"SMS": known or f"json://{receiver.address}/token-of-the-desk"}
            route = Route(name="sms", kind="apprise", url=url)
            sms = AppriseRoute(route, environment, limit_seconds=limit_seconds)
            try:
                return await sms.send(order(), document())
            finally:
                sms.close()

    return asyncio.run(run())


def test_the_service_gets_title_and_text() -> None:
    receiver = Receiver(status=200)
    assert send(receiver) == Accepted("apprise")
    (got,) = receiver.received
    sent = json.loads(got.body)
    assert sent["title"] == "EMERGENT BF2T-5B1F-ZGDY: acknowledge"
    assert "Due: 2026-03-10 08:17 UTC" in sent["message"]


def test_a_service_that_says_no_is_tried_again() -> None:
    assert send(Receiver(status=500)) == Unreachable("the service did not take it")


def test_a_service_that_hangs_is_given_up_at_the_limit() -> None:
    answer = send(Receiver(hangs=True), limit_seconds=0.3)
    assert answer == Unreachable("no answer within 0.3 s")


@pytest.mark.parametrize(
    ("url", "known", "told"),
    [
        ("env:NOT_SET", "", "url: env:NOT_SET is not set"),
        ("env:SMS", "nonsense://x", "url: Apprise knows no such service or misses a part of it"),
        ("env:SMS", "just words", "url: Apprise knows no such service or misses a part of it"),
    ],
)
def test_a_route_that_is_not_set_up_refuses(url: str, known: str, told: str) -> None:
    assert send(Receiver(), url=url, known=known) == Refused(told)


def test_nothing_of_the_address_reaches_the_log() -> None:
    quieten_senders()
    told: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    root, keep = logging.getLogger(), Keep()
    level = root.level
    root.addHandler(keep)
    root.setLevel(logging.DEBUG)
    try:
        send(Receiver(status=500))
        send(Receiver(status=200))
        send(Receiver(), known="nonsense://token-of-the-desk")
        logging.getLogger("triage").info("the log itself works")
    finally:
        root.removeHandler(keep)
        root.setLevel(level)
    assert "the log itself works" in told
    assert not [line for line in told if "token-of-the-desk" in line]
