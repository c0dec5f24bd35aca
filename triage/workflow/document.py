"""The case as JSON: over HTTP, on `triage.cases.v1` and in the store (contract section 3).

Findings and milestones, times and reasons; no patient identifier, no free text of a sender.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from triage.domain.case import Case, MilestoneEntry, Obligation
from triage.domain.events import Actor
from triage.domain.instants import format_instant
from triage.domain.legs import leg_of


def case_document(
    case: Case, *, version: int, head: str, next_due_at: datetime | None
) -> dict[str, Any]:
    """Everything that people and other systems may see of a case."""
    return {
        "case": case.id,
        "referral": case.referral,
        "state": case.state.value,
        "owner": _owner(case),
        "destination": case.destination,
        "tier": case.tier.value,
        "held": case.is_held,
        "rules": list(case.rules),
        "all_rules": list(case.all_rules),
        "flags": list(case.flags),
        "notices": list(case.notices),
        "unread": list(case.unread),
        "assumed": list(case.assumed),
        "reasons": list(case.reasons),
        "policy": case.policy,
        "tier_since": format_instant(case.tier_since),
        "tier_event": case.tier_event,
        "tier_history": [
            {
                "tier": change.tier.value,
                "at": format_instant(change.at),
                "event": change.event,
                "rules": list(change.rules),
                "by": change.by,
            }
            for change in case.tier_history
        ],
        "findings": {name: _finding(case, name) for name in sorted(case.findings)},
        "milestones": {name: _milestone(entry) for name, entry in sorted(case.milestones.items())},
        "obligations": [_obligation(each, case.as_of) for each in case.obligations],
        "decision": case.decision,
        "decision_at": _instant(case.decision_at),
        "opened_at": format_instant(case.opened_at),
        "closed_at": _instant(case.closed_at),
        "close_reason": case.close_reason,
        "joined": list(case.joined),
        "as_of": format_instant(case.as_of),
        "next_due_at": _instant(next_due_at),
        "version": version,
        "head": head,
    }


def _owner(case: Case) -> dict[str, Any] | None:
    held = case.acknowledgement
    if held is None:
        return None
    is_sent_on = case.leaving is not None and case.leaving.is_sent_on
    return {
        **_actor(held.by),
        "since": format_instant(held.at),
        "until": None if held.is_kept else format_instant(held.until),
        "asked": _actor(held.asked) if held.asked else None,
        "shift_ends_at": _instant(case.leaving.at) if case.leaving else None,
        **({"sent_on": True} if is_sent_on else {}),
    }


def _actor(actor: Actor) -> dict[str, Any]:
    return {
        "person": actor.person,
        "name": actor.name,
        "role": actor.role,
        "site": actor.site,
    }


def _finding(case: Case, name: str) -> dict[str, Any]:
    finding = case.findings[name]
    value = finding.value
    return {
        "value": format_instant(value) if isinstance(value, datetime) else value,
        "at": format_instant(finding.at),
        "event": finding.event,
    }


def _milestone(entry: MilestoneEntry) -> dict[str, Any]:
    document: dict[str, Any] = {
        "at": format_instant(entry.at),
        "event": entry.event,
        "recorded_by": entry.recorded_by,
    }
    if entry.was is not None:
        document["was"] = format_instant(entry.was)
    return document


def _obligation(obligation: Obligation, now: datetime) -> Mapping[str, Any]:
    return {
        "name": obligation.name,
        "clock": obligation.clock,
        "starts_at": format_instant(obligation.starts_at),
        "due_at": format_instant(obligation.due_at),
        "met_at": _instant(obligation.met_at),
        "closed_at": _instant(obligation.closed_at),
        "breached_at": _instant(obligation.breached_at(now)),
        "holder": obligation.holders[0] if obligation.holders else None,
        "holders": list(obligation.holders),
        "kind": obligation.kind,
        "source": obligation.source,
        "run": obligation.run,
        "leg": leg_of(obligation.name),
        "cause": obligation.cause,
    }


def _instant(instant: datetime | None) -> str | None:
    return format_instant(instant) if instant else None
