"""From the texts of the book's files to a `PolicyBook`, or `UnsoundPolicy` naming the row."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from triage.domain.errors import UnsoundPolicy
from triage.policies.bands import bands, variables
from triage.policies.book import Compiled, Documents, PolicyBook
from triage.policies.outcome import outcomes
from triage.policies.program import compile_program
from triage.policies.read import vocabulary
from triage.policies.rows import lay_out
from triage.policies.schedule_tables import (
    AuthorityDocument,
    DeadlinesDocument,
    LaddersDocument,
    TimersDocument,
)
from triage.policies.sins import sins_table
from triage.policies.soundness import require_sound
from triage.policies.tables import (
    AssumptionsDocument,
    BookDocument,
    DerivedDocument,
    FieldRow,
    FlagsDocument,
    RemindersDocument,
    RulesDocument,
    SinsDocument,
)

_TYPES: Mapping[str, Any] = {
    "book": BookDocument,
    "findings": dict[str, FieldRow],
    "derived": DerivedDocument,
    "tiers": RulesDocument,
    "flags": FlagsDocument,
    "assumptions": AssumptionsDocument,
    "timers": TimersDocument,
    "deadlines": DeadlinesDocument,
    "ladders": LaddersDocument,
    "authority": AuthorityDocument,
    "sins": SinsDocument,
    "reminders": RemindersDocument,
    "sources": dict[str, str],
}
FILES = tuple(f"{name}.toml" for name in _TYPES)
_T = TypeVar("_T")


def load_policy_book(texts: Mapping[str, str]) -> PolicyBook:
    """The book from `{file name: TOML text}`; exactly the files of `FILES`.

    Raises UnsoundPolicy for a missing or unknown file, text that is no TOML, an unknown key, a
    duration without unit, an uncited row, or rows that name what does not exist.
    """
    parsed = {name: _parse(name, text) for name, text in sorted(texts.items())}
    if set(parsed) != set(FILES):
        odd = sorted(set(parsed) ^ set(FILES))
        raise UnsoundPolicy(f"policy book: missing or unknown file: {', '.join(odd)}")
    documents = Documents(**{name: _typed(name, parsed[f"{name}.toml"]) for name in _TYPES})
    require_sound(documents)
    return _compile(documents, _version(documents.book, parsed))


def _parse(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UnsoundPolicy(f"{name}: not TOML: {error}") from error


def _typed(name: str, content: dict[str, Any]) -> Any:
    try:
        return TypeAdapter(_TYPES[name]).validate_python(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = _where(content, first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise UnsoundPolicy(f"{name}.toml {where}: {reason}") from error


def _where(content: Any, path: tuple[int | str, ...]) -> str:
    """The path in words, rows named by their id where they have one."""
    words: list[str] = []
    for step in path:
        content = _step(content, step)
        words.append(f"row {step + 1}{_name(content)}" if isinstance(step, int) else step)
    return " / ".join(words)


def _name(row: Any) -> str:
    names = [row.get(key) for key in ("id", "name", "field")] if isinstance(row, dict) else []
    return next((f" {name}" for name in names if name), "")


def _step(content: Any, step: int | str) -> Any:
    if isinstance(content, dict) and isinstance(step, str):
        return content.get(step)
    if isinstance(content, list) and isinstance(step, int) and step < len(content):
        return content[step]
    return None


def _version(book: BookDocument, parsed: Mapping[str, Any]) -> str:
    """Comments and layout do not count; anything that is read does."""
    canonical = json.dumps(parsed, sort_keys=True, separators=(",", ":"), default=str)
    content = hashlib.sha256(canonical.encode()).hexdigest()[:8]
    return f"{book.version}+{content}" + ("-draft" if is_draft(book) else "")


def is_draft(book: BookDocument) -> bool:
    """Until somebody answers for it on every line of the signature block."""
    return not all(line.strip() for line in book.signature.model_dump().values())


def _compile(documents: Documents, version: str) -> PolicyBook:
    layout = lay_out(
        documents.tiers.rule,
        documents.flags.flag,
        documents.assumptions.assumption,
        documents.reminders.reminder,
    )
    fields, derived = documents.findings, documents.derived
    program = compile_program(variables(fields, derived), derived.derived, layout.rows)
    sins = sins_table(documents.sins)
    return PolicyBook(
        version=version,
        is_draft=is_draft(documents.book),
        documents=documents,
        compiled=Compiled(
            vocabulary=vocabulary(fields, sins),
            layout=layout,
            outcome=outcomes(layout),
            program=program,
            bands=bands(program, fields, derived, sins),
            rules={rule.id: rule for rule in documents.tiers.rule},
            flags={flag.id: flag for flag in documents.flags.flag},
        ),
    )
