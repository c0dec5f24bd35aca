"""Why a tier was given, in sentences: the rules' own words with hours and figures filled in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from triage.policies.bands import Drop
from triage.policies.rows import RulePlan
from triage.policies.sins import Sins

FILLED_IN = frozenset({"deficit", "bladder", "drop", "sins", "pain", "missing"})
_LONG = timedelta(days=5)


@dataclass(slots=True)
class Telling:
    """What may be filled in: findings, the instant of evaluation, the grade drop, SINS."""

    values: Mapping[str, Any]
    now: datetime
    drop: Drop | None
    sins: Sins

    def sentence(self, rule: RulePlan, fitting: int) -> str:
        """Why this rule, which hit, did so: the sentence of its first row that fits."""
        for row in rule.sentences:
            if fitting & row.bit:
                break
        if not row.blanks:
            return row.text
        return row.text.format(**{name: self._fill(name, rule, fitting) for name in row.blanks})

    def _fill(self, name: str, rule: RulePlan, fitting: int) -> str:
        match name:
            case "deficit" | "bladder":
                onset = self.values.get(f"{name}_onset_at")
                return how_long(self.now - onset) if onset else "an unknown time"
            case "drop":
                return _dropped(self.drop) if self.drop else ""
            case "sins":
                return str(self.sins.value)
            case "missing":
                return ", ".join(each.missing for each in rule.sentences if fitting & each.bit)
            case _:
                return str(self.values.get(name))


def how_long(length: timedelta) -> str:
    """In whole minutes, rounded down: `40 min`, `10 h`, `47 h 59 min`, `10 d`.

    Nothing at all where the start lies ahead: `0 min`.
    """
    if length >= _LONG:
        return f"{length.days} d"
    if length.days < 0:
        return "0 min"
    hours, minutes = divmod((length.days * 86_400 + length.seconds) // 60, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _dropped(drop: Drop) -> str:
    if drop.age is None:
        return f"from {drop.before} to {drop.after}, time of the earlier grade unknown"
    return f"from {drop.before} to {drop.after} in {how_long(drop.age)}"
