"""What one metric is."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How the value behaves."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One metric; `name` as exposed (a counter with `_total`, an info with `_info`)."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
