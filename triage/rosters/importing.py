"""A roster file from what a hospital has: another roster file, a table (CSV), a calendar (iCal)."""

import csv
import io
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import unified_diff
from pathlib import Path

from triage.domain.errors import TriageError
from triage.domain.roster.feeds import Feed
from triage.domain.roster.gaps import gap_words, gaps
from triage.domain.roster.roster import Override, Roster
from triage.domain.roster_file.reading import read_roster
from triage.domain.wall_time import wall_clock
from triage.rosters.ical_in import AHEAD, read_feed

COLUMNS = ("site", "role", "person", "from", "to")
_AHEAD = timedelta(days=14)
_BEGIN = "# imported shifts: this part is replaced by the next `triage roster import`\n"


class RefusedImport(TriageError):
    """The file may not become the roster; the roster in force stays. `what` says why."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """The roster file that would be in force, and the lines in which it differs from the old."""

    text: str
    roster: Roster
    diff: tuple[str, ...]


def propose(
    content: bytes,
    kind: str,
    old: str,
    roles: tuple[str, ...],
    *,
    now: datetime,
    post: str = "",
    new_zone: bool = False,
) -> Proposal:
    """What importing would come to; changes nothing. Raises RefusedImport or UnsoundRoster.

    `kind` is toml (a whole roster file), csv (shifts: site, role, person, from, to) or ics (the
    shifts of `post`, `<site>.<role>`). Shifts replace those imported before for the same posts.
    Refused: nothing in it, all of it over or far ahead, another zone of a site (unless `new_zone`),
    a gap in the next 14 days where the old roster has none.
    """
    before = read_roster(old) if old else None
    text = _whole(content) if kind == "toml" else _with_shifts(content, kind, old, now, post)
    roster = read_roster(text)
    if not roster.posts:
        raise RefusedImport("import: nobody serves in it", hint="an empty roster pages nobody")
    _refuse_wrong_year(roster, now)
    if before is not None and not new_zone:
        _refuse_zones(before, roster)
    _refuse_gaps(before, roster, roles, now)
    lines = unified_diff(old.splitlines(), text.splitlines(), "in force", "imported", lineterm="")
    return Proposal(text, roster, tuple(lines))


def put_in_force(file: Path, text: str) -> None:
    """Replace the roster file at once and whole, and keep the old one beside it (`.old`)."""
    if file.exists():
        file.with_suffix(file.suffix + ".old").write_bytes(file.read_bytes())
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=file.name)
    with os.fdopen(handle, "w", encoding="utf-8") as made:
        made.write(text)
        made.flush()
        os.fsync(made.fileno())
    Path(name).chmod(file.stat().st_mode if file.exists() else 0o640)
    Path(name).replace(file)


def _whole(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedImport("import: not UTF-8 text", hint="save it as UTF-8") from None


def _with_shifts(content: bytes, kind: str, old: str, now: datetime, post: str) -> str:
    base = read_roster(old)
    if kind == "csv":
        found = tuple(_rows(_whole(content), base))
    else:
        found = _calendar(content, base, now, post)
    if not found:
        raise RefusedImport("import: no shift in it", hint=f"columns: {', '.join(COLUMNS)}")
    _refuse_far(found, now)
    posts = {(each.site, each.role) for each in found}
    written, _, before = old.partition(_BEGIN)
    kept = [each for each in _imported(before, base) if (each.site, each.role) not in posts]
    shifts = sorted((*kept, *found), key=lambda each: (each.site, each.role, each.starts))
    return written.rstrip("\n") + "\n\n" + _BEGIN + "".join(_table(each, base) for each in shifts)


def _rows(text: str, base: Roster) -> Iterator[Override]:
    """Shifts of a table; its problems are told by line, those of their values by `read_roster`."""
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")))
    missing = [each for each in COLUMNS if each not in (reader.fieldnames or ())]
    if missing:
        raise RefusedImport(
            f"import: columns missing: {', '.join(missing)}", hint=f"it needs {', '.join(COLUMNS)}"
        )
    for row in reader:
        yield _row(row, reader.line_num, base)


def _row(row: Mapping[str, str | None], line: int, base: Roster) -> Override:
    said = {name: (row.get(name) or "").strip() for name in COLUMNS}
    site, person = said["site"] or base.default_site, said["person"]
    table = _written(site, said["role"], person, said["from"], said["to"])
    try:
        if site not in base.sites or person not in base.people:
            raise ValueError(f"unknown site or person: {site}, {person}")
        (found,) = read_roster(_frame(base, site, person) + table).overrides
    except (TriageError, ValueError) as error:
        raise RefusedImport(f"import: line {line}: {error}", hint="correct that line") from None
    return found


def _calendar(content: bytes, base: Roster, now: datetime, post: str) -> tuple[Override, ...]:
    site, _, role = post.rpartition(".")
    if site not in base.sites:
        hint = "say whose shifts these are: --post centre:NEURO.registrar"
        raise RefusedImport(f"post: {post or 'missing'}", hint=hint)
    return read_feed(content, Feed(name="import", site=site, role=role), base, now=now).overrides


def _imported(text: str, base: Roster) -> tuple[Override, ...]:
    """The shifts of an earlier import, which stand at the end of the file."""
    return base.overrides[-text.count("[[override]]") :] if "[[override]]" in text else ()


def _refuse_wrong_year(roster: Roster, now: datetime) -> None:
    if roster.rotas or roster.feeds:
        return
    _refuse_far(roster.overrides, now)


def _refuse_far(shifts: Iterable[Override], now: datetime) -> None:
    if not any(each.starts < now + AHEAD and now < each.ends for each in shifts):
        raise RefusedImport(
            "import: no shift in the next three months", hint="is it of another year?"
        )


def _refuse_zones(old: Roster, new: Roster) -> None:
    for site in old.sites.keys() & new.sites.keys():
        before, after = old.sites[site].zone.key, new.sites[site].zone.key
        if before != after:
            raise RefusedImport(
                f"import: zone of {site}: {after}, in force: {before}",
                hint="if the site has moved, say --new-zone",
            )


def _refuse_gaps(old: Roster | None, new: Roster, roles: tuple[str, ...], now: datetime) -> None:
    known = set(old.posts) if old else set()
    had = {(gap.site, gap.role) for gap in gaps(old, roles, now=now, within=_AHEAD)} if old else ()
    gone = [post for post in known - set(new.posts) if post[1] in roles]
    if gone:
        site, role = sorted(gone)[0]
        hint = "keep a [[rota]], an [[override]] or a [[feed]] for it"
        raise RefusedImport(f"import: nobody serves as {role} at {site} any more", hint=hint)
    fed = {(feed.site, feed.role) for feed in new.feeds}
    for gap in gaps(new, roles, now=now, within=_AHEAD):
        if (gap.site, gap.role) not in had and (gap.site, gap.role) not in fed:
            raise RefusedImport(
                f"import: {gap_words(gap, new)}", hint="fill that, or take the person's route on"
            )


def _table(each: Override, base: Roster) -> str:
    zone = base.sites[each.site].zone
    starts, ends = (wall_clock(at, zone) for at in (each.starts, each.ends))
    # In the hour that is there twice the wall clock does not tell which: an offset does.
    offset = [
        f"{local:%Y-%m-%dT%H:%M}" if _is_plain(at, local, base, each.site) else at.isoformat()
        for at, local in ((each.starts, starts), (each.ends, ends))
    ]
    return _written(each.site, each.role, each.person, offset[0], offset[1])


def _is_plain(at: datetime, local: datetime, base: Roster, site: str) -> bool:
    zone = base.sites[site].zone
    return local.replace(tzinfo=zone) == at  # never so in a doubled hour


def _written(site: str, role: str, person: str, starts: str, ends: str) -> str:
    values = {"site": site, "role": role, "person": person, "from": starts, "to": ends}
    lines = "".join(f'{name} = "{_escaped(value)}"\n' for name, value in values.items())
    return f'[[override]]\n{lines}reason = "imported"\n\n'


def _escaped(value: str) -> str:
    return "".join(each for each in value if each.isprintable() and each not in '"\\')


def _frame(base: Roster, site: str, person: str) -> str:
    """A roster of one site and person, to read one shift in."""
    zone = base.sites[site].zone.key
    return (
        f'version = 1\n[site."{site}"]\nzone = "{zone}"\n'
        f'[person."{person}"]\nname = "x"\nrole = "admin"\n'
    )
