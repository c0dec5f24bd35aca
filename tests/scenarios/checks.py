"""What a scenario's `then` may ask of a case, its new pages and the answer to the step's event.

A check gives None when what was wanted is there, otherwise what was there instead.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from tests.scenarios.house import Sent
from tests.scenarios.script import label
from tests.scenarios.words import read_instant, since_start
from triage.handle import Outcome

_OWED_KEYS = {
    "what",
    "clock",
    "from",
    "due",
    "met",
    "ended",
    "breached",
    "holders",
    "leg",
    "cause",
    "count",
}
_INSTANTS = ("from", "due", "met", "ended")


def only(table: Mapping[str, Any], allowed: set[str], where: str) -> None:
    """No key but the allowed ones: an expectation that is misspelt must not pass."""
    unknown = table.keys() - allowed
    assert not unknown, f"{where}: unknown {sorted(unknown)}; allowed: {sorted(allowed)}"


class Seen:
    """The case as people see it, pages since the last look, and the answer to the event."""

    def __init__(
        self,
        document: Mapping[str, Any],
        pages: Sequence[Sent],
        outcome: Outcome | None,
        start: datetime,
    ) -> None:
        self.document, self.pages, self.outcome, self.start = document, pages, outcome, start

    def instant(self, text: str | None) -> str:
        """An instant of the document in the scenario's words."""
        return since_start(datetime.fromisoformat(text) if text else None, self.start)


Check = Callable[[Seen, Any], str | None]


def _same(key: str) -> Check:
    def check(seen: Seen, wanted: Any) -> str | None:
        there = seen.document.get(key)
        return None if there == wanted else repr(there)

    return check


def _includes(key: str, *, is_wanted: bool = True) -> Check:
    def check(seen: Seen, wanted: list[str]) -> str | None:
        there = set(seen.document.get(key, ()))
        wrong = [each for each in wanted if (each in there) is not is_wanted]
        return f"{sorted(there)}" if wrong else None

    return check


def _owner(seen: Seen, wanted: str) -> str | None:
    owner = seen.document.get("owner")
    role = owner["role"].replace("_", " ") if owner else "nobody"
    return None if role == wanted else role


def _owner_named(seen: Seen, wanted: str) -> str | None:
    name = (seen.document.get("owner") or {}).get("name")
    return None if name == wanted else repr(name)


def _owner_leaves(seen: Seen, wanted: str) -> str | None:
    found = seen.instant((seen.document.get("owner") or {}).get("shift_ends_at"))
    return None if found == wanted else found


def _pages_asking(seen: Seen, wanted: list[str]) -> str | None:
    """What the pages about the case itself ask of whom."""
    found = sorted(
        f"{each.order.person}: {each.order.asked}"
        for each in seen.pages
        if each.order.obligation == "acknowledgement"
    )
    return None if found == sorted(wanted) else f"{found}"


def _pages(seen: Seen, wanted: list[str]) -> str | None:
    found = sorted(label(each) for each in seen.pages)
    return None if found == sorted(wanted) else f"{found}"


def _pages_include(seen: Seen, wanted: list[str]) -> str | None:
    found = Counter(label(each) for each in seen.pages)
    return f"{sorted(found)}" if Counter(wanted) - found else None


def _pages_about(seen: Seen, wanted: Mapping[str, list[str]]) -> str | None:
    wrong = {}
    for obligation, roles in wanted.items():
        about = obligation.replace(" ", "_")
        found = sorted(
            each.order.role.replace("_", " ")
            for each in seen.pages
            if each.order.obligation == about
        )
        if found != sorted(roles):
            wrong[obligation] = found
    return f"{wrong}" if wrong else None


def _pages_say(seen: Seen, wanted: str) -> str | None:
    texts = sorted({each.order.reason_class for each in seen.pages})
    return None if any(wanted in text for text in texts) else f"{texts}"


def _owed(seen: Seen, wanted: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for each in seen.document.get("obligations", ()):
        facts = {
            "what": each["name"].replace("_", " "),
            "clock": each["clock"].replace("_", " "),
            "from": seen.instant(each["starts_at"]),
            "due": seen.instant(each["due_at"]),
            "met": seen.instant(each["met_at"]),
            "ended": seen.instant(each["closed_at"]),
            "breached": each["breached_at"] is not None,
            "leg": each["leg"],
            "cause": each["cause"] or "none",
            "holders": [role.replace("_", " ") for role in each["holders"]],
        }
        if all(facts[key] == _plain(seen, key, value) for key, value in wanted.items()):
            yield facts


def _plain(seen: Seen, key: str, wanted: Any) -> Any:
    """`24 h 30 min` is the same instant as `1 d 30 min`."""
    if key not in _INSTANTS or wanted == "never":
        return wanted
    return since_start(read_instant(wanted, seen.start), seen.start)


def _owes(seen: Seen, wanted: list[Mapping[str, Any]]) -> str | None:
    for each in wanted:
        only(each, _OWED_KEYS, "owes")
        wanted_facts = {key: value for key, value in each.items() if key != "count"}
        found = len(list(_owed(seen, wanted_facts)))
        if found != each.get("count", found or 1):
            alike = list(_owed(seen, {"what": each["what"]}))
            return f"for {dict(each)!r} only: {alike}"
    return None


def _owes_no(seen: Seen, wanted: list[str]) -> str | None:
    still = [
        facts
        for name in wanted
        for facts in _owed(seen, {"what": name, "met": "never", "ended": "never"})
    ]
    return f"{still}" if still else None


def _findings(seen: Seen, wanted: Mapping[str, Any]) -> str | None:
    there = {name: found["value"] for name, found in seen.document.get("findings", {}).items()}
    shown = {name: there.get(name, "not known") for name in wanted}
    return None if shown == dict(wanted) else f"{shown}"


def _milestones(seen: Seen, wanted: Mapping[str, str]) -> str | None:
    there = seen.document.get("milestones", {})
    shown = {name: seen.instant(there.get(name, {}).get("at")) for name in wanted}
    return None if shown == dict(wanted) else f"{shown}"


def _milestones_were(seen: Seen, wanted: Mapping[str, str]) -> str | None:
    there = seen.document.get("milestones", {})
    shown = {name: seen.instant(there.get(name, {}).get("was")) for name in wanted}
    return None if shown == dict(wanted) else f"{shown}"


def _history(seen: Seen, wanted: list[str]) -> str | None:
    tiers = [change["tier"] for change in seen.document.get("tier_history", ())]
    return None if tiers == wanted else f"{tiers}"


def _effect(seen: Seen, wanted: bool) -> str | None:
    assert seen.outcome is not None, "effect is asked of a step without an event"
    if seen.outcome.effect is wanted:
        return None
    return f"{seen.outcome.effect} ({seen.outcome.reason})"


def _reason_has(seen: Seen, wanted: str) -> str | None:
    reason = seen.outcome.reason if seen.outcome else None
    return None if wanted in (reason or "") else repr(reason)


def _duplicate(seen: Seen, wanted: bool) -> str | None:
    assert seen.outcome is not None, "duplicate is asked of a step without an event"
    return None if seen.outcome.duplicate is wanted else f"{seen.outcome.duplicate}"


def _next_due(seen: Seen, wanted: str) -> str | None:
    found = seen.instant(seen.document.get("next_due_at"))
    return None if found == wanted else found


CHECKS: dict[str, Check] = {
    "state": _same("state"),
    "tier": _same("tier"),
    "rules": _same("rules"),
    "rules_include": _includes("rules"),
    "all_rules_include": _includes("all_rules"),
    "held": _same("held"),
    "owner": _owner,
    "owner_named": _owner_named,
    "owner_leaves": _owner_leaves,
    "pages_asking": _pages_asking,
    "flags": _same("flags"),
    "flags_include": _includes("flags"),
    "flags_without": _includes("flags", is_wanted=False),
    "notices_include": _includes("notices"),
    "unread": _same("unread"),
    "decision": _same("decision"),
    "close_reason": _same("close_reason"),
    "pages": _pages,
    "pages_include": _pages_include,
    "pages_about": _pages_about,
    "pages_say": _pages_say,
    "owes": _owes,
    "owes_no": _owes_no,
    "findings": _findings,
    "milestones": _milestones,
    "milestones_were": _milestones_were,
    "history": _history,
    "effect": _effect,
    "reason_has": _reason_has,
    "duplicate": _duplicate,
    "next_due": _next_due,
}
