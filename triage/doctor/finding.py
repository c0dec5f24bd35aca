"""What the doctor says of one thing."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warning", "wrong"]
LEVELS: tuple[Level, ...] = ("wrong", "warning", "ok")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line. `wrong`: a page would not arrive, or nobody would know; `warning`: one fault away
    from that. `hint` says what to do, empty where nothing is to be done."""

    name: str
    level: Level
    what: str
    hint: str = ""


def ok(name: str, what: str) -> Check:
    """All is well."""
    return Check(name=name, level="ok", what=what)


def warning(name: str, what: str, hint: str) -> Check:
    """One fault away from harm."""
    return Check(name=name, level="warning", what=what, hint=hint)


def wrong(name: str, what: str, hint: str) -> Check:
    """A page would not arrive."""
    return Check(name=name, level="wrong", what=what, hint=hint)
