"""A corrected event in place of an unreadable one; the clock starts when the bytes came."""

from triage.cli import context
from triage.clock import SystemClock
from triage.desks import build_desk
from triage.domain.errors import TriageError
from triage.domain.events import Actor, Sender, Side
from triage.handle import Incoming, Outcome, handle
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.intake.strict_json import UnreadableJson, read_json
from triage.intake.unreadable import Unreadable
from triage.store.records import QuarantineItem


def store_mapped(item: QuarantineItem, raw: bytes, by: Actor) -> Outcome:
    """Store the corrected event as its hospital's, received when the unreadable bytes came.

    Raises TriageError when it cannot be read either.
    """
    settings, store = context.settings(), context.store()
    decoded, desk = _decoded(item, raw), build_desk(settings, store)
    now = SystemClock().now()
    with store.begin() as tx:
        outcome = handle(tx, [decoded], desk, now=now)[0]
        tx.settle_quarantine([item.item_id], status="mapped", by=by.identity, at=now)
    return outcome


def _decoded(item: QuarantineItem, raw: bytes) -> Incoming:
    try:
        content = read_json(raw)
    except UnreadableJson as error:
        raise TriageError(f"event: {error}", hint="write one JSON object") from None
    source = content.get("source") if isinstance(content, dict) else None
    sender = Sender(side=Side.HOSPITAL, source=str(source))
    (decoded,) = decode(
        raw,
        headers={},
        door=Door(name="mapped", admits=sender),
        received_at=item.received_at,
        sent_at=None,
        origin=f"mapped:{item.item_id}",
    )
    if isinstance(decoded, Unreadable):
        raise TriageError(f"event: {decoded.reason}", hint="see docs/events.md")
    return decoded
