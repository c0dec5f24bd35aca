"""Which known names a name resembles: at most two insertions, deletions or substitutions away."""

from functools import lru_cache

NEAR = 2


def nearest(name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `known` that the name resembles without being one of them."""
    if len(name) > NEAR + max(map(len, known)):
        return ()
    return _nearest(name, known)


# A sender misspells the same way every time; the check above bounds what is kept.
@lru_cache(maxsize=4096)
def _nearest(name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(each for each in known if _is_near(name, each))


def _is_near(first: str, second: str) -> bool:
    if first == second or abs(len(first) - len(second)) > NEAR:
        return False
    # One edit brings in at most one letter and takes at most one away: most pairs end here.
    if len(set(first) ^ set(second)) > 2 * NEAR:
        return False
    return _distance(first, second) <= NEAR


def _distance(first: str, second: str) -> int:
    """Levenshtein's, row by row."""
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, start=1):
        above, row[0] = row[0], i
        for j, right in enumerate(second, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (left != right))
    return row[-1]
