"""From findings as sent to findings as read (policy, section 1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from tests.second_opinion.scalars import (
    UNKNOWN,
    UNREAD,
    read_instant,
    read_number,
    read_text,
    read_whole,
    resembles,
    says_unknown,
)
from tests.second_opinion.vocabulary import (
    FIELDS,
    INSTANTS,
    ITEM_POINTS,
    NUMBERS,
    ONSETS,
    READ_BY_RULES,
    TEXT,
    WHOLE,
)


@dataclass
class Seen:
    """What could be read. A field that is in `sent` and in none of the others is unknown, sent."""

    text: dict[str, str] = field(default_factory=dict)
    number: dict[str, Fraction] = field(default_factory=dict)
    instant: dict[str, Fraction] = field(default_factory=dict)
    items: dict[str, int] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)
    review: bool = False

    def not_understood(self, path: str) -> None:
        """'becomes `unknown` *and* asks for a human'"""
        self.unread.append(path)
        self.review = True

    def said(self, name: str) -> str:
        """The text of a field; 'Absent and `unknown` mean the same'."""
        return self.text.get(name, UNKNOWN)

    def sent_as_unknown(self, name: str) -> bool:
        """'with the exceptions in the table': `thecal_compression` and `compartment`."""
        return name in self.sent and name not in self.text


def read(findings: Mapping[str, object]) -> Seen:
    """Every field of the vocabulary, then every other name."""
    seen = Seen()
    for name, value in findings.items():
        if name in FIELDS:
            seen.sent.add(name)
            read_field(seen, name, value)
        else:
            read_other_name(seen, name)
    return seen


def read_field(seen: Seen, name: str, value: object) -> None:
    """'A value that is still outside its list, or a number that is not a number, becomes
    `unknown` *and* asks for a human'"""
    if name in TEXT:
        read_text_field(seen, name, value)
    elif name in WHOLE:
        read_whole_field(seen, name, value)
    elif name in NUMBERS:
        read_number_field(seen, name, value)
    elif name in INSTANTS:
        read_instant_field(seen, name, value)
    elif name in ONSETS:
        read_onset(seen, name, value)
    else:
        read_items(seen, value)


def read_other_name(seen: Seen, name: str) -> None:
    """'A field name outside the vocabulary is kept, shown and listed as not understood; one that
    resembles a field which the rules read (edit distance 1 or 2) counts as an unreadable value of
    that field.' A readable value of that field, sent beside it, stands."""
    seen.unread.append(name)
    for known in READ_BY_RULES:
        if resembles(name, known):
            seen.sent.add(known)
            seen.review = True


def read_text_field(seen: Seen, name: str, value: object) -> None:
    """Contract 2: the list of each field."""
    word = read_text(value, TEXT[name])
    if word == UNREAD:
        seen.not_understood(name)
    elif word != UNKNOWN:
        seen.text[name] = word


def read_whole_field(seen: Seen, name: str, value: object) -> None:
    """Contract 2: '`sins` 0..18', '`kps` 0..100'."""
    low, high = WHOLE[name]
    whole = read_whole(value)
    if isinstance(whole, int):
        if low <= whole <= high:
            seen.number[name] = Fraction(whole)
        else:
            seen.not_understood(name)
    elif whole == UNREAD:
        seen.not_understood(name)


def read_number_field(seen: Seen, name: str, value: object) -> None:
    """'`pvr_ml` and `prognosis_months` any number from 0 up'"""
    number = read_number(value)
    if isinstance(number, Fraction):
        seen.number[name] = number
    elif number == UNREAD:
        seen.not_understood(name)


def read_instant_field(seen: Seen, name: str, value: object) -> None:
    """Contract 2 gives `{earliest, latest}` to the two onsets only."""
    instant = read_instant(value)
    if isinstance(instant, Fraction):
        seen.instant[name] = instant
    elif instant == UNREAD:
        seen.not_understood(name)


def read_onset(seen: Seen, name: str, value: object) -> None:
    """'With `{earliest, latest}`, the later of the two is used; without a readable `latest` the
    onset is unknown.'"""
    if not isinstance(value, dict):
        read_instant_field(seen, name, value)
        return
    ends = {"earliest": read_instant(value.get("earliest"))}
    ends["latest"] = read_instant(value.get("latest"))
    for end, instant in ends.items():
        if instant == UNREAD:
            seen.not_understood(f"{name}.{end}")
    read_inner_names(seen, name, value, list(ends))
    earliest, latest = ends["earliest"], ends["latest"]
    if isinstance(latest, Fraction):
        later = latest
        if isinstance(earliest, Fraction) and earliest > latest:
            later = earliest
        seen.instant[name] = later


def read_items(seen: Seen, value: object) -> None:
    """'An item counts only with the points that 6.3 lists for it'"""
    if says_unknown(value):
        return
    if not isinstance(value, dict):
        seen.not_understood("sins_items")
        return
    for item, points in ITEM_POINTS.items():
        whole = read_whole(value.get(item))
        if isinstance(whole, int) and whole in points:
            seen.items[item] = whole
        elif whole != UNKNOWN:
            seen.not_understood(f"sins_items.{item}")
    read_inner_names(seen, "sins_items", value, list(ITEM_POINTS))


def read_inner_names(seen: Seen, name: str, value: Mapping[str, object], known: list[str]) -> None:
    """Names inside an object follow the rule for field names; paths are dotted (contract 3)."""
    for inner in value:
        if inner not in known:
            seen.unread.append(f"{name}.{inner}")
            if any(resembles(inner, one) for one in known):
                seen.review = True
