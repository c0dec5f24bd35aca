"""Whether a consumer still reads what lay on the bus when it came, told to those who page."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

_MANY = 500  # records unread: more than a batch, so this consumer has fallen behind
_JOINING_LOOKS = 8

Offsets = Mapping[TopicPartition, int]


@dataclass(slots=True)
class CatchingUp:
    """Behind from its start, and whenever it falls far behind, until what then lay there is read.

    `say` is called with True at each look while it is behind, with False once when it is not any
    more; it may raise StoreUnavailable, and is then asked again at the next look.
    """

    say: Callable[[bool], Awaitable[None]]
    is_behind: bool = True
    _goal: Offsets | None = None
    _said: bool = True  # perhaps: the door says it before its first consumer, or before a crash
    _looks_without: int = 0

    async def look(self, ends: Offsets, reached: Offsets) -> None:
        """`ends` of the partitions that are ours now; `reached` = their next offsets, as stored."""
        self._judge(ends, reached)
        if self.is_behind or self._said:
            self._said = True
            await self.say(self.is_behind)
            self._said = self.is_behind

    def _judge(self, ends: Offsets, reached: Offsets) -> None:
        if not ends:
            self._without_partitions()
            return
        self._looks_without = 0
        unread = sum(max(0, end - reached.get(place, 0)) for place, end in ends.items())
        is_new = self._goal is None or self._goal.keys() != ends.keys()
        if is_new or (not self.is_behind and unread > _MANY):
            self._goal = dict(ends)
            self.is_behind = True
        goal = self._goal or {}
        self.is_behind = self.is_behind and not all(
            place in reached and reached[place] >= end for place, end in goal.items()
        )

    def _without_partitions(self) -> None:
        """The group is still being divided, or there are more consumers than partitions."""
        self._goal = None
        self._looks_without += 1
        if self._looks_without >= _JOINING_LOOKS:
            self.is_behind = False
