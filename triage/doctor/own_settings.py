"""Settings that are allowed and would still keep a page from its reader; and the disk."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from triage.doctor.finding import Check, ok, warning, wrong
from triage.settings import BadSettings, Settings

_USED_WARNING, _USED_WRONG = 0.85, 0.95  # of the disk
_LOCAL = ("127.0.0.1", "localhost", "::1", "0.0.0.0")  # noqa: S104 - looked for, not listened on


def bad_settings(error: BadSettings) -> Iterator[Check]:
    """Each wrong key by itself."""
    for problem in error.what.removeprefix("settings: ").split("; "):
        yield wrong("settings", problem, error.hint)


def settings_checks(settings: Settings) -> Iterator[Check]:
    """What the keys add up to."""
    yield ok("settings", "every key is known and has an allowed value")
    if settings.secret_key is None:
        yield wrong(
            "secret key",
            "TRIAGE_SECRET_KEY is not set: the role web does not start",
            "at least 32 characters, e.g. `openssl rand -hex 32`",
        )
    yield _public_url(settings.public_url)
    yield from _watchman(settings)


def _public_url(url: str) -> Check:
    parts = urlsplit(url)
    name = "public url"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return wrong(name, f"{url}: no web address", "set TRIAGE_PUBLIC_URL, e.g. https://...")
    if parts.hostname in _LOCAL:
        return warning(
            name,
            f"{url}: the links in pages open on this machine only",
            "set TRIAGE_PUBLIC_URL to the address that people reach",
        )
    if parts.scheme == "http":
        return warning(
            name, f"{url}: without TLS sessions can be read on the way", "serve it over https"
        )
    return ok(name, url)


def _watchman(settings: Settings) -> Iterator[Check]:
    route, name = settings.watch_route, "watchman"
    if route is None:
        yield warning(
            name,
            "TRIAGE_WATCH_ROUTE is not set: nobody alarms when all of this stands still",
            "set it, and run `triage run --role watch`",
        )
    elif route.startswith("file:"):
        yield warning(
            name, "it alarms into a file, which wakes nobody", "set TRIAGE_WATCH_ROUTE to a pager"
        )
    else:
        yield ok(name, f"has a route of its own ({route.partition(':')[0]})")
    if not settings.canary_seconds:
        yield warning(
            "canary",
            "TRIAGE_CANARY_SECONDS is 0: nothing tries the whole way of a page",
            "set it to 300",
        )
    if settings.deadman_url is None:
        yield warning(
            "dead-man",
            "TRIAGE_DEADMAN_URL is not set: a machine that dies whole tells nobody",
            "set it to an address of a service outside that alarms on silence",
        )


def disk_checks(home: Path) -> Iterator[Check]:
    """The folder of database file, inbox and call list. Looks, and writes nothing."""
    name = "disk"
    there = next(each for each in (home, *home.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield wrong(name, f"{home}: cannot be written", "check TRIAGE_HOME and its permissions")
        return
    yield disk_use(home, *shutil.disk_usage(there)[:2])


def disk_use(home: Path, total: int, used: int) -> Check:
    """Sizes in bytes."""
    share = used / total if total else 1.0
    words = f"{home}: {share:.0%} used"
    if share >= _USED_WRONG:
        return wrong(
            "disk", words, "make room: without it nothing is accepted and no page goes out"
        )
    if share >= _USED_WARNING:
        return warning("disk", words, "make room before it is full")
    return ok("disk", words)
