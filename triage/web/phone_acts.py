"""What a telephone brings, as events: a named person's answer, and a provider's receipt."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from triage.domain.events import Actor, EventType, Sender, Side
from triage.domain.instants import format_instant
from triage.domain.paging import ACKNOWLEDGEMENT, PageId, PageOrder
from triage.domain.roster.roster import Person
from triage.domain.tiers import Tier
from triage.store.records import CaseRow, PageRow
from triage.web.acts import acknowledge, told_at
from triage.web.auth import Credential, sender_of
from triage.web.parts import WebParts
from triage.web.problems import RefusalError
from triage.web.provider_door import CallBack, people_at
from triage.web.settled import settled_words
from triage.web.submission import in_store, take

_JSON = {"content-type": b"application/cloudevents+json"}


@dataclass(frozen=True, slots=True)
class Paged:
    """A page, the person whose telephone it is, and why nobody needs to answer any more."""

    order: PageOrder
    person: Person | None
    settled: str
    is_emergent: bool

    @property
    def is_ladder(self) -> bool:
        """An answer takes the case on."""
        return self.order.obligation == ACKNOWLEDGEMENT

    @property
    def needs_proof(self) -> bool:
        """One key is too easily pressed to stop an EMERGENT ladder."""
        return self.is_ladder and self.is_emergent


async def paged(parts: WebParts, back: CallBack, page: str, number: str) -> Paged:
    """The page of a call-back. RefusalError (404) when there is none of that name."""
    return await in_store(parts, partial(_paged, parts, back, page, number))


async def answer(parts: WebParts, back: CallBack, page: Paged, word: str) -> str:
    """Record a person's answer; what it did, in a sentence to be said or written.

    The same message or call gives the same event, whatever it is asked for again.
    """
    person = page.person
    if person is None:
        return "This number is on nobody's routes. Telephone the desk."
    site = page.order.site
    actor = Actor(person=person.id, name=person.name, role=person.role, site=site)
    credential = Credential(sender_of(site, actor), f"provider:{back.provider}")
    try:
        result = await acknowledge(
            parts, credential, page.order.page, {"answer": word}, event=back.event(page.order.page)
        )
    except RefusalError as error:
        if error.status == 503:
            raise
        return f"Not recorded: {error.detail}"
    return said(result, page.order)


def said(result: dict[str, Any], order: PageOrder) -> str:
    """The confirmation, always with the case that it is about."""
    if "taken_on" in result:
        return f"Recorded: you have taken on {result['taken_on']} unread messages."
    about = f"case {order.case}" if order.case else "this page"
    if not result["effect"]:
        return f"Recorded for {about}, but without effect: {result['reason']}."
    return " ".join([f"Recorded for {about}.", *map(str, result.get("warnings", ()))])


async def receive(
    parts: WebParts, back: CallBack, page: PageOrder, route: str, status: str, word: str
) -> None:
    """A provider's receipt in the case log. A page of unread messages has no log."""
    if page.case is None:
        return
    source, event = f"provider:{back.provider}", _receipt_id(back, page, word)
    earlier = await in_store(parts, partial(told_at, parts, source, event))
    envelope = {
        "specversion": "1.0",
        "id": event,
        "source": source,
        "subject": page.page,
        "type": EventType.PAGE_RECEIPT.value,
        "time": earlier or format_instant(parts.clock.now()),
        "data": {
            "case": page.case,
            "page": page.page,
            "route": route,
            "status": status,
            "provider_word": word,
        },
    }
    sender = Sender(side=Side.PROVIDER, source=source)
    await take(parts, sender, orjson.dumps(envelope), _JSON)


async def has_answered(parts: WebParts, back: CallBack, page: PageOrder) -> bool:
    """Whether an answer came on this very message or call."""
    return (
        await in_store(parts, partial(told_at, parts, page.site, back.event(page.page))) is not None
    )


def _receipt_id(back: CallBack, page: PageOrder, word: str) -> str:
    return f"{back.event(page.page)}.{word.replace(' ', '-')}"


def _paged(parts: WebParts, back: CallBack, page: str, number: str) -> Paged:
    with parts.store.read() as reader:
        row = reader.page(PageId(page))
        if row is None:
            raise RefusalError(404, "No such page", "There is no page of this name.")
        case = reader.case(row.order.case) if row.order.case else None
    return paged_of(parts, back, row, case, number)


def paged_of(
    parts: WebParts, back: CallBack, row: PageRow, case: CaseRow | None, number: str
) -> Paged:
    """The page as it stands for whoever is reached at the number."""
    found = {person.id: person for person, _ in people_at(parts, back.provider, number)}
    only = next(iter(found.values())) if len(found) == 1 else None
    is_emergent = Tier.EMERGENT in (row.order.tier, case.tier if case else None)
    return Paged(
        order=row.order,
        person=found.get(row.order.person or "") or only,
        settled=settled_words(row, case),
        is_emergent=is_emergent,
    )
