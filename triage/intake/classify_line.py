"""One JSON line in, one JSON object out: what `triage classify` does with each line."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from triage.domain.instants import parse_instant
from triage.intake.strict_json import UnreadableJson, read_json
from triage.policies.book import PolicyBook
from triage.policies.classify import classify
from triage.policies.read import read_findings

_LONGEST = 80
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def classify_line(text: bytes, number: int, book: PolicyBook) -> tuple[dict[str, Any], bool] | None:
    """The answer to one line and whether it could be read; None for a blank line.

    Answer and error have the shapes of contract section 3; `number` is the line's, from 1.
    """
    if not text.strip():
        return None
    try:
        line = read_json(text)
        if type(line) is not dict:
            raise UnreadableJson("", line, "an object", "Send one object on each line.")
        return _answer(line, book), True
    except UnreadableJson as error:
        return _error(error, number), False


def classify_stream(
    lines: Iterable[bytes], write: Callable[[bytes], object], book: PolicyBook
) -> int:
    """Answer every line in order; the exit status is 1 when any could not be read, else 0."""
    status = 0
    for number, text in enumerate(lines, start=1):
        if number == 1:
            text = text.removeprefix(_BYTE_ORDER_MARK)
        answered = classify_line(text, number, book)
        if answered is not None:
            write(orjson.dumps(answered[0], option=orjson.OPT_APPEND_NEWLINE))
            status |= not answered[1]
    return status


def _answer(line: dict[str, Any], book: PolicyBook) -> dict[str, Any]:
    now, findings = parse_instant(line.get("now")), line.get("findings")
    if now is None:
        raise UnreadableJson(
            "now",
            line.get("now"),
            "an RFC 3339 instant with an offset",
            "Write it as 2026-03-10T08:00:00Z.",
            line,
        )
    if type(findings) is not dict:
        raise UnreadableJson(
            "findings", findings, "an object", "Send {} where nothing is known.", line
        )
    reading = read_findings(findings, book)
    found = classify(reading.findings, book, now=now)
    return {
        "id": line.get("id"),
        "tier": found.tier,
        "rules": found.rules,
        "all_rules": found.all_rules,
        "flags": found.flags,
        "unread": reading.unread,
        "policy": found.policy,
        "reasons": found.reasons,
    }


def _error(error: UnreadableJson, number: int) -> dict[str, Any]:
    document = error.document if isinstance(error.document, dict) else {}
    name = None if error.path.partition(".")[0] == "id" else document.get("id")
    return {
        "id": name if _written(name) is not None else None,
        "line": number,
        "error": {
            "path": error.path,
            "value": _shown(error.value),
            "allowed": error.allowed,
            "hint": error.hint,
        },
    }


def _shown(value: object) -> object:
    """The value as sent where it is short, otherwise its beginning as text."""
    written = _written(value)
    if written is None:
        return json.dumps(value)[:_LONGEST]
    return value if len(written) <= _LONGEST else written[:_LONGEST].decode(errors="ignore") + "…"


def _written(value: object) -> bytes | None:
    """As JSON; None for text with half a surrogate pair, which no UTF-8 can hold."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return None
