"""Which sources are known, and of which side: the door asks here, never the payload."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Registered sources: the receiving side's own (`centre:NEURO`) and the hospitals'."""

    centres: frozenset[str] = frozenset()
    hospitals: frozenset[str] = frozenset()


NOBODY = Registry()
