"""What folds stand on besides the log: this program's rules of folding, and the roster.

A row that was folded on another basis may differ without any loss: after an upgrade, or with a new
roster. Such a row is folded again and is no finding.
"""

import hashlib
from collections.abc import Iterator, Mapping, Set
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path

from triage.handle import Desk

_ROOT = Path(__file__).parents[1]
_FOLDING = ("domain", "policies", "workflow", "recording")


def basis_of(desk: Desk) -> str:
    """The same for the same program and roster, in any process."""
    digest = hashlib.sha256(_program().encode())
    for part in _parts(desk.roster):
        digest.update(part.encode())
    return digest.hexdigest()


def _parts(value: object) -> Iterator[str]:
    """A value's text, the same in every process: sets and mappings have no order of their own."""
    if is_dataclass(value):
        yield type(value).__name__
        for each in fields(value):
            if each.repr:  # not addresses and secrets of routes, which no fold looks at
                yield f"\x1f{each.name}="
                yield from _parts(getattr(value, each.name))
    elif isinstance(value, Mapping):
        for key in sorted(value, key=repr):
            yield f"\x1f{key!r}:"
            yield from _parts(value[key])
    elif isinstance(value, Set):
        yield "\x1f".join(sorted(map(repr, value)))
    elif isinstance(value, tuple | list):
        for each in value:
            yield "\x1f"
            yield from _parts(each)
    else:
        yield repr(value)


@cache
def _program() -> str:
    files = [file for folder in _FOLDING for file in sorted((_ROOT / folder).rglob("*.py"))]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()
