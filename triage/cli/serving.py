"""`triage run`, `triage migrate`."""

import asyncio
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from triage.domain.errors import TriageError
from triage.settings import ROLES, WATCH, Settings, read_settings

# At each answer of the database its thread asks the event loop's for the interpreter, and waits
# this long while that is busy; with Python's 5 ms a transaction of 12 statements waits 60.
_SWITCH_SECONDS = 0.0005
# Python looks for garbage whenever there are so many objects more (700 if left alone), every time
# through more of what is kept; 5,000 cases worked out ahead are 240,000 objects.
_COLLECT_EVERY = 50_000
_THREADS_SECONDS = 1.0  # the service itself has taken up to seven by then
_LOG = logging.getLogger(__name__)


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    app.command("run")(run)
    app.command("migrate")(migrate)


def run(
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role",
            help=f"One of {', '.join(ROLES)}; all if absent. {WATCH}: by itself.",
        ),
    ] = None,
) -> None:
    """Run the service until Ctrl-C or SIGTERM.

    Example: triage run --role consume --role escalate
    """
    chosen = _roles(role)
    settings = read_settings(os.environ, dotenv=Path(".env"))
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)  # tells of its parts
    if chosen == (WATCH,):
        watch(settings)
    else:
        _serve(settings, chosen)


def _roles(given: Sequence[str] | None) -> tuple[str, ...]:
    """The roles to run; refuses unknown ones, and company for the watchman."""
    chosen = tuple(dict.fromkeys(given or ROLES))
    for name in chosen:
        if name not in (*ROLES, WATCH):
            raise TriageError(f"role: {name}", hint=f"allowed: {', '.join((*ROLES, WATCH))}")
    if WATCH in chosen and len(chosen) > 1:
        raise TriageError(
            f"role: {WATCH} with {', '.join(name for name in chosen if name != WATCH)}",
            hint="the watchman must not end with what it watches: start it by itself",
        )
    return chosen


def watch(settings: Settings) -> None:
    """The watchman until SIGTERM. What the service needs is not even imported."""
    from triage.clock import SystemClock
    from triage.escalation.watchman_port import listening
    from triage.escalation.watchman_start import build_watchman

    watchman, stop = build_watchman(settings), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with listening(settings.http_host, settings.http_port, watchman):
        watchman.run(stop, SystemClock(), time.monotonic)


def _serve(settings: Settings, roles: Sequence[str]) -> None:
    from triage.bootstrap import build

    service = build(settings, roles=roles)

    async def until_signalled() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await service.run(stop)

    _shorten_pauses()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(until_signalled())
    _leave_threads()


def _leave_threads() -> None:
    """Python waits at its end for every thread, and one that asks a database which hangs would keep
    the process for ever. What it has not committed is undone, as after any death of ours."""
    ends = time.monotonic() + _THREADS_SECONDS
    others = [each for each in threading.enumerate() if each is not threading.main_thread()]
    for each in (thread for thread in others if not thread.daemon):
        each.join(max(0.0, ends - time.monotonic()))
    left = [each.name for each in others if each.is_alive() and not each.daemon]
    if left:
        _LOG.error("service.threads_left: %s", ", ".join(left))
        logging.shutdown()
        os._exit(0)


def _shorten_pauses() -> None:
    """A full collection looks through all that was imported, 100 to 200 ms in which no page goes
    out; what is there before the first case is left aside for good, and what is worked out ahead of
    a burst is not looked through again and again while the burst is written."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_EVERY, 10, 10)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def migrate() -> None:
    """Bring the database of the settings to this version's schema; again changes nothing.

    Example: TRIAGE_DATABASE_URL=postgresql+psycopg://... triage migrate
    """
    from triage.store.schema import schema_version, upgrade

    settings = read_settings(os.environ, dotenv=Path(".env"))
    if settings.database_url.startswith("sqlite"):
        settings.home.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database_url)
    sys.stdout.write(f"schema {schema_version(settings.database_url)}\n")
