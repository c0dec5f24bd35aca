"""Findings as they were sent, read by the book's vocabulary (clinical-policy.md 1). Never raises.

What cannot be read becomes unknown, is listed by its path and asks for a human: it may hide a worse
finding than `unknown` stands for.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any, Protocol, TypeGuard

from triage.domain.instants import parse_instant
from triage.policies.bands import UNKNOWN, Findings
from triage.policies.nearness import nearest
from triage.policies.sins import PREFIX, SinsTable
from triage.policies.tables import FieldRow

_DECIMAL = re.compile(r"\d+(\.\d+)?", re.ASCII)
_DIGITS = 4
# Whole numbers have no end, floats do: what is larger is compared as this.
_BEYOND_MEASURE = 1e300

__all__ = ["Findings", "Reading", "Vocabulary", "read_findings", "vocabulary"]


@dataclass(frozen=True, slots=True)
class Reading:
    """One message's findings. `unread`: sorted dotted paths that were not understood.

    `unknown`: fields sent as unknown, null or unreadable. `review`: a human has to look, because a
    value is outside its list or a name resembles one that the rules read.
    """

    values: dict[str, Any]
    unknown: frozenset[str]
    unread: tuple[str, ...]
    review: bool

    @property
    def findings(self) -> Findings:
        """What classification needs of it."""
        return Findings(self.values, self.unknown)


class _Notes:
    """What one reading has gathered so far."""

    __slots__ = ("review", "unknown", "unread", "values")

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.unknown: set[str] = set()
        self.unread: list[str] = []
        self.review = False

    def refuse(self, path: str, field: str) -> None:
        self.unread.append(path)
        self.unknown.add(field)
        self.review = True


Reader = Callable[[str, object, _Notes], None]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A book's fields compiled for reading: its values as they are mostly written, its reader."""

    fields: Mapping[str, tuple[Mapping[object, object], Reader]]
    read_by_rules: tuple[str, ...]


def vocabulary(fields: Mapping[str, FieldRow], sins: SinsTable) -> Vocabulary:
    """Compile the fields of `findings.toml`."""
    return Vocabulary(
        fields={name: (_plain(row), _reader(row, sins)) for name, row in fields.items()},
        read_by_rules=tuple(name for name, row in fields.items() if row.rules),
    )


class SpeaksVocabulary(Protocol):
    """A policy book, as far as reading needs it."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The fields, compiled."""
        ...


def read_findings(raw: Mapping[str, Any], book: SpeaksVocabulary) -> Reading:
    """Read one findings object. Names are taken as written, values trimmed and case-folded."""
    words, notes = book.vocabulary, _Notes()
    fields, values = words.fields, notes.values
    strangers: list[str] = []
    for name, sent in raw.items():
        field = fields.get(name)
        if field is None:
            strangers.append(name)
            continue
        plain, reader = field
        # By exact type: True is no 1, and a list is no key.
        if (type(sent) is str or type(sent) is int) and sent in plain:
            values[name] = plain[sent]
        else:
            reader(name, sent, notes)
    for name in strangers:
        _note_stranger(name, words.read_by_rules, notes)
    unread = tuple(sorted(notes.unread))
    return Reading(values, frozenset(notes.unknown), unread, notes.review)


def _note_stranger(name: str, vocabulary: tuple[str, ...], notes: _Notes, prefix: str = "") -> None:
    """List a name outside the vocabulary; near a field of the rules it is a bad value of it.

    The value of the rightly named field stands when both were sent.
    """
    notes.unread.append(prefix + name)
    for field in nearest(name, vocabulary):
        notes.review = True
        if prefix + field not in notes.values:
            notes.unknown.add(prefix + field)


def _plain(row: FieldRow) -> dict[object, object]:
    """What needs no reading: a choice as the book writes it, a whole number in its range."""
    if row.kind == "whole":
        return {number: number for number in range(row.from_, row.to + 1)}
    return {value: value for value in row.values}


def _reader(row: FieldRow, sins: SinsTable) -> Reader:
    match row.kind:
        case "choice":
            spellings = {value.casefold(): value for value in row.values}
            return lambda name, sent, notes: _choice(name, sent, notes, spellings)
        case "whole":
            return lambda name, sent, notes: _whole(name, sent, notes, row.from_, row.to)
        case "number":
            return _number
        case "instant":
            return _instant
        case "onset":
            return _onset
        case "items":
            return lambda name, sent, notes: _items(name, sent, notes, sins)


def _is_unknown(sent: object) -> bool:
    return sent is None or (isinstance(sent, str) and sent.strip().casefold() == UNKNOWN)


def _choice(name: str, sent: object, notes: _Notes, spellings: Mapping[str, str]) -> None:
    if _is_unknown(sent):
        notes.unknown.add(name)
        return
    text = sent.strip().casefold() if isinstance(sent, str) else _digits(sent)
    value = spellings.get(text)
    if value is None:
        notes.refuse(name, name)
    else:
        notes.values[name] = value


def _digits(sent: object) -> str:
    """A whole JSON number as text; "" for anything else, and for any too big to be a value."""
    if isinstance(sent, bool) or not isinstance(sent, int | float):
        return ""
    return str(int(sent)) if -1000 < sent < 1000 and sent == int(sent) else ""


def _whole(name: str, sent: object, notes: _Notes, low: int, high: int) -> None:
    if _is_unknown(sent):
        notes.unknown.add(name)
        return
    number = _whole_number(sent)
    if number is None or not low <= number <= high:
        notes.refuse(name, name)
    else:
        notes.values[name] = number


def _whole_number(sent: object) -> int | None:
    text = sent.strip() if isinstance(sent, str) else _digits(sent)
    if not (text.isascii() and text.isdecimal()) or len(text.lstrip("0")) > _DIGITS:
        return None
    return int(text.lstrip("0") or "0")


def _number(name: str, sent: object, notes: _Notes) -> None:
    if _is_unknown(sent):
        notes.unknown.add(name)
        return
    number = min(float(sent), _BEYOND_MEASURE) if _is_decimal(sent) else sent
    if isinstance(number, int | float) and not isinstance(number, bool) and 0 <= number < inf:
        notes.values[name] = min(number, _BEYOND_MEASURE)
    else:
        notes.refuse(name, name)


def _is_decimal(sent: object) -> TypeGuard[str]:
    """Text such as `650` or ` 2.5 `: no sign, exponent or unit."""
    return isinstance(sent, str) and _DECIMAL.fullmatch(sent.strip()) is not None


def _instant(name: str, sent: object, notes: _Notes) -> None:
    if _is_unknown(sent):
        notes.unknown.add(name)
        return
    instant = parse_instant(sent)
    if instant is None:
        notes.refuse(name, name)
    else:
        notes.values[name] = instant


def _onset(name: str, sent: object, notes: _Notes) -> None:
    """An instant, or `{earliest, latest}`: the later of the two, unknown without the latest."""
    if not isinstance(sent, Mapping):
        _instant(name, sent, notes)
        return
    ends: dict[str, datetime] = {}
    for key, given in sent.items():
        if key not in ("earliest", "latest"):
            _note_stranger(key, ("earliest", "latest"), notes, prefix=f"{name}.")
        elif not _is_unknown(given):
            instant = parse_instant(given)
            if instant is None:
                notes.refuse(f"{name}.{key}", name)
            else:
                ends[key] = instant
    if "latest" in ends:
        notes.values[name] = max(ends.values())
        notes.unknown.discard(name)
    else:
        notes.unknown.add(name)


def _items(name: str, sent: object, notes: _Notes, sins: SinsTable) -> None:
    if _is_unknown(sent):
        notes.unknown.add(name)
        return
    if not isinstance(sent, Mapping):
        notes.refuse(name, name)
        return
    strangers = []
    for item, given in sent.items():
        path = PREFIX + item
        points = given if type(given) is int else _whole_number(given)
        if item not in sins.points:
            strangers.append(item)
        elif _is_unknown(given):
            notes.unknown.add(path)
        elif points is None or points not in sins.points[item]:
            notes.refuse(path, path)
        else:
            notes.values[path] = points
    for item in strangers:
        _note_stranger(item, tuple(sins.points), notes, prefix=PREFIX)
