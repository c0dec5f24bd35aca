"""What a person does at a page or over the API, as an event like any other."""

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

import orjson

from triage.domain.events import Actor, read_actor
from triage.domain.instants import format_instant
from triage.domain.paging import PageId, read_page_id
from triage.handle import Outcome
from triage.rosters.answering import Answered, answer_roster_page, has_no_case
from triage.store.records import CaseRow
from triage.unread import acknowledge_unread
from triage.web.auth import Credential
from triage.web.parts import WebParts
from triage.web.problems import RefusalError
from triage.web.sight import paged_case, seen_case
from triage.web.submission import Taken, in_store, take
from triage.workflow.unread import answered_run

ACKNOWLEDGED = "page.acknowledged.v1"
_JSON = {"content-type": b"application/cloudevents+json"}
# Acts in which somebody has to answer for it: `by` is the token's person where it is left out.
_SIGNED = frozenset(
    {
        ACKNOWLEDGED,
        "treatment.decided.v1",
        "opinion.given.v1",
        "tier.set.v1",
        "case.closed.v1",
        "referral.cancelled.v1",
        "cases.joined.v1",
        "cases.parted.v1",
    }
)


async def find_case(parts: WebParts, credential: Credential, text: str) -> CaseRow:
    """A case in sight; RefusalError (404) otherwise."""
    return await in_store(parts, partial(_find_case, parts, credential, text))


async def act_on_case(
    parts: WebParts,
    credential: Credential,
    row: CaseRow,
    kind: str,
    data: Mapping[str, Any],
    *,
    time: object = None,
    event: str | None = None,
) -> Outcome:
    """Record one act on a case in sight. `time`: when it happened, RFC 3339; now when left out.

    An `event` id that came before is the same act: answered again, not done again.
    Raises RefusalError as `take` does.
    """
    if event is not None:
        time = await in_store(parts, partial(told_at, parts, credential.source, event))
    envelope = {
        "specversion": "1.0",
        "id": event or str(uuid.uuid4()),
        "source": credential.source,
        "type": kind,
        "time": time or format_instant(parts.clock.now()),
        "referral": row.referral,
        "datacontenttype": "application/json",
        "data": _signed(kind, data, credential),
    }
    taken: Taken = await take(parts, credential.sender, orjson.dumps(envelope), _JSON)
    return taken.outcomes[0]


async def acknowledge(
    parts: WebParts,
    credential: Credential,
    page: str,
    answer: Mapping[str, Any],
    *,
    event: str | None = None,
) -> dict[str, Any]:
    """Answer a page, of a case or of unread messages; gives the receipt. Raises RefusalError."""
    if answer.get("page", page) != page:
        raise RefusalError(
            400, "Another page", "`page` of the body is not the page of the address."
        )
    if answered_run(page) is not None:
        return await _acknowledge_unread(parts, credential, page, answer)
    if has_no_case(page):
        return await _answer_roster(parts, credential, page, answer)
    key = read_page_id(page)
    if key is None or not await in_store(parts, partial(_is_page, parts, page)):
        raise _unknown_page()
    row = await in_store(parts, partial(_find_paged, parts, credential, key.case))
    data = {**answer, "page": page}
    outcome = await act_on_case(parts, credential, row, ACKNOWLEDGED, data, event=event)
    return receipt(outcome)


def receipt(outcome: Outcome) -> dict[str, Any]:
    """The answer of contract section 5, with the reason when there was no effect."""
    return {
        "receipt": outcome.receipt,
        "case": outcome.case,
        "tier": outcome.tier.value if outcome.tier else None,
        "duplicate": outcome.duplicate,
        "effect": outcome.effect,
        "reason": outcome.reason,
        "unread": list(outcome.unread),
        "warnings": list(outcome.warnings),
    }


async def _acknowledge_unread(
    parts: WebParts, credential: Credential, page: str, answer: Mapping[str, Any]
) -> dict[str, Any]:
    if credential.is_hospital:
        raise _unknown_page()
    by = _answering(credential, answer)
    count = await in_store(parts, partial(_settle_unread, parts, page, by))
    if count is None:
        raise _unknown_page()
    return {"page": page, "taken_on": count}


async def _answer_roster(
    parts: WebParts, credential: Credential, page: str, answer: Mapping[str, Any]
) -> dict[str, Any]:
    if credential.is_hospital:
        raise _unknown_page()
    by = _answering(credential, answer)
    done = await in_store(parts, partial(_settle_roster, parts, page, by))
    if done is None:
        raise _unknown_page()
    return {"page": page, "effect": done.effect, "reason": done.reason}


def _settle_roster(parts: WebParts, page: str, by: Actor) -> Answered | None:
    with parts.store.begin() as tx:
        return answer_roster_page(tx, page, by, now=parts.clock.now())


def _answering(credential: Credential, answer: Mapping[str, Any]) -> Actor:
    given, known = read_actor(answer.get("by")), credential.actor
    if known is not None and given is not None and _contradicts(given, known):
        raise RefusalError(403, "Not yours to sign", "`by` contradicts the person of the token.")
    by = known or given
    if by is None or not by.is_named:
        raise RefusalError(
            400, "Nobody named", "Say in `by` which person takes this on: name, role."
        )
    return by


def _contradicts(given: Actor, known: Actor) -> bool:
    pairs = ((given.person, known.person), (given.role, known.role), (given.site, known.site))
    return any(said is not None and said != token for said, token in pairs)


def _settle_unread(parts: WebParts, page: str, by: Actor) -> int | None:
    with parts.store.begin() as tx:
        return acknowledge_unread(tx, page, by, now=parts.clock.now())


def _signed(kind: str, data: Mapping[str, Any], credential: Credential) -> dict[str, Any]:
    actor = credential.actor
    if kind not in _SIGNED or actor is None or data.get("by") is not None:
        return dict(data)
    return {**data, "by": actor_document(actor)}


def actor_document(actor: Actor) -> dict[str, str]:
    """`by` of the contract; what is not known is left out."""
    fields = {
        "person": actor.person,
        "name": actor.name,
        "role": actor.role,
        "site": actor.site,
    }
    return {key: value for key, value in fields.items() if value is not None}


def told_at(parts: WebParts, source: str, event: str) -> str | None:
    """When the event of this id happened, RFC 3339; None where none came. Blocks."""
    with parts.store.read() as reader:
        at = reader.occurred_at(source, event)
        return format_instant(at) if at else None


def _is_page(parts: WebParts, page: str) -> bool:
    with parts.store.read() as reader:
        return reader.page(PageId(page)) is not None


def _find_case(parts: WebParts, credential: Credential, text: str) -> CaseRow:
    with parts.store.read() as reader:
        return seen_case(reader, credential, parts.desk.roster, text)


def _find_paged(parts: WebParts, credential: Credential, case: str) -> CaseRow:
    with parts.store.read() as reader:
        return paged_case(reader, credential, parts.desk.roster, case)


def _unknown_page() -> RefusalError:
    return RefusalError(404, "No such page", "There is no page with this id that you may answer.")
