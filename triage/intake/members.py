"""The members of a JSON array as the bytes that were sent, so that each can be kept by itself."""

import re

# Matches at every quote, also one that is never closed: one pass, whatever the bytes are.
_MARK = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{},]', re.DOTALL)
_CHANGE = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
_BLANK = b" \t\r\n"


def is_array(raw: bytes) -> bool:
    """Whether the bytes begin as a JSON array does."""
    return raw.lstrip(_BLANK)[:1] == b"["


def members(raw: bytes) -> list[bytes] | None:
    """The members of an array, in order, each without the blanks around it.

    None where the brackets do not close, or close before the end. The members need not be JSON.
    """
    found: list[bytes] = []
    depth = start = 0
    for mark in _MARK.finditer(raw):
        depth += _CHANGE.get(mark[0], 0)
        if depth == 1 and mark[0] == b"[":
            start = mark.end()
        elif (depth == 1 and mark[0] == b",") or (depth == 0 and mark[0] == b"]"):
            found.append(raw[start : mark.start()].strip(_BLANK))
            start = mark.end()
        if depth <= 0:
            break
    if depth != 0 or raw[start:].strip(_BLANK):
        return None
    return [] if found == [b""] else found
