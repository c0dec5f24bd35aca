"""docs/events.md and the examples of docs/policy.md, run: what is shown is what happens."""

import asyncio
import json
import re
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from tests.documents import DOCS, fenced, table, ticked
from tests.scenarios.house import House
from tests.webhook_receiver import Received, Receiver
from triage.domain.authority import (
    FIRST_TIME_MILESTONES,
    MAY_SEND,
    MILESTONE_SIDES,
    OUR_MILESTONES,
)
from triage.domain.events import OURS, CaseId, EventType, Sender, Side
from triage.domain.paging import PageOrder, page_document
from triage.domain.roster.roster import Route
from triage.domain.roster_file.reading import read_roster
from triage.handle import Incoming, Outcome
from triage.intake.classify_line import classify_line
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.intake.unreadable import Unreadable
from triage.notify.receipts import SOURCE
from triage.notify.routes import Accepted
from triage.notify.webhook import WebhookRoute, webhook_client
from triage.policies.load import FILES, load_policy_book
from triage.policies.shipped import shipped_texts
from triage.web import api, health
from triage.web.acts import receipt
from triage.web.submission import refusal

CONFIGURATION, EVENTS, POLICY = (DOCS / f"{n}.md" for n in ("configuration", "events", "policy"))
REFERRAL, CASE = "hospital:RX1/2026-004711", "BF2T-5B1F-ZGDY"
SIGNED_AT = datetime(2026, 3, 10, 8, 7, 1, tzinfo=UTC)


def documented_roster() -> str:
    (text,) = fenced(CONFIGURATION, "toml")
    return text


def blocks() -> list[dict[str, Any]]:
    return [json.loads(block) for block in fenced(EVENTS, "json")]


def documented_events() -> list[dict[str, Any]]:
    return [each for each in blocks() if "specversion" in each]


def sender_of(event: Mapping[str, Any]) -> Sender:
    sides = {"hospital": Side.HOSPITAL, "centre": Side.CENTRE, "triage": Side.PROVIDER}
    return Sender(side=sides[event["source"].partition(":")[0]], source=event["source"])


def decoded(event: Mapping[str, Any]) -> Incoming | Unreadable:
    received_at = datetime.fromisoformat(event["time"]).astimezone(UTC) + timedelta(seconds=1)
    (found,) = decode(
        orjson.dumps(event),
        headers={},
        door=Door(name="http", admits=sender_of(event)),
        received_at=received_at,
        sent_at=None,
        origin="docs",
    )
    return found


class Story:
    """The documented events in order of their time, each received a second after it happened."""

    def __init__(self) -> None:
        self.house = House(read_roster(documented_roster()))
        self.outcomes: dict[str, Outcome] = {}
        for event in sorted(documented_events(), key=lambda each: str(each["time"])):
            incoming = decoded(event)
            assert isinstance(incoming, Incoming), f"{event['id']}: {incoming.reason}"
            now = incoming.event.received_at
            (self.outcomes[event["id"]],) = self.house.receive([incoming.event], now)

    def document(self) -> dict[str, Any]:
        found = self.house.document(CaseId(CASE))
        assert found
        return found

    def ladder_page(self) -> PageOrder:
        """The registrar's first page."""
        return next(sent.order for sent in self.house.sent if sent.order.role == "registrar")


@pytest.fixture(scope="module")
def story() -> Story:
    return Story()


def test_the_page_that_is_shown_is_the_one_that_was_sent(story: Story) -> None:
    text, page = EVENTS.read_text(), story.ladder_page().page
    shown = set(re.findall(rf"{CASE}\.acknowledgement\.\w+\.\d\.\d\.\w+", text))
    assert shown == {page}
    assert SOURCE in {event["source"] for event in documented_events()}


def test_every_type_is_documented_with_who_may_send_it() -> None:
    told = {
        ticked(kind)[0]: set(by.split()) for kind, by, _ in table(EVENTS, "## Who may send what")
    }
    assert told == {kind.value: {side.value for side in sides} for kind, sides in MAY_SEND.items()}


def test_every_type_that_can_be_sent_has_an_example() -> None:
    shown = [event["type"] for event in documented_events()]
    assert sorted(shown) == sorted(set(EventType) - OURS)


def test_every_example_has_effect_and_is_understood(story: Story) -> None:
    odd = {
        name: (each.reason, each.unread, each.warnings)
        for name, each in story.outcomes.items()
        if not each.effect or each.reason or each.unread or each.warnings
    }
    assert odd == {
        "e-0005": ("provisional: the centre must close the case", (), ()),
        "a-0010": (None, (), ("noted; data.from does not own the case: nobody is asked",)),
    }
    assert {outcome.case for outcome in story.outcomes.values()} == {CASE}


def test_the_story_ends_in_a_closed_case(story: Story) -> None:
    document = story.document()
    assert (document["referral"], document["state"]) == (REFERRAL, "closed")
    assert document["milestones"]["knife_to_skin"]["at"] == "2026-03-10T12:12:00+00:00"
    assert [step["tier"] for step in document["tier_history"]] == ["EMERGENT", "URGENT"]


def test_the_answer_that_is_shown_is_the_answer(story: Story) -> None:
    (shown,) = (each for each in blocks() if "receipt" in each)
    assert shown == receipt(story.outcomes["e-0001"])


def test_the_refusal_that_is_shown_is_the_refusal() -> None:
    (shown,) = (each for each in blocks() if "errors" in each)
    wrong = decoded(documented_events()[0] | {"type": "referral.submitted.v9"})
    assert isinstance(wrong, Unreadable)
    assert shown == json.loads(bytes(refusal([wrong]).response().body))


def test_every_member_of_a_receipt_a_page_and_a_case_is_explained(story: Story) -> None:
    page = page_document(
        story.ladder_page(), attempt=1, possibly_doubled=False, url="", sent_at=None
    )
    for heading, document in (
        ("## Answers", receipt(story.outcomes["e-0001"])),
        ("## Pages", page),
        ("## Cases", story.document()),
    ):
        told = {name for row in table(EVENTS, heading) for name in ticked(row[0])}
        assert told | {"reason"} == document.keys() | {"reason"}, heading


def test_every_http_path_is_told() -> None:
    told = {each.split("?")[0] for row in table(EVENTS, "## HTTP") for each in ticked(row[0])}
    routes = [*api.router.routes, *health.router.routes]
    real = {f"{next(iter(route.methods))} {route.path}" for route in routes}  # type: ignore[attr-defined]
    assert told == real | {"GET /api/openapi.json"}


def test_milestones_are_told_with_the_sides_that_record_them() -> None:
    told = {who: set(ticked(names)) for who, names in table(EVENTS, "## Milestones")}
    assert told.pop("ours") == set(OUR_MILESTONES)
    by_side = {name: set(who.split()) for who, names in told.items() for name in names}
    assert by_side == {name: {s.value for s in sides} for name, sides in MILESTONE_SIDES.items()}


def test_first_time_milestones_are_told() -> None:
    (told,) = (part for part in EVENTS.read_text().split("\n\n") if "First-time" in part)
    assert set(ticked(told)) == FIRST_TIME_MILESTONES


class StandingClock:
    def now(self) -> datetime:
        return SIGNED_AT


def delivered(story: Story, secret: str) -> Received:
    """What a receiver of webhooks gets for the page of the story."""
    receiver = Receiver()

    async def send() -> object:
        async with receiver.listening(), webhook_client() as client:
            address = f"http://{receiver.address}/pages"
            route = Route(name="desk", kind="webhook", url=address, secret=secret)
            webhook = WebhookRoute(route, client, StandingClock(), {})
            return await webhook.send(story.ladder_page(), {"type": "page.v1"})

    assert isinstance(asyncio.run(send()), Accepted)
    return receiver.received[0]


@pytest.mark.parametrize("secret", ["a secret of this test", "whsec_YSBzZWNyZXQ="])
def test_the_verification_that_is_shown_tells_genuine_from_forged(
    story: Story, secret: str
) -> None:
    (source,) = fenced(EVENTS, "python")
    shown: dict[str, Any] = {}
    exec(compile(source, "docs/events.md", "exec"), shown)
    is_genuine = shown["is_genuine"]
    got, now = delivered(story, secret), SIGNED_AT.timestamp()

    assert is_genuine(secret, got.headers, got.body, now)
    assert not is_genuine(secret, got.headers, got.body + b" ", now)
    assert not is_genuine("another secret", got.headers, got.body, now)
    assert not is_genuine(secret, got.headers, got.body, now + 301)
    assert not is_genuine(secret, got.headers | {"webhook-id": "other"}, got.body, now)


def test_classify_answers_as_the_policy_page_shows() -> None:
    (block,) = fenced(POLICY, "json")
    sent, answered = block.splitlines()
    book = load_policy_book(shipped_texts())
    found = classify_line(sent.encode(), 1, book)
    assert found
    assert json.loads(answered) == json.loads(orjson.dumps(found[0])) | {
        "policy": json.loads(answered)["policy"]
    }
    assert json.loads(answered)["policy"].endswith("-draft") == book.is_draft


def test_the_rule_that_is_shown_is_in_the_book() -> None:
    (shown,) = tomllib.loads(fenced(POLICY, "toml")[0])["rule"]
    rules = tomllib.loads(shipped_texts()["tiers.toml"])["rule"]
    (real,) = (rule for rule in rules if rule["id"] == shown["id"])
    assert {key: real[key] for key in ("tier", "kind", "source")} == {
        key: shown[key] for key in ("tier", "kind", "source")
    }
    assert shown["rows"][0]["when"] in [row["when"] for row in real["rows"]]


def test_every_file_of_the_book_is_explained() -> None:
    told = [name for row in table(POLICY, "# The policy book") for name in ticked(row[0])]
    assert sorted(told) == sorted(FILES)
