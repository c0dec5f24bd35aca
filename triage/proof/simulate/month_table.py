"""A month as one table: one column for each rota or book that was tried."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from triage.domain.tiers import Tier
from triage.proof.simulate.month_figures import MonthFigures

Row = tuple[str, list[str]]
_MOST_REASONS = 12


def print_month(months: Sequence[MonthFigures], console: Console) -> None:
    """The table, for a terminal or a file."""
    table = Table(title=f"{months[0].days} days on call, simulated", title_justify="left")
    table.add_column("")
    for month in months:
        table.add_column(month.title, justify="right", overflow="fold")
    for name, values in rows(months):
        table.add_row(name, *values)
        if not any(values):
            table.add_section()
    console.print(table)


def rows(months: Sequence[MonthFigures]) -> Iterator[Row]:
    """Every line: what it is, and its value for each month. A line without values is a heading."""
    yield "cases", [str(month.cases) for month in months]
    for tier in Tier:
        if any(month.by_tier.get(tier) for month in months):
            yield f"  {tier.value}", [str(month.by_tier.get(tier, 0)) for month in months]
    yield from _of_shifts(months)
    yield from _of_people(months)
    yield from _of_waits(months)
    yield from _of_missed(months)
    yield from _of_unreachable(months)


def _of_shifts(months: Sequence[MonthFigures]) -> Iterator[Row]:
    yield "PAGES PER SHIFT (mean, most)", [""] * len(months)
    for kind in ("day", "night"):
        values = [month.shifts[kind] for month in months]
        yield f"  {kind}", [f"{mean:.1f}, {most}" for _, mean, most in values]


def _of_people(months: Sequence[MonthFigures]) -> Iterator[Row]:
    yield "PAGES PER PERSON (EMERGENT; nights woken)", [""] * len(months)
    for who in sorted({who for month in months for who in month.load}):
        yield (
            f"  {who}",
            [
                f"{load[0]} ({load[1]}; {load[2]})" if (load := month.load.get(who)) else "-"
                for month in months
            ],
        )


def _of_waits(months: Sequence[MonthFigures]) -> Iterator[Row]:
    yield "LONGEST WAIT FOR AN ANSWER (case; unanswered at the end)", [""] * len(months)
    for tier in Tier:
        found = [{wait.tier: wait for wait in month.waits}.get(tier) for month in months]
        if any(found):
            yield (
                f"  {tier.value}",
                [
                    f"{spoken(wait.longest)} ({wait.longest_case}; {wait.unanswered})"
                    if wait
                    else "-"
                    for wait in found
                ],
            )


def _of_missed(months: Sequence[MonthFigures]) -> Iterator[Row]:
    yield "DEADLINES MISSED", [str(sum(month.missed.values())) for month in months]
    names = dict.fromkeys(key for month in months for key in month.missed)
    for name, tier in names:
        label = f"  {name.replace('_', ' ')}, {tier}"
        yield label, [str(month.missed.get((name, tier), 0)) for month in months]


def _of_unreachable(months: Sequence[MonthFigures]) -> Iterator[Row]:
    yield "COULD NOT BE REACHED (pages)", [""] * len(months)
    reasons = dict.fromkeys(key for month in months for key in month.unreachable)
    for who, why in list(reasons)[:_MOST_REASONS]:
        yield f"  {who}: {why}", [str(month.unreachable.get((who, why), 0)) for month in months]
    if not reasons:
        yield "  nobody", [""] * len(months)
    if len(reasons) > _MOST_REASONS:
        yield f"  and {len(reasons) - _MOST_REASONS} more reasons: see --json", [""] * len(months)


def spoken(wait: timedelta) -> str:
    """E.g. `2 h 05 min`, `3 d 4 h`."""
    minutes = round(wait.total_seconds() / 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"


def as_document(month: MonthFigures) -> dict[str, Any]:
    """The figures as one JSON object; waits in seconds."""
    return {
        "title": month.title,
        "days": month.days,
        "cases": month.cases,
        "by_tier": dict(month.by_tier),
        "pages": len(month.rings),
        "shifts": {
            kind: {"pages": total, "mean": mean, "most": most}
            for kind, (total, mean, most) in month.shifts.items()
        },
        "people": {
            who: {"pages": pages, "emergent": emergent, "nights_woken": nights}
            for who, (pages, emergent, nights) in month.load.items()
        },
        "waits": {
            wait.tier: {
                "runs": wait.runs,
                "longest_seconds": wait.longest.total_seconds(),
                "longest_case": wait.longest_case,
                "unanswered": wait.unanswered,
            }
            for wait in month.waits
        },
        "missed": [
            {"obligation": name, "tier": tier, "count": count}
            for (name, tier), count in month.missed.items()
        ],
        "unreachable": [
            {"who": who, "why": why, "pages": count}
            for (who, why), count in month.unreachable.items()
        ],
    }
