"""The people of a roster file, and the routes on which they are reached."""

from collections.abc import Mapping

from triage.domain.roster.roster import DESK_INBOX, Person, Route, RouteKind
from triage.domain.roster.telephone import Provider
from triage.domain.roster_file.contact import contact_rule
from triage.domain.roster_file.entry import Entry
from triage.domain.roster_file.providers import REFERENCES, read_number
from triage.domain.roster_file.values import read_date, read_id, read_role, read_text

_KINDS: Mapping[str, RouteKind] = {
    "inbox": "inbox",
    "webhook": "webhook",
    "apprise": "apprise",
    "sms": "sms",
    "voice": "voice",
    "webpush": "webpush",
}
TELEPHONE = ("sms", "voice")


def person_of(name: str, entry: Entry, providers: Mapping[str, Provider]) -> Person | None:
    """The person of a `[person.<id>]` table; None when a name or role is unusable."""
    entry.check_name(read_id, name)
    shown = entry.needs("name", read_text)
    role = entry.needs("role", read_role)
    routes = [_route(row, providers) for row in entry.rows("routes")]
    names = [route.name for route in routes if route]
    if len(set(names)) < len(names):
        entry.note("routes", f"two of them have one name: {', '.join(names)}")
    entry.close()
    if shown is None or role is None:
        return None
    sound = tuple(route for route in routes if route)
    return Person(id=name, name=shown, role=role, routes=sound)


def _route(entry: Entry, providers: Mapping[str, Provider]) -> Route | None:
    name = entry.needs("name", read_id)
    kind = entry.needs("kind", _read_kind)
    url = entry.may_have("url", read_text)
    secret = entry.may_have("secret", read_text)
    to = entry.may_have("to", read_number)
    provider = _provider(entry, kind, to, providers)
    proven_at = entry.may_have("proven_at", read_date)
    rule = contact_rule(entry)
    if name == DESK_INBOX:
        entry.note("name", f"is kept for the inbox of the desk: {name}; choose another")
    if kind == "webhook":
        _check_url(entry, url, schemes=("http://", "https://"))
        if secret is None:
            entry.note("secret", "is missing: a webhook is signed; write e.g. 'env:DESK_SECRET'")
    if kind == "apprise":
        _check_url(entry, url, schemes=())
    entry.close()
    if name is None or kind is None:
        return None
    return Route(
        name=name,
        kind=kind,
        url=url,
        secret=secret,
        to=to,
        provider=provider,
        proven_at=proven_at,
        rule=rule,
    )


def _provider(
    entry: Entry, kind: RouteKind | None, to: str | None, providers: Mapping[str, Provider]
) -> Provider | None:
    """The provider of a telephone's route: the one that is named, else the only one there is."""
    given = entry.may_have("provider", read_id)
    if kind not in TELEPHONE:
        return None
    if to is None:
        entry.note("to", "is missing: write the number, '+44...', or where it is kept: 'env:NAME'")
    if given is None and len(providers) == 1:
        return next(iter(providers.values()))
    if given not in providers:
        known = ", ".join(providers) or "none yet: write a table [provider.<name>]"
        entry.note("provider", f"is no provider of this file: {given!r}; there are: {known}")
    return providers.get(given or "")


def _check_url(entry: Entry, url: str | None, *, schemes: tuple[str, ...]) -> None:
    """Notes a missing or useless address; never shows it, since it may hold a secret."""
    if url is None:
        entry.note("url", "is missing: write the address, or where it is kept: 'env:NAME'")
    elif not url.startswith(REFERENCES) and not (
        url.startswith(schemes) if schemes else "://" in url
    ):
        kinds = " or ".join(schemes) or "<service>://"
        entry.note("url", f"is no address: write {kinds}..., 'env:NAME' or 'file:/path'")


def _read_kind(value: object) -> RouteKind:
    if not isinstance(value, str) or value not in _KINDS:
        raise ValueError(f"unknown kind of route: {value!r}; allowed: {', '.join(_KINDS)}")
    return _KINDS[value]
