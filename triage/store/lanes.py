"""Claims that serve EMERGENT first: two short walks along an index, never a sort of all that waits.

Both statements take `:now` and `:limit`. The arguments are names of ours, never input.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import TextClause, text

from triage.store.session import instant_parameter

_LEFT = "greatest(:limit - (SELECT count(*) FROM emergent), 0)"


@dataclass(frozen=True, slots=True)
class Only:
    """Narrows the lanes to rows for which these conditions hold."""

    emergent: str = "true"
    lesser: str = "true"


EVERYTHING = Only()


def sqlite_claim(
    *,
    table: str,
    key: str,
    ready: str,
    order: str,
    gives: Sequence[str] = (),
    only: Only = EVERYTHING,
) -> TextClause:
    """The keys whose `ready` instant has come, by lane, then by `order`; with the columns that it
    `gives`."""
    lane = partial(_lane, table, _read(key, order, gives), key, ready, order)
    emergent = lane(f"is_emergent = 1 AND {only.emergent}")
    lesser = lane(f"is_emergent = 0 AND {only.lesser}")
    return _with_now(
        f"SELECT {', '.join((key, *gives))} FROM (SELECT * FROM ({emergent} LIMIT :limit)"  # noqa: S608
        f" UNION ALL SELECT * FROM ({lesser} LIMIT :limit)) LIMIT :limit"
    )


def postgres_claim(
    *,
    table: str,
    key: str,
    ready: str,
    order: str,
    gives: Sequence[str] = (),
    condition: str = "true",
    only: Only = EVERYTHING,
) -> TextClause:
    """The same, over rows that nobody else has locked, which it locks. `condition` is asked of the
    locked rows only; one that fails it stays locked until the transaction ends."""
    lane = partial(_lane, table, _read(key, order, gives), key, ready, order)
    emergent = lane(f"is_emergent AND {only.emergent}")
    lesser = lane(f"NOT is_emergent AND {only.lesser}")
    return _with_now(
        f"WITH emergent AS MATERIALIZED ({emergent} LIMIT :limit FOR UPDATE SKIP LOCKED),"  # noqa: S608
        f" lesser AS MATERIALIZED ({lesser} LIMIT {_LEFT} FOR UPDATE SKIP LOCKED),"
        " lanes AS (SELECT *, 0 AS lane FROM emergent UNION ALL SELECT *, 1 FROM lesser)"
        f" SELECT {', '.join((key, *gives))} FROM lanes WHERE {condition}"
        f" ORDER BY lane, {order}, {key}"
    )


def _read(key: str, order: str, gives: Sequence[str]) -> str:
    """Each column once."""
    return ", ".join(dict.fromkeys((key, *order.split(", "), *gives)))


def _lane(table: str, columns: str, key: str, ready: str, order: str, which: str) -> str:
    return (
        f"SELECT {columns} FROM {table} WHERE {which} AND {ready} <= :now"  # noqa: S608
        f" ORDER BY {order}, {key}"
    )


def _with_now(sql: str) -> TextClause:
    return text(sql).bindparams(instant_parameter("now"))
