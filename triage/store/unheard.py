"""EMERGENT cases without an owner whose pages no provider takes."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select

from triage.domain.canary import PREFIX as CANARY
from triage.store.rows import Cases, Page, table_of
from triage.store.session import Session

_CASES, _PAGE = table_of(Cases), table_of(Page)
_LISTED = (
    _CASES.c.state.not_in(("unopened", "closed")),
    or_(_CASES.c.lead_case_id.is_(None), _CASES.c.lead_case_id == _CASES.c.case_id),
    ~_CASES.c.referral.startswith(CANARY),
)


@dataclass(frozen=True, slots=True)
class UnheardCase:
    """`since`: when the oldest EMERGENT page was ordered after which none was taken. `failures`:
    attempts to send such pages that have ended; 0 = none has yet. `site`: the receiving one, if
    named."""

    case: str
    site: str | None
    since: datetime
    failures: int


@dataclass(frozen=True, slots=True)
class Emergency:
    """An open EMERGENT case as the call list has it. `owner`: the role that has answered."""

    case: str
    hospital: str
    destination: str | None
    received_at: datetime | None
    owner: str | None


class UnheardReads(Session):
    """Asked of pages and cases alone: what shows at the desk only counts as not taken."""

    def unheard(self) -> list[UnheardCase]:
        """Every such case, longest unheard first."""
        c, p, later = _CASES.c, _PAGE.c, _PAGE.alias()
        taken_since = (
            select(later.c.page)
            .where(
                later.c.case_id == p.case_id,
                later.c.is_emergent,
                later.c.status == "accepted",
                later.c.settled_at >= p.ordered_at,
            )
            .exists()
        )
        under_way = case((p.status == "sending", 1), else_=0)
        failures = func.sum(p.attempts - under_way)
        found = (
            select(c.case_id, c.destination, func.min(p.ordered_at), failures)
            .join(_PAGE, p.case_id == c.case_id)
            .where(
                c.is_emergent,
                c.state.not_in(("unopened", "closed")),
                c.unacknowledged_since.is_not(None),
                or_(c.lead_case_id.is_(None), c.lead_case_id == c.case_id),
                p.is_emergent,
                p.status.not_in(("accepted", "suppressed")),
                p.withdrawn.is_(None),
                ~taken_since,
            )
            .group_by(c.case_id, c.destination)
            .order_by(func.min(p.ordered_at), c.case_id)
        )
        return [UnheardCase(*row) for row in self._connection.execute(found)]

    def emergencies(self) -> list[Emergency]:
        """Every open EMERGENT case, in the order of the board; joined cases once."""
        c = _CASES.c
        answered = case((c.unacknowledged_since.is_(None), c.owner))
        chosen = select(c.case_id, c.hospital, c.destination, c.referral_received_at, answered)
        chosen = chosen.where(*_LISTED, c.is_emergent)
        found = chosen.order_by(c.next_due_at.asc().nulls_last(), c.case_id)
        return [Emergency(*row) for row in self._connection.execute(found)]

    def calmer_cases(self) -> int:
        """How many open cases are not EMERGENT; joined cases once."""
        counted = select(func.count()).select_from(_CASES).where(*_LISTED, ~_CASES.c.is_emergent)
        return int(self._connection.execute(counted).scalar_one())
