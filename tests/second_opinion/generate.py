"""Seeded `triage classify` lines: valid, on the boundary, oddly written, misspelt.

The same seed gives the same lines. Every line is JSON that both classifiers can be handed
as text; line-level faults (no `now`, not an object) are not made here.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.second_opinion.odd_values import (
    AGES,
    BENIGN,
    ITEM_NAMES,
    NUMBER_EDGES,
    NUMBER_ODD,
    ODD,
    OFFSETS,
    OTHER_NAMES,
    UNREADABLE_INSTANTS,
    WHOLE_EDGES,
    WHOLE_ODD,
    Json,
)
from tests.second_opinion.vocabulary import FIELDS, ITEM_POINTS, NUMBERS, ONSETS, TEXT, WHOLE

NOW = datetime.fromisoformat("2026-03-10T08:00:00+00:00")
NOWS = [
    "2026-03-10T08:00:00Z",
    "2026-03-10T08:00:00+00:00",
    "2026-03-10T09:00:00+01:00",
    "2026-03-10T08:00:00.000000Z",
]


def lines(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """`count` parsed lines; each is made from the seed and its own number, so that one line can be
    made again without those before it."""
    for number in range(count):
        yield line(seed, number)


def line(seed: int, number: int) -> dict[str, Any]:
    """One parsed line; its id is `<seed>-<number>`."""
    rng = random.Random(f"{seed}-{number}")
    return {"id": f"{seed}-{number}", "now": rng.choice(NOWS), "findings": findings(rng)}


def findings(rng: random.Random) -> dict[str, Json]:
    """A case that is nearly complete, half told or sparse, and clean, mostly clean or a mess."""
    share_sent = rng.choice([0.97, 0.9, 0.6, 0.25])
    share_odd = rng.choice([0.0, 0.0, 0.03, 0.15, 0.5])
    share_benign = rng.choice([0.0, 0.3, 0.7, 0.95])
    made: dict[str, Json] = {}
    for field in FIELDS:
        if rng.random() < share_sent:
            made[field] = value(rng, field, share_odd, share_benign)
    if rng.random() < share_odd * 2:
        for name in rng.sample(OTHER_NAMES, rng.choice([1, 1, 2, 4])):
            made[name] = rng.choice(["E", "severe", "none", "intramedullary", 3, None, "unknown"])
    shuffled = list(made.items())
    rng.shuffle(shuffled)
    return dict(shuffled)


def value(rng: random.Random, field: str, share_odd: float, share_benign: float) -> Json:
    """A value for one field: unknown now and then, else odd, else benign, else any."""
    if rng.random() < 0.06:
        return rng.choice([None, "unknown", " Unknown", "UNKNOWN"])
    odd = rng.random() < share_odd
    if field in ONSETS or field == "previous_ais_at":
        return onset(rng, odd)
    if field == "sins_items":
        return items(rng, odd, share_benign)
    if field in WHOLE:
        return rng.choice(WHOLE_ODD + ODD) if odd else whole(rng, field, share_benign)
    if field in NUMBERS:
        return rng.choice(NUMBER_ODD + ODD) if odd else number(rng, field, share_benign)
    return text(rng, field, odd, share_benign)


def text(rng: random.Random, field: str, odd: bool, share_benign: float) -> Json:
    """A listed word, upper or lower case; when odd, in odd dress or not a listed word at all."""
    word = rng.choice(TEXT[field])
    if field in BENIGN and rng.random() < share_benign:
        word = BENIGN[field]
    if not odd:
        return word.upper() if field in ("ais", "previous_ais", "level") else word
    dress = rng.randrange(4)
    if dress == 0:
        return rng.choice([f" {word}", f"{word}\t", word.upper(), word.title(), f"\n{word} "])
    if dress == 1:
        return rng.choice([word + "x", word[:-1], word.replace("_", " "), word + ".0", [word]])
    if dress == 2 and word.isdigit():
        return rng.choice([int(word), float(word), int(word) + 0.5])
    return rng.choice(ODD)


def whole(rng: random.Random, field: str, share_benign: float) -> Json:
    """A number on or near an edge, as a number or as text; or any within the range."""
    low, high = WHOLE[field]
    if rng.random() < share_benign:
        return rng.choice([0, 3, 6]) if field == "sins" else 90
    if rng.random() < 0.5:
        return rng.choice(WHOLE_EDGES[field])
    return rng.randint(low, high)


def number(rng: random.Random, field: str, share_benign: float) -> Json:
    """As `whole`, for the two fields that may have a fraction."""
    if rng.random() < share_benign:
        return 20 if field == "pvr_ml" else 24
    if rng.random() < 0.7:
        return rng.choice(NUMBER_EDGES[field])
    return rng.choice([rng.randint(0, 999), round(rng.uniform(0, 400), 2)])


def items(rng: random.Random, odd: bool, share_benign: float) -> Json:
    """All six items, or some of them, or one; when odd, with points that 6.3 does not list."""
    if odd and rng.random() < 0.3:
        return rng.choice(ODD)
    share = rng.choice([1.0, 1.0, 0.8, 0.4, 0.15])
    made: dict[str, Json] = {}
    for item, points in ITEM_POINTS.items():
        if rng.random() < share:
            made[item] = 0 if rng.random() < share_benign else rng.choice(points)
            if odd and rng.random() < 0.4:
                made[item] = rng.choice([-1, 2, 4, 5, "1", " 0 ", 1.0, 0.5, "2.5", None, *ODD])
    if rng.random() < 0.08:
        return {"location": rng.choice([0, 1, 2, 3])}
    if odd and rng.random() < 0.3:
        made[rng.choice(ITEM_NAMES)] = rng.choice([0, 3, None, "x"])
    return made


def onset(rng: random.Random, odd: bool) -> Json:
    """An instant, or the two ends of a span, in either order."""
    if odd and rng.random() < 0.4:
        return rng.choice(UNREADABLE_INSTANTS + ODD)
    if rng.random() < 0.7:
        return instant(rng, odd)
    span: dict[str, Json] = {}
    for end in ("earliest", "latest"):
        if rng.random() < 0.9:
            span[end] = instant(rng, odd)
        if odd and rng.random() < 0.3:
            span[end] = rng.choice(UNREADABLE_INSTANTS + ODD)
    if odd and rng.random() < 0.2:
        span[rng.choice(["lates", "Latest", "about", ""])] = instant(rng, odd)
    return span


def instant(rng: random.Random, odd: bool) -> str:
    """RFC 3339 text some time before `NOW`, at some offset, with or without a fraction."""
    at = NOW - rng.choice(AGES)
    offset = rng.choice(OFFSETS)
    local = (at + timedelta(minutes=offset)).replace(tzinfo=None).isoformat()
    sign = "-" if offset < 0 else "+"
    zone = f"{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    if offset == 0:
        zone = rng.choice(["Z", "+00:00", "-00:00"])
    written = local + zone
    if not odd:
        return written
    return rng.choice([written.lower(), f" {written} ", written.replace("T", " "), written])
