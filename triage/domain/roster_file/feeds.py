"""The calendar feeds of a roster file."""

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import cast, get_args

from triage.domain.roster.feeds import Feed, NamedBy
from triage.domain.roster_file.entry import Entry
from triage.domain.roster_file.rotas import one_of
from triage.domain.roster_file.values import read_every, read_id, read_role, read_text

_ADDRESSES = ("https://", "http://", "env:", "file:")
_STALE_AFTER = timedelta(hours=24)


def feed_of(entry: Entry, sites: Collection[str], people: Collection[str]) -> Feed | None:
    """The feed of a `[[feed]]` table; None when it leads nowhere."""
    name = entry.needs("name", read_id)
    site = entry.needs("site", one_of("site", sites))
    role = entry.needs("role", read_role)
    url, file = entry.may_have("url", _read_url), entry.may_have("file", _read_file)
    named_by = entry.may_have("named_by", _read_named_by) or "summary"
    stale_after = entry.may_have("stale_after", read_every, _STALE_AFTER)
    called = entry.table("people")
    names = {said: called.may_have(said, one_of("person", people)) for said in called.names()}
    called.close()
    if (url is None) == (file is None):
        entry.note("url", "give either 'url' (an address) or 'file' (a path)")
    entry.close()
    if name is None or site is None or role is None:
        return None
    return Feed(
        name=name,
        site=site,
        role=role,
        url=url,
        file=file,
        named_by=named_by,
        people={said.casefold(): who for said, who in names.items() if who},
        stale_after=stale_after,
    )


def note_doubled(file: Entry, feeds: Iterable[Feed | None]) -> None:
    """Note two feeds of one name: their copies are kept under it."""
    names = [feed.name for feed in feeds if feed]
    for name in sorted({name for name in names if names.count(name) > 1}):
        file.note("feed", f"two feeds have one name: {name}")


def _read_url(value: object) -> str:
    text = read_text(value)
    if not text.startswith(_ADDRESSES):
        raise ValueError("is no address: write 'https://...', 'env:NAME' or 'file:/path'")
    return text


def _read_file(value: object) -> str:
    text = read_text(value)
    if not text.startswith("/"):
        raise ValueError(f"is no absolute path: {text!r}; write e.g. '/etc/triage/registrars.ics'")
    return text


def _read_named_by(value: object) -> NamedBy:
    allowed = get_args(NamedBy)
    if value not in allowed:
        raise ValueError(f"no part of an event: {value!r}; allowed: {', '.join(allowed)}")
    return cast(NamedBy, value)
