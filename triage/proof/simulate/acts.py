"""What people of the centre do, as events that leave after a while."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson

from triage.consumers.topics import ACTIONS
from triage.proof.messages import envelope, structured
from triage.proof.simulate.story import HTTP, Message, dice
from triage.proof.simulate.world import World

Send = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class Acts:
    """Writes events of the roster's own site and gives them to `send` when they are due."""

    world: World
    send: Send
    _read: dict[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)

    def plan(
        self,
        wait: timedelta,
        case: str,
        name: str,
        kind: str,
        data: Mapping[str, Any],
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """An event with the id `name`, unless it `is_wanted` no more by then."""

        def act() -> None:
            referral = self._referral(case) if is_wanted() else None
            if referral is not None:
                self.send(self._message(referral, name, kind, data))

        self.after(wait, act)

    def after(self, wait: timedelta, act: Callable[..., None], *given: Any) -> None:
        """Do something later."""
        asyncio.get_running_loop().call_later(wait.total_seconds(), act, *given)

    def document(self, case: str) -> Mapping[str, Any]:
        """The stored case; empty where there is none. Read again where it is another than before:
        whoever follows a case asks for it several times between two events."""
        row = self.world.raw.execute(
            "SELECT document FROM cases WHERE case_id = ?", (case,)
        ).fetchone()
        if row is None:
            return {}
        text, document = self._read.get(case, ("", {}))
        if text != row[0]:
            document = orjson.loads(row[0])
            self._read[case] = row[0], document
        return document

    def _message(self, referral: str, name: str, kind: str, data: Mapping[str, Any]) -> Message:
        world = self.world
        now, site = world.clock.now(), world.roster.default_site
        event = envelope(
            source=site,
            event_id=name,
            event_type=kind,
            time=now,
            data=_moved(data, site),
            referral=referral,
        )
        headers, value = structured(event)
        by_http = world.story.temper.by_http
        is_http = by_http > 0 and dice(world.story.seed, "way", name).random() < by_http
        return Message(
            at=now,
            topic=HTTP if is_http else ACTIONS,
            key=referral.encode(),
            headers=headers,
            value=value,
            source=site,
        )

    def _referral(self, case: str) -> str | None:
        row = self.world.raw.execute(
            "SELECT referral FROM cases WHERE case_id = ?", (case,)
        ).fetchone()
        return row[0] if row else None


def _moved(value: Any, site: str) -> Any:
    """The same with everybody at the roster's own site."""
    if isinstance(value, Mapping):
        return {key: site if key == "site" else _moved(each, site) for key, each in value.items()}
    return value
