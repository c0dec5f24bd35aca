"""One table of a roster file, read key by key; what is wrong with it is collected, not raised."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, overload

T = TypeVar("T")
D = TypeVar("D")


class Entry:
    """A TOML table at a place such as `person.reg-a`, and the problems of the whole file.

    Every reader of a key gives None or the default where the value is unusable; then a problem has
    been noted. `close` notes the keys that nobody asked for.
    """

    def __init__(self, place: str, values: object, problems: list[str]) -> None:
        self.place = place
        self._problems = problems
        self._asked: set[str] = set()
        self._values: Mapping[str, Any] = values if isinstance(values, Mapping) else {}
        if not isinstance(values, Mapping):
            self.note("", "is not a table")

    def note(self, key: str, problem: str) -> None:
        """A problem with a key of this table, or with the table itself (empty key)."""
        place = ".".join(part for part in (self.place, key) if part)
        self._problems.append(f"{place or 'roster'}: {problem}")

    def check_name(self, read: Callable[[Any], object], name: str) -> None:
        """Note what is wrong with the name under which this table stands."""
        try:
            read(name)
        except ValueError as error:
            self.note("", str(error))

    def needs(self, key: str, read: Callable[[Any], T]) -> T | None:
        """The value of a key that must be there."""
        if key not in self._values:
            self._asked.add(key)
            self.note(key, "is missing")
            return None
        return self.may_have(key, read, None)

    @overload
    def may_have(self, key: str, read: Callable[[Any], T]) -> T | None: ...
    @overload
    def may_have(self, key: str, read: Callable[[Any], T], default: D) -> T | D: ...
    def may_have(
        self, key: str, read: Callable[[Any], T], default: D | None = None
    ) -> T | D | None:
        """The value of a key, or the default where it is absent."""
        self._asked.add(key)
        if key not in self._values:
            return default
        try:
            return read(self._values[key])
        except ValueError as error:
            self.note(key, str(error))
            return default

    def names(self) -> tuple[str, ...]:
        """The keys that stand in this table."""
        return tuple(self._values)

    def tables(self, key: str) -> Iterator[tuple[str, "Entry"]]:
        """The named tables under a key, as (name, entry)."""
        self._asked.add(key)
        inner = self._values.get(key, {})
        if not isinstance(inner, Mapping):
            self.note(key, "is not a table")
            return
        for name, values in inner.items():
            yield name, self._inner(f"{key}.{name}", values)

    def rows(self, key: str) -> Iterator["Entry"]:
        """The tables of a list under a key; their places count from 1."""
        self._asked.add(key)
        inner = self._values.get(key, [])
        if not isinstance(inner, list):
            self.note(key, "is not a list of tables")
            return
        for number, values in enumerate(inner, start=1):
            yield self._inner(f"{key}[{number}]", values)

    def table(self, key: str) -> "Entry":
        """The one table under a key; an empty one where it is absent."""
        self._asked.add(key)
        return self._inner(key, self._values.get(key, {}))

    def close(self) -> None:
        """Note every key that no reader asked for."""
        for key in self._values:
            if key not in self._asked:
                allowed = ", ".join(sorted(self._asked)) or "none"
                self.note(key, f"unknown key; allowed: {allowed}")

    def _inner(self, place: str, values: object) -> "Entry":
        whole = f"{self.place}.{place}" if self.place else place
        return Entry(whole, values, self._problems)
