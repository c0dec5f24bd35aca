"""Referrals found to be of one patient: they are joined, and parted where that was wrong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from triage.consumers.topics import ACTIONS
from triage.domain.case_id import case_id
from triage.proof.messages import envelope, structured
from triage.proof.people_and_places import CENTRE, member_of_staff
from triage.proof.simulate.story import HTTP, Message

_AGREED = ("nhs", "birth_date")
_TOO_LITTLE = 0.05  # of joinings, how many name one identifier only, and have no effect
_TWICE = 0.15
_AGAIN_WITHIN_HOURS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Joiner:
    """A coordinator of `site`, who parts again that `part` of what was joined."""

    luck: Random
    site: str = CENTRE
    part: float = 0.4
    by_http: float = 0.3

    def messages(
        self, referrals: Sequence[str], start: datetime, hours: float
    ) -> Iterator[Message]:
        """Two or three of these referrals joined within so many hours, and parted in as many."""
        luck = self.luck
        named = luck.sample(list(referrals), min(len(referrals), luck.choice((2, 2, 3))))
        by = {**member_of_staff("coordinator"), "site": self.site}
        data = {"cases": [case_id(each) for each in named], "by": by}
        agreed = _AGREED[:1] if luck.random() < _TOO_LITTLE else _AGREED
        at = self._later(start, hours)
        yield from self._sent(named[0], "cases.joined.v1", at, {**data, "agreed": list(agreed)})
        if luck.random() < self.part:
            at = self._later(at, hours)
            yield from self._sent(luck.choice(named), "cases.parted.v1", at, data)

    def _later(self, since: datetime, hours: float) -> datetime:
        return since + timedelta(seconds=round(self.luck.uniform(1, hours * 3600), 3))

    def _sent(
        self, referral: str, kind: str, at: datetime, data: dict[str, Any]
    ) -> Iterator[Message]:
        event = envelope(
            source=self.site,
            event_id=f"{kind}-{referral}",
            event_type=kind,
            time=at,
            data=data,
            referral=referral,
        )
        headers, value = structured(event)
        topic = HTTP if self.luck.random() < self.by_http else ACTIONS
        key = referral.encode()
        message = Message(
            at=at, topic=topic, key=key, headers=headers, value=value, source=self.site
        )
        yield message
        if self.luck.random() < _TWICE:
            yield replace(message, at=self._later(at, _AGAIN_WITHIN_HOURS))
