"""Plays `main_path.toml` against the running service: each step through the door that it names."""

import json
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.process.installation import Installation, ask
from tests.process.receiving import Desk
from tests.process.topics import send
from tests.scenarios.checks import CHECKS, Seen, only
from tests.scenarios.script import EVENT_KEYS, SENDERS, Script, case_of
from triage.consumers.topics import ACTIONS, REFERRALS
from triage.domain.events import Event

SCENARIO = Path(__file__).with_name("main_path.toml")
SECONDS = 30
_STEP_KEYS = {"through", "then", *EVENT_KEYS, *SENDERS}


def read_path() -> list[dict[str, Any]]:
    """The steps, with every key checked: an expectation that is misspelt must not pass."""
    scenario = tomllib.loads(SCENARIO.read_text(encoding="utf-8"))
    only(scenario, {"title", "why", "step"}, SCENARIO.name)
    for number, step in enumerate(scenario["step"], start=1):
        only(step, _STEP_KEYS, f"step {number}")
        only(step["then"], set(CHECKS), f"step {number} then")
    return list(scenario["step"])


@dataclass(kw_only=True)
class Player:
    """`url` is where the role `web` answers, `token` the registrar's."""

    installation: Installation
    desk: Desk
    url: str
    token: str
    start: datetime = field(default_factory=lambda: datetime.now(UTC))
    _pages_read: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.script = Script(self.start)
        self.case = case_of("first")

    def play(self) -> None:
        for number, step in enumerate(read_path(), start=1):
            event = self.script.event(step, datetime.now(UTC), self.sent())
            assert event is not None
            self._doors()[step["through"]](event)
            self._look(step["then"], f"step {number}: {event.type.value}")

    def document(self) -> dict[str, Any]:
        """The case as the API shows it; `state` none while there is no such case."""
        answer = ask("GET", f"{self.url}/api/cases/{self.case}", headers=self._headers)
        return answer.json() if answer.is_success else {"state": "none"}

    def sent(self) -> list[Any]:
        """Pages of this case that arrived at the desk, as the checks of scenarios want them."""
        return [
            SimpleNamespace(order=SimpleNamespace(**page))
            for page in self.desk.pages()
            if page["case"] == self.case
        ]

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _doors(self) -> Mapping[str, Callable[[Event], None]]:
        return {"kafka": self._over_kafka, "http": self._over_http, "terminal": self._by_hand}

    def _over_kafka(self, event: Event) -> None:
        """The centre's systems have producers of their own; a hospital uses our command."""
        value = json.dumps(_envelope(event))
        if event.source.startswith("centre:"):
            send(self.installation.kafka, ACTIONS, event.referral.encode(), value.encode())
            return
        file = self.installation.home / f"{event.id}.json"
        file.write_text(value, encoding="utf-8")
        told = json.loads(self.installation.triage("submit", "--kafka", str(file)))
        assert told["topic"] == REFERRALS

    def _over_http(self, event: Event) -> None:
        page = event.data["page"]
        answer = ask(
            "POST",
            f"{self.url}/api/pages/{page}/acknowledge",
            json=dict(event.data),
            headers=self._headers,
        )
        assert answer.status_code == 202, answer.text
        assert answer.json()["effect"] is True, answer.text

    def _by_hand(self, event: Event) -> None:
        by, rest = event.data["by"]["person"], {k: v for k, v in event.data.items() if k != "by"}
        words = ("record", self.case, event.type.value, "--by", by, "--data", json.dumps(rest))
        assert "recorded" in self.installation.triage(*words)

    def _look(self, then: Mapping[str, Any], where: str) -> None:
        """Wait until all of it has come true, or fail with what was there instead."""
        deadline = time.monotonic() + SECONDS
        while problems := self._problems(then):
            assert time.monotonic() < deadline, "\n  ".join([where, *problems])
            time.sleep(0.1)
        self._pages_read = len(self.sent())

    def _problems(self, then: Mapping[str, Any]) -> list[str]:
        seen = Seen(self.document(), self.sent()[self._pages_read :], None, self.start)
        found = {key: CHECKS[key](seen, wanted) for key, wanted in then.items()}
        return [f"{key}: expected {then[key]!r}, was {was}" for key, was in found.items() if was]


def _envelope(event: Event) -> dict[str, Any]:
    source, _, subject = event.referral.partition("/")
    address = {"subject": subject} if source == event.source else {"referral": event.referral}
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type.value,
        "time": event.occurred_at.isoformat(),
        **address,
        "datacontenttype": "application/json",
        "data": dict(event.data),
    }
