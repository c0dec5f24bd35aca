"""`triage simulate`: a month for people, or a campaign of crashes, or one story played again."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from triage.books import load_books
from triage.domain.errors import TriageError
from triage.domain.roster_file.reading import read_roster
from triage.proof.bench_report import describe_commit
from triage.proof.simulate.campaign import Campaign, Judge, run_campaign
from triage.proof.simulate.checker import check
from triage.proof.simulate.make_story import random_story
from triage.proof.simulate.month_end import figures_and_check
from triage.proof.simulate.month_figures import MonthFigures
from triage.proof.simulate.month_page import month_page
from triage.proof.simulate.month_story import Month, month_story
from triage.proof.simulate.month_table import as_document, print_month
from triage.proof.simulate.run import run_story
from triage.proof.simulate.stopping import Stop, stoppable
from triage.proof.simulate.story_file import read_story, write_story
from triage.proof.simulate.verdict import Violation

DEFAULT_ROTA = Path(__file__).parents[1] / "demo_roster.toml"
_FILE_WIDTH = 110
_Tried = tuple[Path, Path | None]
_MADE_UP = (
    "Referrals, answers and providers are made up; rates are plausible and no measurements.",
    "Sweep, ladders, pages and deadlines are the production code, on a virtual clock.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOptions:
    """`against` is another rota (a file) or another policy (a folder)."""

    rota: Path | None
    policy: Path | None
    against: Path | None
    days: int
    cases: int
    seed: int
    html: Path | None
    wants_json: bool


def simulate_month(options: MonthOptions) -> int:
    """Print it; exit status 1 where an invariant was broken. Raises TriageError."""
    _refuse_odd(options)
    console = _console(options.wants_json)
    began = time.perf_counter()
    runs = _months(list(_tried(options)), options, console)
    months, broken = [run[0] for run in runs], [each for run in runs for each in run[1]]
    seconds = time.perf_counter() - began
    facts = (
        f"seed {options.seed}, commit {describe_commit()}, {seconds:.1f} s",
        *_MADE_UP,
    )
    if options.html is not None:
        options.html.write_text(month_page(months, facts), encoding="utf-8")
    if options.wants_json:
        _print_json(
            {
                "months": [as_document(each) for each in months],
                **_broken(broken),
                "seed": options.seed,
                "commit": describe_commit(),
                "seconds": seconds,
            }
        )
    else:
        print_month(months, console)
        for line in (*facts, *(f"BROKEN {each.invariant}: {each.what}" for each in broken)):
            console.print(line, soft_wrap=True, highlight=False)
    return 1 if broken else 0


def _tried(options: MonthOptions) -> Iterator[_Tried]:
    rota, other = options.rota or DEFAULT_ROTA, options.against
    yield rota, options.policy
    if other is not None:
        yield (rota, other) if other.is_dir() else (other, options.policy)


_Run = tuple[MonthFigures, list[Violation]]


def _months(tried: Sequence[_Tried], options: MonthOptions, console: Console) -> list[_Run]:
    """Two of them run side by side, each in a process of its own."""
    with _busy(console, f"simulating {' and '.join(map(_title, tried))}"):
        if len(tried) == 1:
            return [_month(tried[0], options)]
        for rota, policy in tried:  # what cannot be read is told here, as for one
            read_roster(_text(rota))
            load_books(policy)
        with ProcessPoolExecutor(len(tried), mp_context=get_context("spawn")) as pool:
            return list(pool.map(partial(_month, options=options), tried))


def _month(tried: _Tried, options: MonthOptions) -> _Run:
    rota, policy = tried
    outcome = run_story(month_story(_asked(rota, options)), load_books(policy), watches=False)
    return figures_and_check(outcome, _title(tried), options.days)


def _asked(rota: Path, options: MonthOptions) -> Month:
    return Month(roster=_text(rota), days=options.days, cases=options.cases, seed=options.seed)


def _title(tried: _Tried) -> str:
    rota, policy = tried
    return rota.name if policy is None else f"{rota.name}, {policy.name}"


def _refuse_odd(options: MonthOptions) -> None:
    for name, value, most in (("days", options.days, 366), ("cases", options.cases, 100_000)):
        if not 1 <= value <= most:
            raise TriageError(f"--{name}: {value}", hint=f"allowed: 1 to {most}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignOptions:
    """Seeds from `seed` on: so many, or for so long. `keep` is where failing stories go."""

    seeds: int | None
    seconds: float | None
    seed: int
    policy: Path | None
    keep: Path
    on_file: bool
    wants_json: bool


def simulate_crashes(options: CampaignOptions) -> int:
    """Print what came of it, also of a part of it that Ctrl-C or SIGTERM ended.

    Exit status 1 where something broke or was not come past; else of a part 128 and the signal.
    """
    console = _console(options.wants_json)
    judge = Judge(books=load_books(options.policy), on_file=options.on_file)
    first = options.seed
    seeds = count(first) if options.seeds is None else range(first, first + options.seeds)
    began, is_over = time.perf_counter(), _deadline(options.seconds)
    with stoppable() as stop, _busy(console, "simulating crashes") as tell:
        campaign = run_campaign(
            seeds,
            judge,
            until=lambda: stop.by is not None or is_over(),
            tell=lambda each: tell(_line(each)),
        )
    seconds = time.perf_counter() - began
    shrinker = judge if stop.by is None else None  # who stops it does not wait for that
    files = [_keep(seed, found, shrinker, options.keep) for seed, found in campaign.broken.items()]
    if options.wants_json:
        _print_json(
            {
                **_as_document(campaign),
                "first_seed": first,
                "stopped": stop.by and stop.by.name,
                "seconds": seconds,
                "commit": describe_commit(),
                "files": [str(file) for file in files],
            }
        )
    else:
        if stop.by is not None:
            console.print(f"stopped by {stop.by.name}; so far:")
        _print_campaign(campaign, options, seconds, files, console)
    return exit_status(campaign, stop)


def exit_status(campaign: Campaign, stop: Stop) -> int:
    """What is broken stays so, whoever ended the campaign."""
    if not campaign.is_green:
        return 1
    return 0 if stop.by is None else 128 + stop.by


def replay(file: Path, policy: Path | None, *, wants_json: bool) -> int:
    """One story again; exit status 1 where it still breaks. Raises TriageError."""
    outcome = run_story(read_story(_text(file)), load_books(policy))
    broken = check(outcome)
    console = _console(wants_json)
    if wants_json:
        _print_json({"trace": outcome.world.trace.digest, **_broken(broken)})
    for line in outcome.world.trace.lines if not wants_json else ():
        console.print(line, soft_wrap=True, highlight=False)
    for each in broken:
        console.print(f"BROKEN {each.invariant}: {each.what}", soft_wrap=True, highlight=False)
    console.print(f"trace {outcome.world.trace.digest}", highlight=False)
    return 1 if broken else 0


def _keep(seed: int, found: list[Violation], judge: Judge | None, folder: Path) -> Path:
    """The failing story as a file to look at and to keep as a test, made small with a judge."""
    story = random_story(seed) if judge is None else judge.smallest(random_story(seed), found[0])
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"seed-{seed}-invariant-{found[0].invariant}.toml"
    notes = (f"invariant {found[0].invariant}: {found[0].what}", f"commit {describe_commit()}")
    file.write_text(write_story(story, notes), encoding="utf-8")
    return file


def _print_campaign(
    campaign: Campaign,
    options: CampaignOptions,
    seconds: float,
    files: list[Path],
    console: Console,
) -> None:
    console.print(
        f"{_line(campaign)}; from seed {options.seed}, commit {describe_commit()},"
        f" {seconds:.1f} s, {campaign.seeds / seconds:.1f} seeds/s",
        highlight=False,
    )
    for seed, found in campaign.broken.items():
        for each in found[:3]:
            console.print(
                f"BROKEN seed {seed}, invariant {each.invariant}: {each.what}", soft_wrap=True
            )
    for file in files:
        console.print(f"kept: {file} (triage simulate --replay {file})", soft_wrap=True)
    for mark in sorted(campaign.unreached):
        console.print(f"never reached: {mark}")


def _line(campaign: Campaign) -> str:
    return (
        f"{campaign.seeds} seeds, {campaign.deaths} deaths, {campaign.pages} pages,"
        f" {len(campaign.broken)} broken"
    )


def _as_document(campaign: Campaign) -> dict[str, Any]:
    return {
        "seeds": campaign.seeds,
        "deaths": campaign.deaths,
        "pages": campaign.pages,
        "broken": {str(seed): _broken(found) for seed, found in campaign.broken.items()},
        "reached": sorted(campaign.marks),
        "unreached": sorted(campaign.unreached),
    }


def _broken(found: list[Violation]) -> dict[str, Any]:
    return {"broken": [{"invariant": each.invariant, "what": each.what} for each in found]}


def _deadline(seconds: float | None) -> Callable[[], bool]:
    ends = None if seconds is None else time.perf_counter() + seconds
    return lambda: ends is not None and time.perf_counter() >= ends


@contextmanager
def _busy(console: Console, what: str) -> Iterator[Callable[[str], None]]:
    """Says that work is under way, on a terminal only."""
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(what) as status:
        yield lambda text: status.update(f"{what}: {text}")


def _console(wants_json: bool) -> Console:
    """A table needs room, also where it goes into a file."""
    console = Console(stderr=wants_json)
    return console if console.is_terminal else Console(stderr=wants_json, width=_FILE_WIDTH)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise TriageError(f"{file}: {error.strerror}", hint="name a readable file") from None


def _print_json(document: dict[str, Any]) -> None:
    Console(soft_wrap=True, highlight=False, markup=False).print(
        orjson.dumps(document).decode(), soft_wrap=True
    )
