"""A month as one self-contained page: every ring by day and hour, and the table beneath."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from html import escape

from triage.domain.tiers import Tier
from triage.proof.simulate.month_figures import MonthFigures, Ring
from triage.proof.simulate.month_table import rows

_WIDTH, _HEIGHT, _LEFT, _TOP = 960, 300, 44, 12
_COLOURS = {
    Tier.EMERGENT.value: "#b00020",
    Tier.URGENT.value: "#c45500",
    Tier.PRIORITY.value: "#0a5fa5",
    Tier.ROUTINE.value: "#5b6570",
    Tier.PALLIATIVE_MDT.value: "#6a3d9a",
    "unread": "#111111",
}
_SHAPES = {Tier.EMERGENT.value: 4.0, Tier.URGENT.value: 3.0}
_SMALL = 2.2
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:62rem;padding:0 1rem}
body{color:#1a1d21}
svg{width:100%;height:auto;border:1px solid #d5dae0;background:#fff}
table{border-collapse:collapse;margin-top:1rem}td,th{padding:.15rem .8rem;text-align:right}
td:first-child,th:first-child{text-align:left;white-space:pre-wrap}
tr.head td{font-weight:600;padding-top:.8rem;border-bottom:1px solid #9aa3ad}
.key span{display:inline-block;margin-right:1rem}.note{color:#4a5158}
"""


def month_page(months: Sequence[MonthFigures], facts: Sequence[str]) -> str:
    """The page's HTML. `facts` are what a reader must know: seed, commit, what was made up."""
    plots = "".join(_plot(month) for month in months)
    notes = "".join(f"<li>{escape(fact)}</li>" for fact in facts)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>A month on call, simulated</title><style>{_STYLE}</style></head><body>"
        f"<h1>{months[0].days} days on call, simulated</h1>"
        "<p>Each dot is one page to one person; in each day EMERGENT stands left. "
        "Grey bands are the nights (23:00 to 07:00).</p>"
        f"{_key()}{plots}{_table(months)}<h2>How to read this</h2><ul class=note>{notes}</ul>"
        "</body></html>\n"
    )


def _key() -> str:
    dots = "".join(
        f'<span><svg style="width:12px;border:0;background:none" viewBox="0 0 12 12" '
        f'aria-hidden="true"><circle cx="6" cy="6" r="{_SHAPES.get(tier, _SMALL) + 1}" '
        f'fill="{colour}"/></svg> {tier}</span>'
        for tier, colour in _COLOURS.items()
    )
    return f'<p class="key">{dots}</p>'


def _plot(month: MonthFigures) -> str:
    if not month.rings:
        return f"<h2>{escape(month.title)}</h2><p>Nobody was paged.</p>"
    first = min(ring.at for ring in month.rings).date()
    days = max(month.days, (max(ring.at for ring in month.rings).date() - first).days + 1)
    step = (_WIDTH - _LEFT) / days
    shapes = [*_bands(), *_hours(), *_days(month, days, step)]
    shapes += [_dot(ring, (ring.at.date() - first).days, step) for ring in month.rings]
    label = f"{len(month.rings)} pages in {month.days} days, by day and hour"
    return (
        f"<h2>{escape(month.title)}</h2>"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT + 40}" role="img" aria-label="{label}">'
        f"{''.join(shapes)}</svg>"
    )


def _y(hour: float) -> float:
    return _TOP + hour / 24 * _HEIGHT


def _bands() -> Iterator[str]:
    for begins, ends in ((0, 7), (23, 24)):
        yield (
            f'<rect x="{_LEFT}" y="{_y(begins):.1f}" width="{_WIDTH - _LEFT}" '
            f'height="{_y(ends) - _y(begins):.1f}" fill="#e9edf2"/>'
        )


def _hours() -> Iterator[str]:
    for hour in range(0, 25, 6):
        yield f'<text x="4" y="{_y(hour) + 4:.1f}" font-size="11">{hour:02d}:00</text>'


def _days(month: MonthFigures, days: int, step: float) -> Iterator[str]:
    first = min(ring.at for ring in month.rings)
    for day in range(0, days, 7 if days > 14 else 1):
        x = _LEFT + day * step
        date = (first + timedelta(days=day)).strftime("%a %d %b")
        yield (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{_TOP + _HEIGHT}" stroke="#c3cad2"/>'
            f'<text x="{x + 2:.1f}" y="{_TOP + _HEIGHT + 16}" font-size="11">{date}</text>'
        )


def _dot(ring: Ring, day: int, step: float) -> str:
    hour = ring.at.hour + ring.at.minute / 60 + ring.at.second / 3600
    lane = (list(_COLOURS).index(ring.tier) + 0.5) / len(_COLOURS)  # so that none hides another
    x = _LEFT + (day + lane) * step
    told = f"{ring.at:%a %d %b %H:%M} {ring.tier}, {ring.who}"
    return (
        f'<circle cx="{x:.1f}" cy="{_y(hour):.1f}" r="{_SHAPES.get(ring.tier, _SMALL)}" '
        f'fill="{_COLOURS[ring.tier]}" fill-opacity=".65"><title>{escape(told)}</title></circle>'
    )


def _table(months: Sequence[MonthFigures]) -> str:
    heads = "".join(f"<th scope=col>{escape(month.title)}</th>" for month in months)
    lines = []
    for name, values in rows(months):
        cells = "".join(f"<td>{escape(value)}</td>" for value in values)
        row = "<tr>" if name.startswith(" ") else "<tr class=head>"
        lines.append(f"{row}<td>{escape(name)}</td>{cells}</tr>")
    body = "".join(lines)
    return f"<table><thead><tr><th></th>{heads}</tr></thead><tbody>{body}</tbody></table>"
