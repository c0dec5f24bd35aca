"""The call list: what a desk needs when everything else is down. No patient's data are in it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from triage.domain.roster.roster import Roster
from triage.store.reader import Reader

TEXT_FILE, HTML_FILE = "call-list.txt", "call-list.html"
_NOBODY = "NOBODY"


@dataclass(frozen=True, slots=True)
class OpenEmergency:
    """One open EMERGENT case. `owner`: the role that answered, None while nobody has."""

    case: str
    hospital: str
    site: str
    received: str
    owner: str | None


@dataclass(frozen=True, slots=True)
class Serving:
    """Who serves in a role at a site now."""

    site: str
    role: str
    name: str


@dataclass(frozen=True, slots=True)
class CallList:
    """Everything on it; `others` counts the calmer open cases. `desks`: site and telephone."""

    emergencies: tuple[OpenEmergency, ...]
    others: int
    serving: tuple[Serving, ...]
    desks: tuple[tuple[str, str], ...]


def call_list(
    reader: Reader, roster: Roster, roles: Sequence[str], now: datetime, *, others: int
) -> CallList:
    """The list as it is at `now`; `roles` are those that ladders page, in the book's order.

    `others`: `reader.calmer_cases()`, for which every open case is counted.
    """
    return CallList(
        emergencies=tuple(
            OpenEmergency(
                case=each.case,
                hospital=each.hospital,
                site=(site := roster.site_for(each.destination)[0]),
                received=_clock(roster, site, each.received_at),
                owner=each.owner,
            )
            for each in reader.emergencies()
        ),
        others=others,
        serving=tuple(_serving(roster, roles, now)),
        desks=tuple((s.id, s.desk or "no number in the roster") for s in roster.sites.values()),
    )


def _serving(roster: Roster, roles: Sequence[str], now: datetime) -> Iterator[Serving]:
    for site, role in roster.posts:
        if role in roles:
            person = roster.on_call(site, role, now).person
            yield Serving(site, role, person.name if person else _NOBODY)


def _clock(roster: Roster, site: str, at: datetime | None) -> str:
    if at is None:
        return ""
    return f"{at.astimezone(roster.sites[site].zone):%Y-%m-%d %H:%M %Z}"


def as_text(found: CallList, written: datetime) -> str:
    """For a terminal or a printer; `written` is when it was made."""
    lines = [
        f"CALL LIST, as of {_made(written)}",
        "If the service is down, work from this by telephone.",
    ]
    lines += ["", f"OPEN EMERGENT CASES: {len(found.emergencies)}"]
    for each in found.emergencies:
        owner = each.owner or f"{_NOBODY}: CALL NOW"
        lines.append(
            f"  {each.case}  from {each.hospital}  to {each.site}  received {each.received}"
            f"  owner {owner}"
        )
    lines += [f"Other open cases: {found.others}", "", "DESKS"]
    lines += [f"  {site}  {phone}" for site, phone in found.desks]
    lines += ["", "ON CALL NOW"]
    lines += [f"  {each.site}  {each.role:18} {each.name}" for each in found.serving]
    return "\n".join(lines) + "\n"


def as_html(found: CallList, written: datetime) -> str:
    """A page that prints and needs no other file."""
    cases = [
        (e.case, e.hospital, e.site, e.received, e.owner or f"{_NOBODY}: CALL NOW")
        for e in found.emergencies
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Call list</title>'
        '<link rel="icon" href="data:,">'
        "</head><body><h1>Call list</h1>"
        f"<p>As of {_made(written)}. If the service is down, work from this by telephone.</p>"
        f"<h2>Open EMERGENT cases: {len(cases)}</h2>"
        + _table(("Case", "From", "To", "Received", "Owner"), cases)
        + f"<p>Other open cases: {found.others}</p><h2>Desks</h2>"
        + _table(("Site", "Telephone"), found.desks)
        + "<h2>On call now</h2>"
        + _table(("Site", "Role", "Who"), [(e.site, e.role, e.name) for e in found.serving])
        + "</body></html>\n"
    )


def _made(written: datetime) -> str:
    return f"{written:%Y-%m-%d %H:%M:%S %Z}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f'<th scope="col">{escape(each)}</th>' for each in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(each)}</td>" for each in row) + "</tr>" for row in rows
    )
    head_and_body = f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody>"
    return f'<table border="1" cellpadding="4">{head_and_body}</table>'
