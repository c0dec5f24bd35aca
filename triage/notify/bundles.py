"""Lesser pages that meet: several to one person by one route go as one message that lists them."""

from collections.abc import Callable, Hashable, Iterator, Sequence

from triage.domain.paging import ClaimedPage
from triage.domain.tiers import Tier

MOST = 12  # pages in one message: a text message holds no more


def bundles(
    claims: Sequence[ClaimedPage], list_key: Callable[[ClaimedPage], Hashable | None]
) -> Iterator[Sequence[ClaimedPage]]:
    """The claims in groups of 1 to MOST; those that go alone (key None) first, EMERGENT before all.

    Pages with equal keys share a message.
    """
    waiting: dict[Hashable, list[ClaimedPage]] = {}
    for claim in sorted(claims, key=lambda claim: claim.order.tier is not Tier.EMERGENT):
        key = list_key(claim)
        if key is None:
            yield (claim,)
        else:
            waiting.setdefault(key, []).append(claim)
    for group in waiting.values():
        for start in range(0, len(group), MOST):
            yield tuple(group[start : start + MOST])
