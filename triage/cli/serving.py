"""`triage run`, `triage migrate`."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from triage.bootstrap import ROLES, build
from triage.cli import context
from triage.domain.errors import TriageError
from triage.store.schema import schema_version, upgrade

# At each answer of the database its thread asks the event loop's for the interpreter, and waits
# this long while that is busy; with Python's 5 ms a transaction of 12 statements waits 60.
_SWITCH_SECONDS = 0.0005


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    app.command("run")(run)
    app.command("migrate")(migrate)


def run(
    role: Annotated[
        list[str] | None, typer.Option("--role", help=f"One of {', '.join(ROLES)}; all if absent.")
    ] = None,
) -> None:
    """Run the service until Ctrl-C or SIGTERM.

    Example: triage run --role consume --role escalate
    """
    for name in role or ():
        if name not in ROLES:
            raise TriageError(f"role: {name}", hint=f"allowed: {', '.join(ROLES)}")
    settings = context.settings()
    logging.basicConfig(
        level=settings.log_level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    service = build(settings, roles=role or ROLES)

    async def until_signalled() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await service.run(stop)

    _shorten_pauses()
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(until_signalled())


def _shorten_pauses() -> None:
    """A full collection looks through all that was imported, 100 to 200 ms in which no page goes
    out; what is there before the first case is left aside for good."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.collect()
    gc.freeze()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def migrate() -> None:
    """Bring the database of the settings to this version's schema; again changes nothing.

    Example: TRIAGE_DATABASE_URL=postgresql+psycopg://... triage migrate
    """
    settings = context.settings()
    if settings.database_url.startswith("sqlite"):
        settings.home.mkdir(parents=True, exist_ok=True)
    upgrade(settings.database_url)
    sys.stdout.write(f"schema {schema_version(settings.database_url)}\n")
