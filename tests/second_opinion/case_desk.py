"""What is done to a roster while a case is open: another file, or an act at the desk, which the
second model works out by docs/rosters.md (changes at the desk)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from tests.second_opinion.case_roster import Rosters, Stint, file_of, instant_of

Asked = Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """One of three: a new file's text, what was asked for at the desk, the act that is revoked."""

    at: datetime
    file: str = ""
    act: str = ""
    asked: Asked | None = None
    revokes: str = ""
    note: str = ""


def apply(rosters: Rosters, change: Change) -> bool:
    """Whether it could be done."""
    if change.file:
        rosters.files.append((change.at, file_of(change.file)))
    elif change.revokes:
        standing = [each.act for each in rosters.desk if each.stood(change.at)]
        if change.revokes not in standing:
            return False
        rosters.desk = [
            replace(each, revoked=change.at) if each.act == change.revokes else each
            for each in rosters.desk
        ]
    else:
        made = list(stints(rosters, change))
        if not made:
            return False
        rosters.desk += made
    rosters.changed.append(change.at)
    rosters.told.clear()
    return True


def stints(rosters: Rosters, change: Change) -> Iterator[Stint]:
    """None where it cannot be done."""
    asked = change.asked
    assert asked is not None
    kind, at = asked["kind"], change.at
    humans = rosters.file(at).humans
    if any(asked.get(name, next(iter(humans))) not in humans for name in ("person", "absent")):
        return
    for role, person, start, end in _ASKED[kind](rosters, asked, at):
        if start < end:
            yield Stint(role, person, start, end, f"{kind} {change.act}", change.act, at)


Part = tuple[str, str, datetime, datetime]


def _override(rosters: Rosters, asked: Asked, at: datetime) -> Iterator[Part]:
    yield asked["role"], asked["person"], _instant(asked["from"]), _instant(asked["to"])


def _swap(rosters: Rosters, asked: Asked, at: datetime) -> Iterator[Part]:
    """'A swap names a moment within each of two shifts and exchanges their holders for the whole
    of both.'"""
    role, moments = asked["role"], [_instant(asked[name]) for name in ("first", "second")]
    one, two = (rosters.shift_at(role, moment, at) for moment in moments)
    a, b = (rosters.serving(role, moment, at).human for moment in moments)
    if one and two and a and b and a != b:
        yield role, b.id, *one
        yield role, a.id, *two


def _cover(rosters: Rosters, asked: Asked, at: datetime) -> Iterator[Part]:
    """'Cover gives every shift that somebody has in a stretch of time, in every role, to
    another.'"""
    start, end = _instant(asked["from"]), _instant(asked["to"])
    file = rosters.file(at)
    for role in sorted({each.role for each in (*file.rotas, *file.stints, *rosters.desk)}):
        for begin, until, who in rosters.shifts(role, start, end, at):
            if who.human is not None and who.human.id == asked["absent"]:
                yield role, asked["person"], begin, until


_ASKED = {"override": _override, "swap": _swap, "cover": _cover}


def _instant(text: str) -> datetime:
    return instant_of(datetime.fromisoformat(text))
