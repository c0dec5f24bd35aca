"""What a book must hold together before anything may run on it: names, values, citations.

Each function yields complaints as `file row: reason`. Whether the rules are any good (dead rows,
tiers that fall when a finding worsens) is for `verify.check`.
"""

from collections.abc import Iterable, Iterator, Mapping

from triage.domain.errors import UnsoundPolicy
from triage.policies.bands import GRADE_DROP, SINS_CONFLICT, variables
from triage.policies.book import Documents
from triage.policies.program import values_of
from triage.policies.reasons import FILLED_IN
from triage.policies.rows import blanks
from triage.policies.schedule_soundness import schedule_complaints
from triage.policies.tables import Cited, When

# Derived findings, flags and bands that the evaluator itself asks for by name.
_NEEDED = {
    "derived.toml": {"sev", "sph", "neuro_unknown", "sins_band"},
    "flags.toml": {"TIMER_60"},
    "tiers.toml": {"E6", "SET", "TIMER_60", "D7", "PM1", "U6"},
    "timers.toml": {"TIMER_60", "D7", "D9", "U6"},
}


def require_sound(documents: Documents) -> None:
    """Raises UnsoundPolicy with the first complaint; its hint holds the others."""
    complaints = [*row_complaints(documents), *schedule_complaints(documents)]
    if complaints:
        raise UnsoundPolicy(complaints[0], hint="; ".join(complaints[1:]))


def row_complaints(documents: Documents) -> Iterator[str]:
    """Everything wrong with findings, derived findings, rules, flags, assumptions, reminders."""
    yield from _uncited(documents)
    yield from _doubled_or_missing(documents)
    yield from _fields(documents)
    yield from _conditions(documents)
    yield from _rules(documents)
    yield from _flags(documents)
    yield from _reach_of_rules(documents)


def _cited(documents: Documents) -> Iterator[tuple[str, Iterable[str]]]:
    derived = documents.derived
    rows: list[tuple[str, Cited]] = [
        *((f"derived.toml {row.name}", row) for row in derived.cut),
        *((f"derived.toml {row.name}", row) for row in derived.window),
        *((f"derived.toml {row.name}", row) for row in derived.zone),
        *((f"derived.toml {row.name}", row) for row in derived.derived),
        ("derived.toml grade_drop", derived.grade_drop),
        *((f"tiers.toml {row.id}", row) for row in documents.tiers.rule),
        *((f"flags.toml {row.id}", row) for row in documents.flags.flag),
        *((f"timers.toml {row.id}", row) for row in documents.timers.timer),
        ("ladders.toml", documents.ladders),
        ("authority.toml", documents.authority),
        ("sins.toml", documents.sins),
    ]
    yield from ((where, row.source) for where, row in rows)
    for reminder in documents.reminders.reminder:
        yield f"reminders.toml {reminder.id}", reminder.source
    for obligation in documents.deadlines.obligation:
        for clock in obligation.clock:
            for tier, limit in clock.tier.items():
                where = f"deadlines.toml {clock.name} {tier}"
                yield from ((where, each.source) for each in limit.limits)
                yield from ((where, each.source) for each in limit.only_rule.values())


def _uncited(documents: Documents) -> Iterator[str]:
    for where, keys in _cited(documents):
        for key in keys:
            if key not in documents.sources:
                yield f"{where}: source is not in sources.toml: {key}"


def _names(documents: Documents) -> Mapping[str, list[str]]:
    derived = documents.derived
    return {
        "derived.toml": [
            *(row.name for row in derived.cut),
            *(row.name for row in derived.window),
            *(row.name for row in derived.zone),
            *(row.name for row in derived.derived),
        ],
        "tiers.toml": [row.id for row in documents.tiers.rule],
        "flags.toml": [row.id for row in documents.flags.flag],
        "timers.toml": [row.id for row in documents.timers.timer],
        "deadlines.toml": [row.name for row in documents.deadlines.obligation],
        "reminders.toml": [row.id for row in documents.reminders.reminder],
    }


def _doubled_or_missing(documents: Documents) -> Iterator[str]:
    for file, names in _names(documents).items():
        for name in sorted(set(names)):
            if names.count(name) > 1:
                yield f"{file} {name}: the name is used twice"
        for name in sorted(_NEEDED.get(file, set()) - set(names)):
            yield f"{file}: row is missing: {name}"


def _fields(documents: Documents) -> Iterator[str]:
    fields, derived = documents.findings, documents.derived
    for cut in derived.cut:
        if cut.of not in fields or fields[cut.of].kind not in ("whole", "number"):
            yield f"derived.toml {cut.name}: no number among the findings: {cut.of}"
        edges = [band.from_ for band in cut.bands]
        if edges != sorted(set(edges)) or edges[0] != 0:
            yield f"derived.toml {cut.name}: bands must rise from 0: {edges}"
    for window in derived.window:
        if window.of not in fields or fields[window.of].kind != "onset":
            yield f"derived.toml {window.name}: no onset among the findings: {window.of}"
    levels = fields["level"].values if "level" in fields else ()
    for zone in derived.zone:
        named = {*zone.high_cervical, *zone.below_conus}
        if zone.of != "level" or not named <= set(levels):
            yield f"derived.toml {zone.name}: not all are levels: {sorted(named - set(levels))}"
    placed = [level for each in documents.sins.location.values() for level in each]
    if sorted(placed) != sorted(levels):
        yield "sins.toml location: every level must have exactly one class"
    if set(documents.sins.location) != set(documents.sins.items.location):
        yield "sins.toml location: classes differ from items.location"


def _conditions(documents: Documents) -> Iterator[str]:
    raw = variables(documents.findings, documents.derived)
    settled = {row.name: values_of(row) for row in documents.derived.derived}
    for row in documents.derived.derived:
        for derived_row in row.rows:
            yield from _named(f"derived.toml {row.name}", derived_row.when, raw)
    known = raw | settled
    for rule in documents.tiers.rule:
        for rule_row in rule.rows:
            yield from _named(f"tiers.toml {rule.id}", rule_row.when, known)
    for flag in documents.flags.flag:
        for flag_row in flag.rows:
            yield from _named(f"flags.toml {flag.id}", flag_row.when, known)
    for assumption in documents.assumptions.assumption:
        yield from _named(f"assumptions.toml {assumption.field}", assumption.when, known)
        if assumption.field not in documents.findings:
            yield f"assumptions.toml {assumption.field}: no such finding"
    for reminder in documents.reminders.reminder:
        for flag_row in reminder.rows:
            yield from _named(f"reminders.toml {reminder.id}", flag_row.when, known)


def _named(where: str, when: When, known: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for name, values in when.items():
        if name not in known:
            yield f"{where}: no such finding: {name}"
        elif not values or not set(values) <= set(known[name]):
            odd = sorted(set(values) - set(known[name]))
            yield f"{where}: {name} cannot be {odd}; allowed: {', '.join(known[name])}"


def _rules(documents: Documents) -> Iterator[str]:
    rules = documents.tiers.rule
    if [rule.otherwise for rule in rules].count(True) != 1:
        yield "tiers.toml: exactly one rule must say otherwise = true"
    for rule in rules:
        where = f"tiers.toml {rule.id}"
        if [bool(rule.rows), rule.otherwise, bool(rule.applied)].count(True) != 1:
            yield f"{where}: it needs one of rows, otherwise, applied"
        if rule.tier is None and not rule.applied:
            yield f"{where}: it gives no tier"
        if not rule.rows and not rule.because:
            yield f"{where}: it has no sentence"
        for row in rule.rows:
            for name in set(blanks(row.because)) - FILLED_IN:
                yield f"{where}: nothing fills in {{{name}}}"


def _flags(documents: Documents) -> Iterator[str]:
    rules = {rule.id for rule in documents.tiers.rule if rule.rows}
    above: set[str] = set()
    for flag in documents.flags.flag:
        for row in flag.rows:
            if not set(row.hit) <= rules or not set(row.flag) <= above:
                yield f"flags.toml {flag.id}: no such rule, or no such flag above it"
        above.add(flag.id)
    for reminder in documents.reminders.reminder:
        asked = {name for row in reminder.rows for name in row.flag} | set(reminder.caution_with)
        if not asked <= above:
            yield f"reminders.toml {reminder.id}: no such flag: {sorted(asked - above)}"


def fields_behind(documents: Documents) -> dict[str, set[str]]:
    """The raw findings behind each variable that a row may name."""
    derived = documents.derived
    behind = {name: {name} for name in documents.findings}
    behind |= {cut.name: {cut.of} for cut in derived.cut}
    behind |= {window.name: {window.of} for window in derived.window}
    behind |= {zone.name: {zone.of} for zone in derived.zone}
    behind[GRADE_DROP] = {"ais", "previous_ais", "previous_ais_at"}
    behind[SINS_CONFLICT] = {"sins", "sins_items"}
    if "sins_band" in behind:
        behind["sins_band"] = {"sins", "sins_items", "level"}
    for row in derived.derived:
        named = {name for one in row.rows for name in one.when}
        behind[row.name] = set().union(*(behind.get(name, set()) for name in named))
    return behind


def _reach_of_rules(documents: Documents) -> Iterator[str]:
    """No flag-only finding reaches the tier, and what the rules are said to read they do read."""
    behind, read = fields_behind(documents), set[str]()
    may = {name for name, row in documents.findings.items() if row.rules}
    for rule in documents.tiers.rule:
        for row in rule.rows:
            fields = set().union(*(behind.get(name, set()) for name in row.when))
            for name in sorted(fields - may):
                yield f"tiers.toml {rule.id}: {name} may never reach the tier"
            read |= fields
    for name in sorted(may - read):
        yield f"findings.toml {name}: it is said to be read by rules, and none reads it"
