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


def sqlite_claim(
    *, table: str, key: str, ready: str, order: str, only: Only = EVERYTHING
) -> TextClause:
    """The keys whose `ready` instant has come, by lane, then by `order`."""
    emergent = _lane(table, key, ready, order, f"is_emergent = 1 AND {only.emergent}")
    lesser = _lane(table, key, ready, order, f"is_emergent = 0 AND {only.lesser}")
    return _with_now(
        f"SELECT {key} FROM (SELECT * FROM ({emergent} LIMIT :limit)"  # noqa: S608
        f" UNION ALL SELECT * FROM ({lesser} LIMIT :limit)) LIMIT :limit"
    )


def postgres_claim(
    *,
    table: str,
    key: str,
    ready: str,
    order: str,
    condition: str = "true",
    only: Only = EVERYTHING,
) -> TextClause:
    """The same, over rows that nobody else has locked, which it locks. `condition` is asked of the
    locked rows only; one that fails it stays locked until the transaction ends."""
    emergent = _lane(table, key, ready, order, f"is_emergent AND {only.emergent}")
    lesser = _lane(table, key, ready, order, f"NOT is_emergent AND {only.lesser}")
    return _with_now(
        f"WITH emergent AS MATERIALIZED ({emergent} LIMIT :limit FOR UPDATE SKIP LOCKED),"  # noqa: S608
        f" lesser AS MATERIALIZED ({lesser} LIMIT {_LEFT} FOR UPDATE SKIP LOCKED),"
        " lanes AS (SELECT *, 0 AS lane FROM emergent UNION ALL SELECT *, 1 FROM lesser)"
        f" SELECT {key} FROM lanes WHERE {condition} ORDER BY lane, {order}, {key}"
    )


def _lane(table: str, key: str, ready: str, order: str, which: str) -> str:
    return (
        f"SELECT {key}, {order} FROM {table} WHERE {which} AND {ready} <= :now"  # noqa: S608
        f" ORDER BY {order}, {key}"
    )


def _with_now(sql: str) -> TextClause:
    return text(sql).bindparams(instant_parameter("now"))
