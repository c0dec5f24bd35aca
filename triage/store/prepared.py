"""Statements that are compiled once, and on SQLite go to the driver itself.

There a statement takes a few microseconds, and compiling, binding and wrapping it anew each time
takes many times that. On PostgreSQL the journey outweighs it: SQLAlchemy does all of it there.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import BindParameter, Executable
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.types import NullType, TypeEngine

_SQLITE = dialect(paramstyle="qmark")
Change = Callable[[Any], Any]


class Prepared:
    """One statement in both dialects. Its text must not depend on its parameters."""

    def __init__(self, sqlite: Executable, postgres: Executable | None = None) -> None:
        self._sqlite, self.postgres = sqlite, sqlite if postgres is None else postgres

    @cached_property
    def sql(self) -> str:
        """For SQLite, with a mark for each parameter."""
        return str(self._compiled)

    def parameters(self, given: Mapping[str, Any]) -> list[Any]:
        """In the order of the marks, as SQLite keeps them. KeyError for one that is missing."""
        return [
            own if name is None else write(given[name]) if write else given[name]
            for name, own, write in self._marks
        ]

    def read(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Rows as they were written."""
        readers = self._readers
        return [_read(row, readers) for row in rows] if readers else rows

    @cached_property
    def _compiled(self) -> Any:
        return self._sqlite.compile(dialect=_SQLITE)  # type: ignore[attr-defined]

    @cached_property
    def _marks(self) -> tuple[tuple[str | None, Any, Change | None], ...]:
        """For each mark the name of its parameter, or the value that is the statement's own."""
        compiled = self._compiled
        bound = {name: each for each, name in compiled.bind_names.items()}
        return tuple(_mark(name, bound[name]) for name in compiled.positiontup or ())

    @cached_property
    def _readers(self) -> tuple[tuple[int, Change], ...]:
        """Of the columns that are kept in another form than they are read in: place and reader."""
        columns = getattr(self._sqlite, "selected_columns", ())
        readers = enumerate(_reader(column.type) for column in columns)
        return tuple((place, reader) for place, reader in readers if reader)


def _read(row: tuple[Any, ...], readers: tuple[tuple[int, Change], ...]) -> tuple[Any, ...]:
    values = list(row)
    for place, read in readers:
        values[place] = read(values[place])
    return tuple(values)


def _mark(name: str, bound: BindParameter[Any]) -> tuple[str | None, Any, Change | None]:
    write = _writer(bound.type)
    if bound.required:
        return name, None, write
    return None, write(bound.value) if write else bound.value, None


def _writer(kind: TypeEngine[Any]) -> Change | None:
    return kind.dialect_impl(_SQLITE).bind_processor(_SQLITE)


def _reader(kind: TypeEngine[Any]) -> Change | None:
    if isinstance(kind, NullType):
        return None
    return kind.dialect_impl(_SQLITE).result_processor(_SQLITE, None)
