"""What a benchmark answers: figures beside their goals, and the machine and commit behind them."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value. `samples` = how many it stands on; `is_met` None = no goal is set."""

    name: str
    value: float
    unit: str
    samples: int
    goal: str = ""
    is_met: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchReport:
    """`notes` say what a reader must know to compare the figures with another run's."""

    bench: str
    machine: str
    commit: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()

    @property
    def meets_every_goal(self) -> bool:
        """No figure with a goal missed it."""
        return all(figure.is_met is not False for figure in self.figures)


def report(bench: str, figures: Sequence[Figure], notes: Sequence[str]) -> BenchReport:
    """A report of this machine and this checkout."""
    return BenchReport(
        bench=bench,
        machine=describe_machine(),
        commit=describe_commit(),
        figures=tuple(figures),
        notes=tuple(notes),
    )


def at_least(name: str, value: float, unit: str, goal: float, *, samples: int) -> Figure:
    """A figure that should be `goal` or more."""
    return Figure(
        name=name,
        value=value,
        unit=unit,
        samples=samples,
        goal=f">= {goal:,g}",
        is_met=value >= goal,
    )


def at_most(name: str, value: float, unit: str, goal: float, *, samples: int) -> Figure:
    """A figure that should be `goal` or less."""
    return Figure(
        name=name,
        value=value,
        unit=unit,
        samples=samples,
        goal=f"<= {goal:,g}",
        is_met=value <= goal,
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of the sample do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no sample to take a percentile of")
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(int(rank), 1) - 1]


def as_json(result: BenchReport) -> str:
    """The report as one JSON object."""
    return json.dumps({**asdict(result), "meets_every_goal": result.meets_every_goal})


def print_table(result: BenchReport, console: Console) -> None:
    """The report as one table."""
    table = Table(title=f"bench {result.bench}", title_justify="left")
    table.add_column("figure")
    for name in ("value", "unit", "goal", "samples"):
        table.add_column(name, justify="right")
    table.add_column("met")
    for figure in result.figures:
        met = {True: "yes", False: "NO", None: ""}[figure.is_met]
        value = f"{figure.value:,.0f}" if figure.value >= 100 else f"{figure.value:,.2f}"
        table.add_row(figure.name, value, figure.unit, figure.goal, f"{figure.samples:,}", met)
    console.print(table)
    console.print(f"{result.machine}; commit {result.commit}", soft_wrap=True, highlight=False)
    for note in result.notes:
        console.print(f"- {note}", soft_wrap=True, highlight=False)


def describe_machine() -> str:
    """Processor, cores, memory and Python: what figures depend on; no name, no address."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    )


def describe_commit() -> str:
    """The checkout's commit, marked when files differ from it; `unknown` outside a checkout."""
    commit = _git("rev-parse", "--short", "HEAD")
    if commit is None:
        return "unknown"
    return f"{commit} with changes" if _git("status", "--porcelain") else commit


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(_ROOT), *words], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown processor"
