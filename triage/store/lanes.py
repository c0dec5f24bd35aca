"""Claims that serve EMERGENT first: two short walks along an index, never a sort of all that waits.

Both statements take `:now` and `:limit`. The arguments are names of ours, never input.
"""

from dataclasses import dataclass

from sqlalchemy import TextClause, text

from triage.store.session import instant_parameter

_LEFT = "greatest(:limit - (SELECT count(*) FROM emergent), 0)"


@dataclass(frozen=True, slots=True)
class Only:
    """Narrows the lanes to rows for which these conditions hold."""

    emergent: str = "true"
    lesser: str = "true"


EVERYTHING = Only()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lanes:
    """The rows of a table whose `ready` instant has come, by lane, then by `order`. A claim gives
    their `key`, and the columns that it `gives`."""

    table: str
    key: str
    ready: str
    order: str
    gives: tuple[str, ...] = ()

    def sqlite(self, only: Only = EVERYTHING) -> TextClause:
        """The keys; SQLite's one writer has locked everything already."""
        emergent = self._lane(f"is_emergent = 1 AND {only.emergent}")
        lesser = self._lane(f"is_emergent = 0 AND {only.lesser}")
        return _with_now(
            f"SELECT {self._given} FROM (SELECT * FROM ({emergent} LIMIT :limit)"  # noqa: S608
            f" UNION ALL SELECT * FROM ({lesser} LIMIT :limit)) LIMIT :limit"
        )

    def postgres(self, *, condition: str = "true", only: Only = EVERYTHING) -> TextClause:
        """The same, over rows that nobody else has locked, which it locks. `condition` is asked of
        the locked rows only; one that fails it stays locked until the transaction ends."""
        emergent = self._lane(f"is_emergent AND {only.emergent}")
        lesser = self._lane(f"NOT is_emergent AND {only.lesser}")
        return _with_now(
            f"WITH emergent AS MATERIALIZED ({emergent} LIMIT :limit FOR UPDATE SKIP LOCKED),"  # noqa: S608
            f" lesser AS MATERIALIZED ({lesser} LIMIT {_LEFT} FOR UPDATE SKIP LOCKED),"
            " lanes AS (SELECT *, 0 AS lane FROM emergent UNION ALL SELECT *, 1 FROM lesser)"
            f" SELECT {self._given} FROM lanes WHERE {condition}"
            f" ORDER BY lane, {self.order}, {self.key}"
        )

    @property
    def _given(self) -> str:
        return ", ".join((self.key, *self.gives))

    def _lane(self, which: str) -> str:
        columns = dict.fromkeys((self.key, *self.order.split(", "), *self.gives))  # each once
        return (
            f"SELECT {', '.join(columns)} FROM {self.table}"  # noqa: S608
            f" WHERE {which} AND {self.ready} <= :now ORDER BY {self.order}, {self.key}"
        )


def _with_now(sql: str) -> TextClause:
    return text(sql).bindparams(instant_parameter("now"))
