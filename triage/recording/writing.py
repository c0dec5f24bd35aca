"""What one transaction writes: journal, case logs with their chains, cases, pages, outbox."""

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import orjson

from triage.domain.canary import ROUTE as CANARY_ROUTE
from triage.domain.case import CaseState
from triage.domain.chain import link_hash
from triage.domain.events import Event
from triage.domain.legs import completed_legs, current_leg
from triage.domain.paging import PageId, PageOrder, page_document
from triage.domain.tiers import Tier
from triage.recording.holding import Held
from triage.recording.ledger import Folded, Ledger
from triage.recording.ordering import pages_ordered
from triage.store.records import CaseRow, CompletedLeg, JournalEntry, LogRow, OutboxRow
from triage.workflow.document import case_document

CASES_TOPIC = "triage.cases.v1"
PAGES_TOPIC = "triage.pages.v1"
_HEAD_PREFIX = "sha256:"
_END = re.compile(rf',"version":[0-9]+,"head":"{_HEAD_PREFIX}[0-9a-f]*"\}}\Z')
_END_LENGTH = 200
_WAKE_WITHIN = timedelta(seconds=2)  # further ahead the sweep's own turn is soon enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One decoded event and the bytes it came in. `origin` says where exactly it was read."""

    event: Event
    raw: bytes
    door: str
    origin: str


def write_journal(ledger: Ledger, incoming: Sequence[Incoming]) -> None:
    """Every event that is new, byte for byte, with what it did."""
    ledger.tx.journal([_entry(ledger, item) for item in incoming])


def _entry(ledger: Ledger, item: Incoming) -> JournalEntry:
    event, verdict = item.event, ledger.verdict(item.event)
    return JournalEntry(
        source=event.source,
        event_id=event.id,
        content_hash=event.content_hash,
        type=event.type.value,
        referral=event.referral,
        case_id=event.case,
        door=item.door,
        origin=item.origin,
        raw=item.raw,
        occurred_at=event.occurred_at,
        sent_at=event.sent_at,
        received_at=event.received_at,
        effect=verdict.effect,
        reason=verdict.reason,
        event_document=ledger.held[event.case].text_of(event),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A folded case as rows; of the pages that it owes `orders` are new. `withdraws`: there may be
    others of it, which are to be withdrawn."""

    folded: Folded
    orders: tuple[PageOrder, ...]
    links: tuple[LogRow, ...]
    row: CaseRow
    legs: tuple[CompletedLeg, ...]
    withdraws: bool

    def fits(self, new: Container[PageId]) -> bool:
        """Those pages turned out to be new."""
        return all(order.page in new for order in self.orders)


def entry_of(each: Folded, new: Container[PageId], *, withdraws: bool = True) -> Entry:
    """What a case comes to, at the instant of its fold, where of its pages those are `new`."""
    orders = tuple(order for order in each.plan.orders if order.page in new)
    events = [*each.held.new, *_note(each, orders)]
    links = tuple(_links(each.held, events))
    row = case_row(each, links, each.case.as_of)
    legs, withdraws = tuple(_legs(each)), withdraws and each.held.stored is not None
    return Entry(folded=each, orders=orders, links=links, row=row, legs=legs, withdraws=withdraws)


def write_cases(ledger: Ledger, folded: Sequence[Folded], ready: Sequence[Entry] = ()) -> int:
    """Logs, rows, page orders and outbox of the cases, and of those that are `ready` already;
    gives the number of new pages."""
    tx = ledger.tx
    every = [*(each.folded for each in ready), *folded]
    hoped = [order for each in ready for order in each.orders]
    hoped += [order for each in folded for order in each.plan.orders]
    new = set(tx.order_pages(hoped, ledger.now))
    entries = [each if each.fits(new) else entry_of(each.folded, new) for each in ready]
    entries += [entry_of(each, new) for each in folded]
    noted = [(held, tuple(_links(held, held.new))) for held in ledger.noted]
    chains = [*((each.folded.held, each.links) for each in entries), *noted]
    tx.append_log([link for _, chain in chains for link in chain])
    for held, chain in chains:
        held.note(chain)
    tx.save_cases([each.row for each in entries] + [_noted(held, chain) for held, chain in noted])
    changed = [each.folded for each in entries if each.withdraws]
    owed = [order.page for each in changed for order in each.plan.orders]
    tx.withdraw_all_but([each.held.id for each in changed], owed)
    if ledger.desk.publishes:
        records = [_case_record(each.row) for each in entries if _is_shown(each)]
        told = (order for order in hoped if order.page in new)
        records += [page_record(order) for order in told if order.route_kind != CANARY_ROUTE]
        tx.outbox(records, ledger.now)
    tx.complete_legs([leg for each in entries for leg in each.legs])
    _wake(ledger, every, bool(new))
    return len(new)


def _is_shown(entry: Entry) -> bool:
    return entry.folded.case.state is not CaseState.UNOPENED


def _note(each: Folded, orders: Sequence[PageOrder]) -> list[Event]:
    """The new pages of a case as an event of its log: the chain holds every order."""
    stored = each.held.stored
    seq = (stored.last_seq if stored else 0) + len(each.held.new) + 1
    return [pages_ordered(each.case, orders, each.case.as_of, seq)] if orders else []


def _noted(held: Held, chain: Sequence[LogRow]) -> CaseRow:
    """The case as it stood, at the chain's new head."""
    row = held.row
    assert row is not None
    version, head = row.version + 1, chain[-1].hash
    return replace(row, version=version, head=head, document=_at(row.document, version, head))


def _at(document: str, version: int, head: str) -> str:
    """The document of a case at another version and head. They stand at its end, where we have
    written it: the rest of it, thousands of characters, need not be read."""
    found = _END.search(document, max(0, len(document) - _END_LENGTH))
    if found is not None:
        return f'{document[: found.start()]},"version":{version},"head":"{_HEAD_PREFIX}{head}"}}'
    return _text(orjson.loads(document) | {"version": version, "head": _HEAD_PREFIX + head})


def _links(held: Held, events: Iterable[Event]) -> Iterable[LogRow]:
    stored = held.stored
    seq, head = (stored.last_seq, stored.head) if stored else (0, "")
    for event in events:
        seq += 1
        document = held.text_of(event)
        link = link_hash(head, document)
        yield LogRow(
            case_id=held.id,
            seq=seq,
            source=event.source,
            event_id=event.id,
            content_hash=event.content_hash,
            received_at=event.received_at,
            document=document,
            previous_hash=head,
            hash=link,
        )
        head = link


def case_row(folded: Folded, chain: Sequence[LogRow], now: datetime) -> CaseRow:
    """The row of a case folded at `now`, at the end of its new links."""
    case, stored = folded.case, folded.held.stored
    old_head = stored.head if stored else ""
    head = chain[-1].hash if chain else old_head
    version = (stored.row.version if stored else 0) + (1 if chain else 0)
    next_due = folded.plan.next_due_at
    document = case_document(case, version=version, head=_HEAD_PREFIX + head, next_due_at=next_due)
    acknowledged = case.milestones.get("acknowledged")
    decompressed = case.milestones.get("decompression_complete")
    waiting = case.run is not None and case.acknowledgement is None
    return CaseRow(
        case_id=folded.held.id,
        referral=case.referral,
        hospital=case.hospital,
        state=case.state.value,
        tier=case.tier.value,
        owner=case.owner.role if case.owner else None,
        destination=case.destination,
        lead_case_id=folded.lead,
        version=version,
        head=head,
        next_due_at=next_due,
        is_emergent=case.tier is Tier.EMERGENT,
        document=_text(document),
        policy=case.policy,
        opened_at=case.opened_at,
        closed_at=case.closed_at,
        referral_received_at=case.opened_at,
        acknowledged_at=acknowledged.at if acknowledged else None,
        decided_at=case.decision_at,
        decompressed_at=decompressed.at if decompressed else None,
        folded_at=now,
        leg=current_leg(case),
        unacknowledged_since=case.run.started_at if case.run and waiting else None,
        deadlines=_text(
            [
                {"step": each.name, "due_at": each.due_at}
                for each in case.obligations
                if each.is_open
            ]
        ),
    )


def _legs(folded: Folded) -> Iterable[CompletedLeg]:
    case = folded.case
    if folded.lead not in (None, folded.held.id):
        return ()
    return [
        CompletedLeg(
            case_id=folded.held.id,
            leg=leg,
            tier=case.tier.value,
            hospital=case.hospital,
            seconds=seconds,
            completed_at=completed_at,
        )
        for leg, seconds, completed_at in completed_legs(case)
    ]


def _case_record(row: CaseRow) -> OutboxRow:
    return OutboxRow(topic=CASES_TOPIC, key=row.case_id, value=row.document.encode())


def page_record(order: PageOrder) -> OutboxRow:
    """The order as it is told on `triage.pages.v1`."""
    document = page_document(order, attempt=1, possibly_doubled=False, url="", sent_at=None)
    return OutboxRow(topic=PAGES_TOPIC, key=order.case or "", value=_text(document).encode())


def _wake(ledger: Ledger, folded: Sequence[Folded], new_pages: bool) -> None:
    if new_pages:
        ledger.tx.notify("page")
    dues = [each.plan.next_due_at for each in folded if each.plan.next_due_at]
    if dues and min(dues) - ledger.now <= _WAKE_WITHIN:
        ledger.tx.notify("due")


def _text(value: object) -> str:
    return orjson.dumps(value).decode()
