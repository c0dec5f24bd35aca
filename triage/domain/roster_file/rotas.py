"""The rotas and overrides of a roster file: who serves, in which role, at which site, when."""

from collections.abc import Callable, Collection, Mapping

from triage.domain.roster.roster import Override, Rota, Site
from triage.domain.roster_file.entry import Entry
from triage.domain.roster_file.values import (
    read_date,
    read_every,
    read_handover,
    read_role,
    read_text,
    read_wall,
    read_zone,
)


def rota_of(entry: Entry, sites: Collection[str], people: Collection[str]) -> Rota | None:
    """The rota of a `[[rota]]` table; None when it leads nowhere."""
    site = entry.needs("site", one_of("site", sites))
    role = entry.needs("role", read_role)
    serving = entry.needs("people", _some_of("person", people))
    every = entry.may_have("every", read_every)
    handover = entry.may_have("handover", read_handover)
    since = entry.may_have("since", read_date)
    if every is not None and (handover is None or since is None):
        entry.note("every", "turns cannot be counted: give 'handover' and 'since' too")
    entry.close()
    if site is None or role is None or serving is None:
        return None
    return Rota(site=site, role=role, people=serving, every=every, handover=handover, since=since)


def override_of(
    entry: Entry, sites: Mapping[str, Site | None], people: Collection[str]
) -> Override | None:
    """The override of an `[[override]]` table; its times are local to its site."""
    site_id = entry.needs("site", one_of("site", sites))
    role = entry.needs("role", read_role)
    person = entry.needs("person", one_of("person", people))
    site = sites.get(site_id or "")
    zone = site.zone if site else read_zone("UTC")
    starts = entry.needs("from", lambda value: read_wall(value, zone))
    ends = entry.needs("to", lambda value: read_wall(value, zone))
    reason = entry.may_have("reason", read_text, "no reason given")
    if starts and ends and ends <= starts:
        entry.note("to", "is not after 'from'")
    entry.close()
    if site_id is None or role is None or person is None or starts is None or ends is None:
        return None
    return Override(site=site_id, role=role, person=person, starts=starts, ends=ends, reason=reason)


def one_of(what: str, known: Collection[str]) -> Callable[[object], str]:
    """A reader of one name among those of the file."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            allowed = ", ".join(known) or "none yet"
            raise ValueError(f"unknown {what}: {value!r}; in this file: {allowed}")
        return value

    return read


def _some_of(what: str, known: Collection[str]) -> Callable[[object], tuple[str, ...]]:
    read_one = one_of(what, known)

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            raise ValueError(f"names nobody: {value!r}; write a list with at least one {what}")
        return tuple(read_one(each) for each in value)

    return read
