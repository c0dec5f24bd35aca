"""The board: open cases, most urgent first, as a template shows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from triage.domain.instants import parse_instant
from triage.domain.roster.roster import Roster
from triage.domain.tiers import Tier
from triage.recording.ledger import PolicyBooks
from triage.store.records import CaseRow
from triage.web.wall import Countdown, Moment, Wall, wait_words
from triage.web.window import Window, window_of
from triage.web.words import Wording, leg_words, plain, role_words, state_words, tier_key, tier_rank

NEAR = timedelta(minutes=15)  # how early a countdown is marked as near; colours only
ROWS = 300  # of a board; nobody reads further down
_FLAGS_SHOWN = 4
_LIKE_NHS_NUMBER = "subject_like_nhs_number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who owns the case. `until`: a promise that is not kept yet, None once it is.

    `asked`: who has been asked to take it over, empty when nobody. `leaves`: when the shift of an
    EMERGENT case's owner ends, where the roster knows it; `is_off`: it has ended. `is_sent_on`: the
    case has gone to another site than theirs instead.
    """

    name: str
    role: str
    until: Countdown | None
    asked: str
    leaves: Moment | None = None
    is_off: bool = False
    is_sent_on: bool = False

    @property
    def leaving(self) -> str:
        """What `leaves` is the instant of."""
        if self.is_sent_on:
            return "sent on to another site"
        return "off shift since" if self.is_off else "shift ends"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The next open obligation."""

    title: str
    at: Moment
    left: Countdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the board. `referral` is the sender's own number; empty where unfit to show.

    `assessed`: of when the reasons are; what they say of elapsed time has grown since.
    """

    case: str
    tier: str
    tier_key: str
    rules: str
    is_held: bool
    reasons: tuple[str, ...]
    flags: tuple[str, ...]
    more_flags: int
    hospital: str
    referral: str
    state: str
    leg: str
    owner: Owner | None
    waiting: str
    due: Due | None
    late: int
    causes: str
    window: Window | None
    received: Moment | None
    assessed: Moment | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One tier's open cases: all, those without an owner, and the oldest referral's age."""

    tier: str
    tier_key: str
    open: int
    unowned: int
    late: int
    oldest: str


@dataclass(frozen=True, slots=True)
class Board:
    """Tiles over the rows; a tile's number is the number of its tier's rows.

    `more`: how many calmer cases are left out of a long board; the tiles count them too.
    """

    tiles: tuple[Tile, ...]
    rows: tuple[Row, ...]
    more: int = 0


def board(
    cases: Sequence[CaseRow], books: PolicyBooks, wall: Wall, only: str | None = None
) -> Board:
    """The board of these cases; `only` keeps the rows of one tier (its `tier_key`).

    Of joined cases the leading one stands for all.
    """
    leading = [case for case in cases if case.lead_case_id in (None, case.case_id)]
    shown = sorted((c for c in leading if only in (None, tier_key(c.tier))), key=_urgency)
    rows = tuple(row(c, Wording(books.pinned(c.policy)), wall) for c in shown[:ROWS])
    return Board(tuple(_tiles(leading, wall)), rows, len(shown) - len(rows))


def row(case: CaseRow, wording: Wording, wall: Wall) -> Row:
    """One case as a line."""
    document = orjson.loads(case.document)
    flags = [wording.flag(name).name for name in document.get("flags", ())]
    owner = owner_view(document.get("owner"), wall)
    dues = _dues(case)
    return Row(
        case=case.case_id,
        tier=case.tier or "",
        tier_key=tier_key(case.tier),
        rules=" ".join(document.get("rules", ())),
        is_held=bool(document.get("held")),
        reasons=tuple(document.get("reasons", ())),
        flags=tuple(flags[:_FLAGS_SHOWN]),
        more_flags=max(len(flags) - _FLAGS_SHOWN, 0),
        hospital=case.hospital,
        referral=shown_referral(case, document),
        state=state_words(case.state),
        leg=leg_words(case.leg),
        owner=owner,
        waiting=_waiting(case, wall),
        due=_due(dues, wording, wall),
        late=sum(at < wall.now for at, _ in dues),
        causes=", ".join(_causes(document, wall)),
        window=window_of(document, wording.book, wall.now),
        received=wall.moment(case.referral_received_at),
        assessed=wall.moment(document.get("as_of")),
    )


def _causes(document: dict[str, Any], wall: Wall) -> Iterator[str]:
    """What delays the open obligations that are late, each cause once."""
    found: dict[str, None] = {}
    for each in document.get("obligations", ()):
        due_at = parse_instant(each["due_at"])
        is_open = not (each.get("met_at") or each.get("closed_at"))
        if is_open and each.get("cause") and due_at is not None and due_at < wall.now:
            found[plain(each["cause"])] = None
    yield from found


def owner_view(owner: dict[str, Any] | None, wall: Wall) -> Owner | None:
    """The owner of a case document."""
    if not owner:
        return None
    return Owner(
        name=owner.get("name") or owner.get("person") or "",
        role=role_words(owner.get("role")),
        until=wall.countdown(owner.get("until"), near=NEAR),
        asked=_asked(owner.get("asked") or {}),
        leaves=wall.moment(owner.get("shift_ends_at")),
        is_off=_is_past(owner.get("shift_ends_at"), wall),
        is_sent_on=bool(owner.get("sent_on")),
    )


def _is_past(text: str | None, wall: Wall) -> bool:
    at = parse_instant(text) if text else None
    return at is not None and at <= wall.now


def _asked(asked: dict[str, Any]) -> str:
    return asked.get("name") or role_words(asked.get("role"))


def shown_referral(case: CaseRow, document: dict[str, Any]) -> str:
    """The sender's number of the referral, unless it looks like an NHS number."""
    if _LIKE_NHS_NUMBER in document.get("notices", ()):
        return ""
    return case.referral.partition("/")[2]


def centre_words(roster: Roster, destination: str | None) -> str:
    """The receiving site, the default desk where none was named."""
    return roster.site_for(destination)[0]


def _waiting(case: CaseRow, wall: Wall) -> str:
    since = case.unacknowledged_since
    return wait_words(max(wall.now - since, timedelta())) if since else ""


def _urgency(case: CaseRow) -> tuple[int, bool, str, str]:
    """Tier, then cases without an owner, then what is due first."""
    dues = _dues(case)
    first = dues[0][0].isoformat() if dues else "9999"
    return (-tier_rank(case.tier), case.unacknowledged_since is None, first, case.case_id)


def _dues(case: CaseRow) -> list[tuple[datetime, str]]:
    found = [(parse_instant(each["due_at"]), each["step"]) for each in orjson.loads(case.deadlines)]
    return sorted((at, step) for at, step in found if at is not None)


def _due(dues: list[tuple[datetime, str]], wording: Wording, wall: Wall) -> Due | None:
    if not dues:
        return None
    at, step = dues[0]
    moment, left = wall.moment(at), wall.countdown(at, near=NEAR)
    assert moment is not None
    assert left is not None
    return Due(title=wording.obligation(step), at=moment, left=left)


def _tiles(cases: Sequence[CaseRow], wall: Wall) -> Iterator[Tile]:
    for tier in Tier:
        mine = [case for case in cases if case.tier == tier.value]
        starts = [case.referral_received_at for case in mine if case.referral_received_at]
        yield Tile(
            tier=tier.value,
            tier_key=tier_key(tier.value),
            open=len(mine),
            unowned=sum(case.owner is None for case in mine),
            late=sum(any(at < wall.now for at, _ in _dues(case)) for case in mine),
            oldest=wait_words(max(wall.now - min(starts), timedelta())) if starts else "",
        )
