"""Being woken by other processes: LISTEN on a connection of its own (PostgreSQL)."""

import logging
import threading
from collections.abc import Callable, Sequence

import psycopg

from triage.store.connection import store_url

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 0.5
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0


def listen(
    url: str,
    names: Sequence[str],
    callback: Callable[[str], None],
    stop: threading.Event,
) -> threading.Thread:
    """Call back with a name whenever another transaction commits `notify(name)`.

    Also once for each name after every connection, since hints may have been missed without it.
    The thread ends within half a second of `stop`; while the database is away it tries again.
    ValueError for SQLite, where all roles are one process: `Store.on_wake`.
    """
    thread = threading.Thread(
        target=_run, args=(_conninfo(url), names, callback, stop), name="listen", daemon=True
    )
    thread.start()
    return thread


def _conninfo(url: str) -> str:
    parsed = store_url(url)
    if parsed.get_backend_name() != "postgresql":
        raise ValueError("only PostgreSQL wakes other processes: use Store.on_wake")
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)


def _run(
    conninfo: str, names: Sequence[str], callback: Callable[[str], None], stop: threading.Event
) -> None:
    pause = _FIRST_PAUSE_SECONDS
    while not stop.is_set():
        try:
            with psycopg.connect(conninfo, autocommit=True, connect_timeout=5) as connection:
                pause = _FIRST_PAUSE_SECONDS
                _attend(connection, names, callback, stop)
        except psycopg.OperationalError as error:
            _LOG.warning("listen.lost: %s, next try in %.1f s", type(error).__name__, pause)
            stop.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _attend(
    connection: psycopg.Connection[tuple[object, ...]],
    names: Sequence[str],
    callback: Callable[[str], None],
    stop: threading.Event,
) -> None:
    for name in names:
        connection.execute(f"LISTEN triage_{name}".encode())
    for name in names:
        callback(name)
    while not stop.is_set():
        for notice in connection.notifies(timeout=_LOOK_SECONDS):
            callback(notice.channel.removeprefix("triage_"))
            if stop.is_set():
                return
