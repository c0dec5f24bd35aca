"""The evaluator: every row of the book is a conjunction of «variable is one of».

Each value of each variable has a bit mask of the rows that it *fails*. A patient's masks are joined
by OR; the rows whose bit is still clear fit. Derived findings are settled first, and add theirs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from triage.policies.tables import Derived, When


@dataclass(frozen=True, slots=True)
class Settled:
    """One derived finding: rows as (bit, value, mask that the value adds), in order."""

    name: str
    rows: tuple[tuple[int, str, int], ...]
    otherwise: tuple[str, int]

    def settle(self, failed: int) -> tuple[str, int]:
        """The finding's value and the rows that it fails."""
        for bit, value, mask in self.rows:
            if not failed & bit:
                return value, mask
        return self.otherwise


@dataclass(frozen=True, slots=True)
class Program:
    """Bits below `size` are the final rows, in the order they were given; above are derived rows.

    `final` is the mask of all final rows.

    `masks[variable][value]` holds what that value fails, of raw and of derived variables.
    """

    size: int
    final: int
    masks: Mapping[str, Mapping[str, int]]
    derived: tuple[Settled, ...]

    def settle(self, failed: int) -> tuple[dict[str, str], int]:
        """The derived findings, and which final rows fit, given what the raw variables fail."""
        settled = {}
        for each in self.derived:
            settled[each.name], mask = each.settle(failed)
            failed |= mask
        return settled, ~failed & self.final


def compile_program(
    variables: Mapping[str, Sequence[str]], derived: Sequence[Derived], rows: Sequence[When]
) -> Program:
    """Lay out the bits. Every variable and value that a row names must be in `variables`."""
    size = len(rows)
    settling = [row.when for each in derived for row in each.rows]
    bits = {name: dict.fromkeys(values, 0) for name, values in variables.items()}
    for each in derived:
        bits[each.name] = dict.fromkeys(values_of(each), 0)
    for position, when in enumerate([*rows, *settling]):
        for name, allowed in when.items():
            for value in bits[name].keys() - set(allowed):
                bits[name][value] |= 1 << position
    return Program(size, (1 << size) - 1, bits, tuple(_settled(derived, bits, size)))


def values_of(derived: Derived) -> tuple[str, ...]:
    """The values that a derived finding can take."""
    return tuple(dict.fromkeys([*(row.is_ for row in derived.rows), derived.otherwise]))


def _settled(
    derived: Sequence[Derived], bits: Mapping[str, Mapping[str, int]], start: int
) -> list[Settled]:
    settled, position = [], start
    for each in derived:
        rows = []
        for row in each.rows:
            rows.append((1 << position, row.is_, bits[each.name][row.is_]))
            position += 1
        otherwise = (each.otherwise, bits[each.name][each.otherwise])
        settled.append(Settled(each.name, tuple(rows), otherwise))
    return settled
