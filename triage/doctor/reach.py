"""Whether each provider can be reached: a connection is opened, with TLS where the address asks
for it, and closed again. Nothing is sent, and no address is shown: some hold a password."""

import socket
import ssl
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import certifi

from triage.doctor.finding import Check, ok, warning, wrong
from triage.domain.roster.roster import Roster
from triage.notify.secrets import Missing, resolve_reference
from triage.settings import Settings

CONNECT_SECONDS = 4.0
_AT_ONCE = 16
_WEB = {"http": 80, "https": 443}


def reach_checks(
    roster: Roster | None, settings: Settings, environment: Mapping[str, str]
) -> Iterator[Check]:
    """Every distinct address of the roster, the watchman's, and the one outside; all at once."""
    named = dict(_addresses(roster, environment)) if roster else {}
    if settings.watch_route and "://" in settings.watch_route:
        named["watchman's route"] = settings.watch_route
    if settings.deadman_url:
        named["dead-man"] = settings.deadman_url
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        distinct = list(set(named.values()))
        answers = dict(zip(distinct, threads.map(reached, distinct), strict=True))
    for name, address in named.items():
        yield _said(name, answers[address])


def _addresses(roster: Roster, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for person in roster.people.values():
        for route in person.routes:
            url = resolve_reference(route.url, environment)
            if route.kind != "inbox" and not isinstance(url, Missing):
                yield f"route {person.id}/{route.name}", url


def _said(name: str, answer: str | None) -> Check:
    if answer == "":
        return ok(name, "can be reached (nothing was sent)")
    if answer is None:
        hint = "send a test page (`triage roster check` tells which routes are proven)"
        return warning(name, "cannot be tried without sending", hint)
    return wrong(name, answer, "address, firewall, proxy or the provider's service")


def reached(url: str) -> str | None:
    """Empty when a connection came about, None when only a send would tell, else what failed."""
    try:
        place = _place(url)
    except ValueError:
        return "the address cannot be read"
    if not isinstance(place, tuple):
        return place
    host, port, is_tls = place
    try:
        with socket.create_connection((host, port), CONNECT_SECONDS) as plain:
            if is_tls:
                with _trust().wrap_socket(plain, server_hostname=host):
                    return ""
    except ssl.SSLCertVerificationError:
        return "its certificate is not trusted here"
    except TimeoutError:
        return f"no connection within {CONNECT_SECONDS:g} s"
    except OSError as error:
        return f"no connection: {type(error).__name__}"
    return ""


def _place(url: str) -> tuple[str, int, bool] | str | None:
    parts = urlsplit(url)
    if parts.scheme.lower() in _WEB:
        port = parts.port or _WEB[parts.scheme.lower()]
        if not parts.hostname:
            return "the address names no host"
        return parts.hostname, port, parts.scheme.lower() == "https"
    return _apprise_place(url)


def _apprise_place(url: str) -> tuple[str, int, bool] | str | None:
    """Where a service of Apprise posts to, if it says so before it sends."""
    from apprise import Apprise

    service = Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        return "Apprise knows no such service or misses a part of it"
    fixed = urlsplit(str(getattr(service, "notify_url", "") or ""))
    if fixed.scheme in _WEB and fixed.hostname and "{" not in fixed.hostname:
        return fixed.hostname, fixed.port or _WEB[fixed.scheme], fixed.scheme == "https"
    host, port = getattr(service, "host", None), getattr(service, "port", None)
    if isinstance(host, str) and host and isinstance(port, int):
        return host, port, False
    if isinstance(host, str) and host and url.partition(":")[0] in ("json", "jsons"):
        is_tls = url.startswith("jsons")
        return host, _WEB["https" if is_tls else "http"], is_tls
    return None


def _trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
