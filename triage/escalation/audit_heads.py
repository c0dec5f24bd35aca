"""Heads of the case logs, published outside the database: a rewritten or cut log is found by them.

One line of JSON for each publication: the links that were new, and a Merkle root over the head of
every case. Each line names the hash of the line before, so that the file cannot be cut in the
middle unseen; copies elsewhere (the Kafka topic, a backup) tell of a cut at its end.
"""

import fcntl
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import select

from triage.domain.errors import TriageError
from triage.domain.events import CaseId
from triage.domain.instants import format_instant
from triage.escalation.audit_reading import AuditReading
from triage.store.rows import CaseLog, Cases, table_of

TOPIC = "triage.heads.v1"
HEADS_FILE = "heads.jsonl"
_CASES, _LOG = table_of(Cases).c, table_of(CaseLog).c
_BATCH = 1_000
_MOST = 5_000  # in a line: half a megabyte, which Kafka still takes; the next line has the rest
Head = tuple[int, str]  # number of the link, its hash


def merkle_root(heads: Mapping[CaseId, Head]) -> str:
    """SHA-256 over pairs, up to one; a leaf is `case:seq:hash`, in order of case ids.

    An odd node goes up as it is. Leaves and nodes are hashed with different first bytes, so that
    neither can stand for the other. Empty for no case.
    """
    level = [
        hashlib.sha256(f"\0{case}:{seq}:{link}".encode()).digest()
        for case, (seq, link) in sorted(heads.items())
    ]
    while len(level) > 1:
        pairs = [level[start : start + 2] for start in range(0, len(level), 2)]
        level = [
            hashlib.sha256(b"\1" + pair[0] + pair[1]).digest() if len(pair) == 2 else pair[0]
            for pair in pairs
        ]
    return level[0].hex() if level else ""


@dataclass(slots=True)
class Published:
    """What has been published so far: the newest head of each case, and the last line's hash."""

    heads: dict[CaseId, Head] = field(default_factory=dict)
    last_line: str = ""
    root: str = ""

    def take(self, line: bytes) -> tuple[str, dict[CaseId, Head]]:
        """One more line; gives its instant and its new heads. ValueError says what is wrong."""
        try:
            told: dict[str, Any] = orjson.loads(line)
            new = {CaseId(case): (int(at[0]), str(at[1])) for case, at in told["new"].items()}
            previous, instant = str(told["previous"]), str(told["at"])
        except (ValueError, KeyError, TypeError, IndexError):
            raise ValueError("is no line of heads") from None
        if previous != self.last_line:
            raise ValueError("does not follow the line before it")
        self.heads |= new
        self.root = str(told.get("root"))
        self.last_line = hashlib.sha256(line).hexdigest()
        return instant, new


class HeadsFile:
    """The file of published heads; several processes may append to it.

    `is_behind`: the last publication was full, so that more waits for the next one.
    """

    def __init__(self, file: Path) -> None:
        self.is_behind = False
        self._file = file
        self._published = Published()
        self._size = 0

    def publish(self, reading: AuditReading, now: datetime) -> bytes | None:
        """Append what is new; gives the line, None when nothing is. Raises TriageError for a file
        that cannot be written or is not what was written."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab") as out:
                fcntl.flock(out, fcntl.LOCK_EX)
                self._catch_up(out.tell())
                line = self._line(reading, now)
                if line is not None:
                    out.write(line + b"\n")
                    out.flush()
                    self._published.take(line)
                    self._size = out.tell()
                return line
        except OSError as error:
            raise TriageError(f"heads file: {self._file.name}: {error.strerror}") from None

    def _catch_up(self, size: int) -> None:
        """Read what others have appended, or all of it at the start."""
        if size == self._size:
            return
        self._published = Published()
        for _ in read_heads(self._file, self._published):
            continue
        self._size = size

    def _line(self, reading: AuditReading, now: datetime) -> bytes | None:
        known = self._published.heads
        rows = reading.choose(select(_CASES.case_id, _CASES.head))
        changed = [
            (case, head) for case, head in rows if head and known.get(case, (0, ""))[1] != head
        ]
        if not changed:
            return None
        new = dict(islice(_numbered(reading, changed), _MOST))
        self.is_behind = len(new) == _MOST
        if not new:
            return None
        root = merkle_root(known | new)
        told = {
            "at": format_instant(now),
            "previous": self._published.last_line,
            "cases": len(known | new),
            "root": root,
            "new": new,
        }
        return orjson.dumps(told)


def _numbered(
    reading: AuditReading, heads: Sequence[tuple[CaseId, str]]
) -> Iterator[tuple[CaseId, Head]]:
    """Heads with the number of their link; one without a link is the auditor's to find."""
    for start in range(0, len(heads), _BATCH):
        wanted = dict(heads[start : start + _BATCH])
        chosen = select(_LOG.case_id, _LOG.seq, _LOG.hash).where(
            _LOG.case_id.in_(list(wanted)), _LOG.hash.in_(list(wanted.values()))
        )
        for case, seq, link in reading.choose(chosen):
            if wanted[case] == link:
                yield case, (seq, link)


def read_heads(file: Path, published: Published) -> Iterator[tuple[str, dict[CaseId, Head]]]:
    """Each line's instant and new heads, into `published`. Raises TriageError naming the line."""
    try:
        lines: Iterable[bytes] = file.read_bytes().splitlines()
    except OSError as error:
        raise TriageError(f"heads file: {file}: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        try:
            yield published.take(line)
        except ValueError as error:
            raise TriageError(
                f"heads file: {file.name} line {number} {error}",
                hint="compare it with a copy: the topic triage.heads.v1, or a backup",
            ) from None
    if published.root != merkle_root(published.heads):
        raise TriageError(f"heads file: {file.name}: its last root is not that of its heads")
