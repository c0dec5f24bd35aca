"""What happened in a run: one line each, hashed as it grows, and the marks that it came past."""

import hashlib
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

_LINES_KEPT = 4000


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(slots=True)
class Trace:
    """`digest` stands for every line; only the last lines are kept to be read."""

    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES_KEPT))
    marks: set[str] = field(default_factory=set)
    _hash: _Hash = field(default_factory=hashlib.sha256)

    def say(self, seconds: float, text: str) -> None:
        """One thing that happened, `seconds` after the start."""
        line = f"{seconds:.6f} {text}"
        self.lines.append(line)
        self._hash.update(f"{line}\n".encode())

    def reached(self, mark: str) -> None:
        """The run came past something that a campaign must come past."""
        self.marks.add(mark)

    @property
    def digest(self) -> str:
        """SHA-256 of every line so far."""
        return self._hash.hexdigest()
