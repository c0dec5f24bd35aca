"""What the watchman thinks of what it saw. Pure: the instant and the ticks come as arguments.

Ages are counted on a clock that nobody sets (`tick`, seconds that only rise): a loop stands still
when its stamp has not *changed* for too long, so a wrong wall clock neither hides nor invents it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from triage.escalation.watchman_sight import Away, Sight, Unheard

STALE_SECONDS = 60.0
# Counted from the last look that succeeded, so that the alarm is out within 60 s of the outage.
DATABASE_AWAY_SECONDS = 45.0
# Within this time an EMERGENT case has a page at a provider, or the louder alarm (invariant 8).
UNHEARD_SECONDS = 120.0
NEEDED = ("sweep", "relay")
IF_SEEN = ("audit",)
# Two canaries and what one may take, at the longest time between two.
_PATIENCE = {"canary": 660.0}

_WORDS = {
    "sweep": ("The deadline sweep", "no deadline is looked at", "restart the role escalate"),
    "relay": ("The relay", "no page goes out", "restart the role notify"),
    "consume": ("The Kafka consumer", "referrals on Kafka wait", "is Kafka up? Restart consume"),
    "canary": ("The canary", "a referral may not come through", "run triage doctor"),
    "audit": ("The auditor", "a lost page would not be found", "restart the role audit"),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong: a key that stays while it lasts, and sentences for a person."""

    key: str
    what: str
    hint: str


@dataclass(slots=True)
class Judge:
    """Remembers when each stamp last changed. `needed`: loops that must stamp, from the start."""

    needed: tuple[str, ...] = NEEDED
    _changed: dict[str, tuple[datetime | None, float]] = field(default_factory=dict)
    _seen_at: float | None = None
    _is_back: bool = False
    _pageless: frozenset[str] = frozenset()

    def judge(self, look: Sight | Away, now: datetime, tick: float) -> tuple[Trouble, ...]:
        """Everything that is wrong at `now`; empty when the check is passed.

        `tick` are seconds that only rise. While the database is away nothing else can be known.
        """
        if self._seen_at is None:
            self._seen_at = tick
        if isinstance(look, Away):
            self._is_back = True
            return tuple(self._database(look, tick - self._seen_at))
        loops = tuple(self._loops(look, now, tick))
        unheard = tuple(self._unheard(look, now))
        self._seen_at, self._is_back = tick, False
        return loops + unheard

    @staticmethod
    def _database(look: Away, seconds: float) -> Iterator[Trouble]:
        if seconds >= DATABASE_AWAY_SECONDS:
            yield Trouble(
                "database",
                f"The database has not answered for {seconds:.0f} s ({look.reason}):"
                " nothing is accepted, no page goes out.",
                "Telephone. Work from the printed call list; start the database.",
            )

    def _loops(self, look: Sight, now: datetime, tick: float) -> Iterator[Trouble]:
        seen = tuple(name for name in IF_SEEN if name in look.progress)
        for name in (*self.needed, *seen):
            seconds = self._standing(name, look.progress.get(name), now, tick)
            if seconds >= _PATIENCE.get(name, STALE_SECONDS):
                title, meaning, hint = _WORDS[name]
                what = f"{title} has not turned for {seconds:.0f} s: {meaning}."
                yield Trouble(name, what, f"Go through the board by hand; {hint}.")

    def _standing(self, name: str, at: datetime | None, now: datetime, tick: float) -> float:
        """Seconds since the stamp changed. At the first look its own age counts; after an outage
        of the database every loop gets its time again."""
        known = self._changed.get(name)
        if known is None:
            age = max((now - at).total_seconds(), 0.0) if at else 0.0
            self._changed[name] = (at, tick - age)
        elif self._is_back or known[0] != at:
            self._changed[name] = (at, tick)
        return tick - self._changed[name][1]

    def _unheard(self, look: Sight, now: datetime) -> Iterator[Trouble]:
        """A case without any page counts at the second look: it may just be on its way."""
        pageless = frozenset(each.case for each in look.unheard if not each.has_page)
        for each in look.unheard:
            is_sure = each.has_page or each.case in self._pageless
            if is_sure and (now - each.since).total_seconds() >= UNHEARD_SECONDS:
                yield _not_heard(each, now)
        self._pageless = pageless


def _not_heard(each: Unheard, now: datetime) -> Trouble:
    minutes = int((now - each.since).total_seconds() // 60)
    return Trouble(
        f"case {each.case}",
        f"EMERGENT case {each.case}: nobody owns it, and no provider has taken a page for it for"
        f" {minutes} min.",
        "Telephone the surgeon on call now; the number is on the call list.",
    )
