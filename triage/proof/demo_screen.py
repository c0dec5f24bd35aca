"""The live summary of `triage demo`: a Rich display on a terminal, plain lines elsewhere."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from triage.proof.demo_picture import Picture, as_line
from triage.proof.demo_traffic import Published, waited_for

IN_MEMORY_ONLY = "DEMONSTRATION ONLY: invented patients, a bus in memory, all gone at the end."
ON_REAL_KAFKA = "DEMONSTRATION ONLY: invented patients; everything is deleted at the end."

_STYLES = {
    "EMERGENT": "bold white on red",
    "URGENT": "bold black on yellow",
    "PRIORITY": "cyan",
    "ROUTINE": "green",
    "PALLIATIVE-MDT": "magenta",
    "unread": "bold red",
}
_EVERY_SECONDS = 1.0
_LINES_BESIDE = 28  # all that is on the screen beside cases and pages
_PLAIN_EVERY_SECONDS = 5.0


async def show(
    console: Console,
    look: Callable[[], Picture],
    published: Published,
    heading: str,
    stop: asyncio.Event,
) -> None:
    """Keep the summary up to date until `stop`. `look` may block: it runs in a thread."""
    if not console.is_terminal:
        while not await waited_for(stop, _PLAIN_EVERY_SECONDS):
            console.print(as_line(await asyncio.to_thread(look)), soft_wrap=True, highlight=False)
        return
    with Live(console=console, auto_refresh=False, transient=False) as live:
        while True:
            picture = await asyncio.to_thread(look)
            screen = screen_of(picture, published, heading, height=console.height)
            live.update(screen, refresh=True)
            if await waited_for(stop, _EVERY_SECONDS):
                return


def screen_of(picture: Picture, published: Published, heading: str, *, height: int) -> Panel:
    """As much as fits: a low terminal gets fewer cases and pages, or none."""
    lines = min((height - _LINES_BESIDE) // 2, len(picture.cases), len(picture.pages))
    counts = Text(
        f"{published.hospitals} records from hospitals, {published.clinicians} from clinicians, "
        f"{picture.events} events in the journal, {picture.closed} cases closed, "
        f"{picture.pages_sent} pages sent, {picture.pages_waiting} on their way, "
        f"{picture.unread} unreadable"
    )
    if picture.policy.endswith("-draft"):
        counts.append("\nPolicy draft, unsigned: ", style="bold").append(picture.policy)
    tables = [_tiers(picture)]
    if lines > 0:
        tables += [_cases(picture, lines), _pages(picture, lines)]
    title = f"{picture.now:%a %d %b %Y %H:%M:%S} UTC"
    return Panel(Group(Text(heading), counts, *tables), title=title, subtitle="Ctrl-C stops")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", expand=True, box=box.SIMPLE_HEAD)
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table


def _tiers(picture: Picture) -> Table:
    table = _table("Open cases", "tier", "open", "nobody owns it", "longest wait for an owner")
    for line in picture.tiers:
        wait = _words(line.oldest_wait) if line.oldest_wait is not None else "-"
        table.add_row(_tier(line.tier), str(line.open), str(line.unowned), wait)
    return table


def _cases(picture: Picture, lines: int) -> Table:
    table = _table("Most urgent", "case", "tier", "owner", "next due")
    table.add_column("why", ratio=1, no_wrap=True, overflow="ellipsis")
    for line in picture.cases[:lines]:
        due = f"{line.next_due_at:%H:%M:%S}" if line.next_due_at else "-"
        table.add_row(line.case, _tier(line.tier), line.owner, due, line.reason)
    return table


def _pages(picture: Picture, lines: int) -> Table:
    table = _table("Last pages", "at", "tier", "case", "to", "status")
    table.add_column("asked", ratio=1, no_wrap=True, overflow="ellipsis")
    for line in picture.pages[:lines]:
        at = f"{line.at:%H:%M:%S}"
        table.add_row(at, _tier(line.tier), line.case, line.role, line.status, line.asked)
    return table


def _tier(name: str) -> Text:
    return Text(name, style=_STYLES.get(name, ""))


def _words(wait: timedelta) -> str:
    minutes, seconds = divmod(int(wait.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {seconds:02d} s"
