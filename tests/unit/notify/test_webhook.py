"""Webhooks to a real receiver on this machine: signature, key, and what each answer means."""

import asyncio
import base64
import json
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.fakes_notify import START, order
from tests.webhook_receiver import Receiver
from triage.clock import SystemClock
from triage.domain.paging import page_document
from triage.domain.roster.roster import Route
from triage.notify.routes import Accepted, Refused, SendResult, Unreachable
from triage.notify.webhook import WebhookRoute, webhook_client

KEY = b"a-key-of-this-test-only"


def document(attempt: int = 1) -> dict[str, Any]:
    return page_document(
        order(),
        attempt=attempt,
        possibly_doubled=False,
        url="https://triage.example/p/x",
        sent_at=START,
    )


def send(
    receiver: Receiver,
    *,
    secret: str | None = "env:DESK_SECRET",
    url: str | None = None,
    environment: dict[str, str] | None = None,
    times: int = 1,
    limit_seconds: float = 5.0,
) -> list[SendResult]:
    """What the route answers, for each of `times` attempts."""

    async def run() -> list[SendResult]:
        async with receiver.listening(), webhook_client() as client:
            address = url or f"http://{receiver.address}/pages"
            route = Route(name="desk", kind="webhook", url=address, secret=secret)
            known = {"DESK_SECRET": KEY.decode()} if environment is None else environment
            webhook = WebhookRoute(route, client, SystemClock(), known, limit_seconds=limit_seconds)
            return [await webhook.send(order(), document(n + 1)) for n in range(times)]

    return asyncio.run(run())


def test_a_receiver_can_verify_the_page_with_the_standard_library() -> None:
    receiver = Receiver()
    assert send(receiver) == [Accepted("HTTP 202")]
    (got,) = receiver.received
    assert got.request_line == "POST /pages HTTP/1.1"
    assert got.headers["content-type"] == "application/json"
    assert Webhook(KEY).verify(got.body, got.headers) == document()
    with pytest.raises(WebhookVerificationError):
        Webhook(b"another key").verify(got.body, got.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(KEY).verify(got.body.replace(b"EMERGENT", b"ROUTINE "), got.headers)


def test_a_secret_may_be_written_in_the_standard_form() -> None:
    receiver = Receiver()
    standard = "whsec_" + base64.b64encode(KEY).decode()
    assert send(receiver, secret=standard) == [Accepted("HTTP 202")]
    (got,) = receiver.received
    assert Webhook(standard).verify(got.body, got.headers)["page"] == order().page


def test_the_key_is_page_and_route_and_the_same_at_every_attempt() -> None:
    receiver = Receiver(status=503)
    send(receiver, times=3)
    assert {got.headers["webhook-id"] for got in receiver.received} == {f"{order().page}.desk"}
    assert [json.loads(got.body)["attempt"] for got in receiver.received] == [1, 2, 3]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_2xx_is_accepted(status: int) -> None:
    assert send(Receiver(status=status)) == [Accepted(f"HTTP {status}")]


@pytest.mark.parametrize("status", [500, 502, 503, 408, 425, 429])
def test_a_server_in_trouble_or_a_busy_one_is_unreachable(status: int) -> None:
    assert send(Receiver(status=status)) == [Unreachable(f"HTTP {status}")]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422])
def test_another_4xx_is_a_refusal(status: int) -> None:
    (answer,) = send(Receiver(status=status))
    assert answer == Refused("the receiver does not take it", f"HTTP {status}")


def test_a_redirect_is_not_followed() -> None:
    other = Receiver()
    receiver = Receiver(status=307, extra_header="location: /elsewhere\r\n")
    (answer,) = send(receiver)
    assert isinstance(answer, Refused)
    assert answer.provider_word == "HTTP 307"
    assert len(receiver.received) == 1
    assert other.received == []


def test_a_receiver_that_hangs_is_given_up_at_the_limit() -> None:
    receiver = Receiver(hangs=True)
    assert send(receiver, limit_seconds=0.1) == [Unreachable("no answer within 0.1 s")]
    assert len(receiver.received) == 1


def test_nobody_listening_is_unreachable_without_the_address() -> None:
    (answer,) = send(Receiver(), url="http://127.0.0.1:1/token")
    assert answer == Unreachable("no connection: ClientConnectorError")


@pytest.mark.parametrize(
    ("secret", "url", "environment", "told"),
    [
        ("env:DESK_SECRET", None, {}, "secret: env:DESK_SECRET is not set"),
        (None, None, {}, "secret: nothing is configured"),
        ("file:/nowhere/secret", None, {}, "secret: file:/nowhere/secret cannot be read"),
        ("whsec_###", None, {}, "secret: what follows whsec_ is not base64"),
        ("whsec_", None, {}, "secret: what follows whsec_ is not base64"),
        ("s", "env:URL", {}, "url: env:URL is not set"),
        ("s", "env:URL", {"URL": "desk/token"}, "url: is no http or https address"),
        ("s", "env:URL", {"URL": "ftp://desk/token"}, "url: is no http or https address"),
    ],
)
def test_a_route_that_is_not_set_up_refuses_and_says_what_is_missing(
    secret: str | None, url: str | None, environment: dict[str, str], told: str
) -> None:
    (answer,) = send(Receiver(), secret=secret, url=url, environment=environment)
    assert isinstance(answer, Refused)
    assert answer.reason.startswith(told)
    assert "token" not in answer.reason
