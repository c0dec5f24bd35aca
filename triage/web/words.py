"""How names of the contract and of the policy book read on a page."""

from dataclasses import dataclass

from triage.domain.case import CaseState
from triage.domain.tiers import Tier
from triage.policies.book import PolicyBook

LEGS = {
    "to_acknowledgement": "Waiting for an owner",
    "to_decision": "Waiting for a treatment decision",
    "to_theatre": "Waiting for theatre",
    "to_radiotherapy": "Waiting for radiotherapy",
    "to_decompression": "In theatre",
    "after_treatment": "After treatment",
    "other_plan": "Other plan decided",
}
STATES = {
    CaseState.PROVISIONAL: "Provisional: no referral yet",
    CaseState.OPEN: "Open",
    CaseState.CANCELLATION_ASKED: "Cancellation asked",
    CaseState.CLOSED: "Closed",
}
KINDS = {
    "national": "national standard",
    "former": "former national standard, withdrawn",
    "analogue": "by analogy",
    "proposal": "proposal of this policy",
}
EVENTS = {
    "referral.submitted.v1": "Referral submitted",
    "referral.updated.v1": "Referral updated",
    "neuro.examined.v1": "Neurological examination",
    "imaging.reported.v1": "Imaging reported",
    "referral.cancelled.v1": "Cancellation by the sender",
    "milestone.reached.v1": "Milestone",
    "milestone.corrected.v1": "Milestone corrected",
    "treatment.decided.v1": "Treatment decided",
    "opinion.given.v1": "Opinion",
    "tier.set.v1": "Tier set by a clinician",
    "procedure.recorded.v1": "Procedure recorded",
    "radiotherapy.recorded.v1": "Radiotherapy recorded",
    "outcome.recorded.v1": "Outcome recorded",
    "page.acknowledged.v1": "Answer to a page",
    "page.receipt.v1": "Receipt of a page",
    "handover.offered.v1": "Hand-over offered",
    "handover.accepted.v1": "Hand-over accepted",
    "capacity.reported.v1": "Capacity reported",
    "cases.joined.v1": "Cases joined",
    "cases.parted.v1": "Cases parted",
    "case.closed.v1": "Case closed",
    "timer.raised.v1": "Timer ran out",
    "shift.ended.v1": "Owner's shift ended",
    "pages.ordered.v1": "Pages ordered",
}
_UPPER = {"mri": "MRI", "ais": "AIS", "sins": "SINS", "escc": "ESCC", "ces": "CES", "kps": "KPS"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as a reader checks it: its id, how firm it is, and what it cites."""

    id: str
    why: str
    kind: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag and its meaning."""

    name: str
    means: str


@dataclass(frozen=True, slots=True)
class Wording:
    """The words of one policy book."""

    book: PolicyBook

    def obligation(self, name: str) -> str:
        """The obligation's title; its name where the book has none."""
        titles = {row.name: row.title for row in self.book.deadlines.obligation}
        return titles.get(name) or plain(name)

    def flag(self, name: str) -> Flag:
        """The flag with what it means."""
        known = self.book.compiled.flags.get(name)
        return Flag(plain(name), known.means if known else "")

    def rule(self, name: str) -> Rule:
        """The rule with its citation; only the name for one that this book has not."""
        known = self.book.compiled.rules.get(name)
        if known is None:
            return Rule(name, "", "", ())
        sources = tuple(self.source(key) for key in known.source)
        why = sentence_case(self.book.rule_class(name) or self.book.because(name))
        return Rule(name, why, KINDS[known.kind.value], sources)

    def source(self, key: str) -> str:
        """What a source key cites."""
        if key == "P":
            return "P: proposal of this policy"
        return f"{key}: {self.book.sources.get(key, 'not in the list of sources')}"

    def finding(self, name: str) -> str:
        """The field's label."""
        row = self.book.findings.get(name)
        return sentence_case(row.label) if row else plain(name)

    def value(self, name: str, value: object) -> str:
        """A finding's value with its unit; the words of a list, never a sender's own text."""
        row = self.book.findings.get(name)
        if row is not None and row.kind == "choice" and str(value) not in (*row.values, "unknown"):
            return "not understood"
        unit = f" {row.unit}" if row and row.unit else ""
        text = str(value)
        return f"{plain(text) if text.isidentifier() and len(text) > 2 else text}{unit}"


def plain(name: str) -> str:
    """`theatre_requested` as `Theatre requested`; known abbreviations in capitals."""
    words = [_UPPER.get(word, word) for word in name.casefold().split("_")]
    text = " ".join(words)
    return sentence_case(text)


def sentence_case(text: str) -> str:
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def role_words(role: str | None) -> str:
    """A role in small letters: `second consultant`."""
    return (role or "").replace("_", " ")


def leg_words(leg: str | None) -> str:
    """What an open case waits for."""
    return LEGS.get(leg or "", "")


def state_words(state: str) -> str:
    """A state of the contract; the word itself where it is none."""
    return STATES[CaseState(state)] if state in set(CaseState) else plain(state)


def tier_key(tier: str | None) -> str:
    """The tier for a style sheet: `emergent`, `palliative-mdt`, `unread`."""
    return (tier or "unread").casefold()


def tier_rank(tier: str | None) -> int:
    """Higher is more urgent; without a tier (unread: it may be anything) above all."""
    return Tier(tier).rank if tier in set(Tier) else max(each.rank for each in Tier) + 1
