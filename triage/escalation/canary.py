"""Sends a canary the whole way, door to provider's receipt, and says where one got stuck."""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from triage.domain.canary import SOURCE, canary_referral
from triage.domain.case_id import case_id
from triage.domain.errors import StoreUnavailable, TriageError
from triage.domain.events import CaseId, Sender, Side
from triage.domain.instants import format_instant
from triage.handle import Desk, Incoming, handle
from triage.intake.decode import decode
from triage.intake.door import Door
from triage.metrics.instruments import Instruments
from triage.store.reader import Reader
from triage.store.store import Store
from triage.workflow.house_notice import house_orders

LOOP = "canary"
LOOK_SECONDS = 5.0
NOTICE = "canary"
PATIENCE = timedelta(seconds=60)
_ROLE = "coordinator"
_RECEIPT = "page.receipt.v1"
_WORDS = {
    "door": "it was not taken in",
    "decide": "it was taken in and made no case",
    "order": "no page was ordered",
    "relay": "the page was not sent",
    "receipt": "the page was sent and its receipt not recorded",
}
_LOG = logging.getLogger(__name__)
# Hands over the referral's key and the event's bytes; raises TriageError when they are not taken.
Send = Callable[[str, bytes], None]


@dataclass(slots=True)
class Flight:
    """A canary that was sent."""

    case: CaseId
    sent_at: datetime
    is_back: bool = False
    told: str | None = None

    @property
    def is_judged(self) -> bool:
        """It came back, or it was told where it is stuck."""
        return self.is_back or self.told is not None


class Canary:
    """Synchronous, one turn at a time. Without Kafka it goes in as an event of this process."""

    def __init__(
        self,
        store: Store,
        desk: Desk,
        instruments: Instruments,
        *,
        seconds: float,
        send: Send | None = None,
    ) -> None:
        self._store, self._desk, self._instruments = store, desk, instruments
        self._every = timedelta(seconds=seconds)
        self._send = send
        self._flight: Flight | None = None
        self._last_at: datetime | None = None
        self._broken: str | None = None

    def turn(self, now: datetime) -> None:
        """Look after the canary that is under way; send the next when it is time.

        Raises StoreUnavailable.
        """
        self._last_at = self._last_at or now
        flight = self._flight
        if flight is not None and not flight.is_back:
            self._look(flight, now)
        if flight is None or (flight.is_judged and now - flight.sent_at >= self._every):
            self._flight = self._sent(now)
        self._instruments.canary((now - self._last_at).total_seconds(), self._broken)

    def _look(self, flight: Flight, now: datetime) -> None:
        with self._store.read() as reader:
            stage = stuck_at(reader, flight.case)
        if stage is None:
            flight.is_back, self._broken = True, None
            self._last_at = now
            with self._store.begin() as tx:
                tx.stamp(LOOP, now)
        elif now - flight.sent_at >= PATIENCE and flight.told != stage:
            flight.told = self._broken = stage
            _LOG.error("canary.stuck: %s", stage)
            self._tell(stage, now)

    def _tell(self, stage: str, now: datetime) -> None:
        """The coordinator, by the relay where it still works; the watchman where it does not."""
        orders = house_orders(
            notice=NOTICE,
            about=(stage, now.date().isoformat()),
            why=f"a test referral did not come through, stage {stage}: {_WORDS[stage]}",
            asked="run triage doctor; until then follow every case by hand",
            role=_ROLE,
            site=self._desk.roster.default_site,
            roster=self._desk.roster,
            policy=self._desk.books.current.version,
            now=now,
        )
        with self._store.begin() as tx:
            if tx.order_pages(list(orders), now):
                tx.notify("page")

    def _sent(self, now: datetime) -> Flight:
        name = uuid.uuid4().hex
        referral = canary_referral(name)
        value = canary_event(name, now)
        try:
            if self._send is not None:
                self._send(referral, value)
            else:
                self._take_in(value, now)
        except StoreUnavailable:
            raise
        except TriageError as error:
            _LOG.warning("canary.not_taken: %s", error.what)
        return Flight(case_id(referral), now)

    def _take_in(self, value: bytes, now: datetime) -> None:
        door = Door(name="http", admits=Sender(side=Side.HOSPITAL, source=SOURCE))
        found = decode(value, headers={}, door=door, received_at=now, sent_at=None, origin="canary")
        with self._store.begin() as tx:
            handle(tx, [each for each in found if isinstance(each, Incoming)], self._desk, now=now)


def canary_event(name: str, now: datetime) -> bytes:
    """A referral of which nothing is known: no patient, no finding."""
    subject = canary_referral(name).partition("/")[2]
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": name,
            "source": SOURCE,
            "subject": subject,
            "type": "referral.submitted.v1",
            "time": format_instant(now),
            "data": {"findings": {}},
        }
    )


def stuck_at(reader: Reader, case: CaseId) -> str | None:
    """The first stage that a canary has not passed; None when its receipt is in the log."""
    if not reader.journalled(case):
        return "door"
    if reader.case(case) is None:
        return "decide"
    pages = reader.pages(case)
    if not pages:
        return "order"
    if any(page.status != "accepted" for page in pages):
        return "relay"
    has_receipt = any(_RECEIPT in link.document for link in reader.log(case))
    return None if has_receipt else "receipt"
