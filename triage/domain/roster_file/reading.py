"""A roster file (TOML) as a Roster, or every reason why it may not go live."""

import tomllib
from collections.abc import Iterable
from datetime import date, time

from triage.domain.errors import UnsoundRoster
from triage.domain.paging import short_tag
from triage.domain.roster.roster import Roster, Site
from triage.domain.roster_file.entry import Entry
from triage.domain.roster_file.feeds import feed_of, note_doubled
from triage.domain.roster_file.people import person_of
from triage.domain.roster_file.providers import provider_of
from triage.domain.roster_file.rotas import override_of, rota_of
from triage.domain.roster_file.values import (
    read_closing,
    read_date,
    read_days,
    read_id,
    read_role,
    read_text,
    read_time,
    read_zone,
)

_FORMAT = 1
_HINT = "correct the places above, then run: triage roster check"


def read_roster(text: str) -> Roster:
    """The roster of a file's text. Raises UnsoundRoster that lists every problem with its place.

    `version` of the Roster tells two contents apart, e.g. `1+3f9c21ab`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnsoundRoster(f"roster: not TOML: {error}", hint=_HINT) from error
    problems: list[str] = []
    roster = _roster(Entry("", document, problems), version=f"{_FORMAT}+{short_tag(text)}")
    if roster is None or problems:
        raise UnsoundRoster("\n".join(problems), hint=_HINT)
    return roster


def _roster(file: Entry, *, version: str) -> Roster | None:
    file.needs("version", _read_format)
    sites = {name: _site(name, entry) for name, entry in file.tables("site")}
    named = {name: provider_of(name, entry) for name, entry in file.tables("provider")}
    providers = {name: provider for name, provider in named.items() if provider}
    people = {name: person_of(name, entry, providers) for name, entry in file.tables("person")}
    sound_sites = {name: site for name, site in sites.items() if site}
    rotas = [rota_of(entry, sites, people) for entry in file.rows("rota")]
    overrides = [override_of(entry, sites, people) for entry in file.rows("override")]
    feeds = [feed_of(entry, sites, people) for entry in file.rows("feed")]
    note_doubled(file, feeds)
    widen = _widen(file.table("widen"), sites)
    default = file.may_have("default_site", read_id, next(iter(sites), None))
    if not sites:
        file.note("site", 'is missing: name at least one, e.g. [site."centre:NEURO"]')
    elif default not in sites:
        file.note("default_site", f"is no site of this file: {default!r}; {_known(sites)}")
    elif len(sites) > 1:
        file.needs("default_site", read_id)
    file.close()
    return Roster(
        sites=sound_sites,
        people={name: person for name, person in people.items() if person},
        rotas=tuple(rota for rota in rotas if rota),
        overrides=tuple(override for override in overrides if override),
        widen=widen,
        default_site=default or "",
        version=version,
        feeds=tuple(feed for feed in feeds if feed),
        providers=providers,
    )


def _read_format(value: object) -> int:
    if value != _FORMAT or isinstance(value, bool):
        raise ValueError(f"unknown version of the file's form: {value!r}; allowed: {_FORMAT}")
    return _FORMAT


def _site(name: str, entry: Entry) -> Site | None:
    entry.check_name(read_id, name)
    zone = entry.needs("zone", read_zone)
    hours = entry.table("hours")
    days = hours.may_have("days", read_days, frozenset(range(5)))
    opens = hours.may_have("from", read_time, time(8))
    closes = hours.may_have("to", read_closing, time(17))
    if closes != time() and closes <= opens:
        hours.note("to", f"is not after 'from': {closes:%H:%M}; write '24:00' for midnight")
    hours.close()
    holidays = entry.may_have("holidays", _read_dates, frozenset[date]())
    desk = entry.may_have("desk", read_text)
    entry.close()
    if zone is None:
        return None
    return Site(
        id=name, zone=zone, days=days, opens=opens, closes=closes, holidays=holidays, desk=desk
    )


def _read_dates(value: object) -> frozenset[date]:
    if not isinstance(value, list):
        raise ValueError(f"no list of dates: {value!r}")
    return frozenset(read_date(day) for day in value)


def _widen(entry: Entry, sites: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found = {site: entry.may_have(site, _read_roles, ()) for site in sites}
    entry.close()
    return {site: roles for site, roles in found.items() if roles}


def _read_roles(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(f"no list of roles: {value!r}; leave the line out for the default")
    return tuple(read_role(role) for role in value)


def _known(sites: Iterable[str]) -> str:
    return f"allowed: {', '.join(sites)}"
