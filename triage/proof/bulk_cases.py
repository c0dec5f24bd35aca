"""Very many cases in a PostgreSQL, made from a few that the production code opened.

A copy is what `handle` would have written for another referral with the same findings at the same
instant: other ids in every row, and a chain of its own. That a copy is a sound case is not taken on
trust: the auditor folds it and finds nothing (`triage bench audit`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from triage.domain.case_id import case_id
from triage.domain.chain import link_hash
from triage.domain.paging import short_tag

# The log first: its new hashes are what the other rows name.
_TABLES = {
    "case_log": "case_id = ANY(%s) ORDER BY case_id, seq",
    "cases": "case_id = ANY(%s)",
    "page": "case_id = ANY(%s)",
    "journal": "case_id = ANY(%s) ORDER BY seq",
    "completed_leg": "case_id = ANY(%s)",
    "page_attempt": "page IN (SELECT page FROM page WHERE case_id = ANY(%s))",
}
_COUNTED = {"journal": "seq"}  # by the database
_LOG = ("document", "previous_hash", "hash")


def names_of(source: str, subject: str) -> tuple[str, ...]:
    """Everything that stands for one referral of the benchmarks, each in its place: case id,
    subject (the event's id also), content hash, tag of the first run."""
    content = short_tag(subject)
    case = case_id(f"{source}/{subject}")
    return (case, subject, content, short_tag(source, subject, content))


@dataclass(slots=True)
class _Template:
    """One case's rows by table, their texts cut at every name that another case has otherwise."""

    names: tuple[str, ...]
    rows: dict[str, list[list[Any]]]
    columns: Mapping[str, Sequence[str]]

    def copies(self, table: str, names: Mapping[str, str]) -> Iterator[list[Any]]:
        for row in self.rows.get(table, ()):
            yield [
                "".join(names.get(part, part) for part in each) if type(each) is list else each
                for each in row
            ]

    def links(self, names: dict[str, str]) -> Iterator[list[Any]]:
        """The log under other names; the hashes join the names."""
        at = [self.columns["case_log"].index(name) for name in _LOG]
        previous = ""
        for row in self.copies("case_log", names):
            old = row[at[2]]
            row[at[1]], row[at[2]] = previous, link_hash(previous, row[at[0]])
            previous = names[old] = row[at[2]]
            yield row


def multiply(libpq: str, source: str, subjects: Sequence[str], copies: Sequence[str]) -> None:
    """For each subject in `copies` the case of the next one of `subjects`, in one transaction."""
    with psycopg.connect(libpq) as connection:
        templates, columns = _read(connection, source, subjects)
        made: list[tuple[_Template, dict[str, str]]] = []
        for number, subject in enumerate(copies):
            template = templates[number % len(templates)]
            new = names_of(source, subject)
            made.append((template, dict(zip(template.names, new, strict=True))))
        for table in _TABLES:
            named = [c for c in columns[table] if c != _COUNTED.get(table)]
            skip = [n for n, c in enumerate(columns[table]) if c == _COUNTED.get(table)]
            with connection.cursor().copy(_copy(table, named)) as out:
                for template, names in made:
                    rows = (
                        template.links(names)
                        if table == "case_log"
                        else template.copies(table, names)
                    )
                    for row in rows:
                        out.write_row([v for n, v in enumerate(row) if n not in skip])


def _copy(table: str, columns: Sequence[str]) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)


def _read(
    connection: psycopg.Connection[Any], source: str, subjects: Sequence[str]
) -> tuple[list[_Template], dict[str, list[str]]]:
    names = {case_id(f"{source}/{subject}"): names_of(source, subject) for subject in subjects}
    columns: dict[str, list[str]] = {}
    templates = {case: _Template(own, {}, columns) for case, own in names.items()}
    for table, which in _TABLES.items():
        found = connection.execute(f"SELECT * FROM {table} WHERE {which}", [list(names)])  # noqa: S608
        columns[table] = [each.name for each in found.description or ()]
        by = columns[table].index("page" if table == "page_attempt" else "case_id")
        for row in found:
            template = templates[row[by].partition(".")[0]]
            template.rows.setdefault(table, []).append([_cut(v, template) for v in row])
    return list(templates.values()), columns


def _cut(value: Any, template: _Template) -> Any:
    """A text as its parts, names and hashes by themselves; anything else as it is."""
    if not isinstance(value, str):
        return value
    hashes = {"".join(row[-1]) for row in template.rows.get("case_log", ())}
    return re.split(f"({'|'.join(map(re.escape, {*template.names, *hashes}))})", value)
