"""What timers, deadlines, ladders and roles must hold together; see `soundness`."""

from collections.abc import Iterable, Iterator

from triage.domain.tiers import Tier
from triage.policies.book import Documents

ACKNOWLEDGEMENT, HOLDER = "acknowledgement", "holder"
# Contract section 1.
_ROLES = frozenset(
    [
        *("coordinator", "registrar", "fellow", "consultant", "second_consultant"),
        *("clinical_director", "oncology", "haematology", "radiology", "anaesthetics", "theatre"),
        *("palliative", "rehabilitation", "site_manager", "referrer", "admin", "quality"),
    ]
)


def schedule_complaints(documents: Documents) -> Iterator[str]:
    """Everything wrong with the tables that tell time and people, as `file row: reason`."""
    yield from _timers(documents)
    yield from _deadlines(documents)
    yield from _ladders(documents)
    yield from _roles(documents)
    yield from _reviews(documents)


def _timers(documents: Documents) -> Iterator[str]:
    rules = {rule.id for rule in documents.tiers.rule}
    for timer in documents.timers.timer:
        if (timer.raises_to is None) != (not timer.rule):
            yield f"timers.toml {timer.id}: raises_to and rule go together"
        if timer.rule and timer.rule not in rules:
            yield f"timers.toml {timer.id}: no such rule: {timer.rule}"


def _deadlines(documents: Documents) -> Iterator[str]:
    rules = {rule.id for rule in documents.tiers.rule}
    seen: set[str] = set()
    for obligation in documents.deadlines.obligation:
        for clock in obligation.clock:
            where = f"deadlines.toml {clock.name}"
            if clock.name in seen:
                yield f"{where}: the name is used twice"
            seen.add(clock.name)
            for tier in Tier:
                limit = clock.tier.get(tier)
                if limit is None:
                    yield f"{where}: no row for {tier}"
                elif bool(limit.limits) == bool(limit.words):
                    yield f"{where} {tier}: it needs limits or words, not both"
                elif not set(limit.only_rule) <= rules:
                    yield f"{where} {tier}: no such rule: {', '.join(limit.only_rule)}"


def _ladders(documents: Documents) -> Iterator[str]:
    ladders = documents.ladders
    named = {obligation.name for obligation in documents.deadlines.obligation}
    if ACKNOWLEDGEMENT not in named:
        yield "deadlines.toml: row is missing: acknowledgement"
    for tier in Tier:
        if tier not in ladders.acknowledgement:
            yield f"ladders.toml acknowledgement: no ladder for {tier}"
        elif not (ladders.acknowledgement[tier].rounds or ladders.acknowledgement[tier].steps):
            yield f"ladders.toml acknowledgement {tier}: nothing follows when it is due"
        if tier not in ladders.obligations:
            yield f"ladders.toml obligations: no ladder for {tier}"
        for rung in ladders.acknowledgement[tier].rungs if tier in ladders.acknowledgement else ():
            if (rung.after is None) == (rung.share is None):
                yield f"ladders.toml acknowledgement {tier}: a rung needs after or share"
    for name in sorted(named - {ACKNOWLEDGEMENT} ^ set(ladders.holder)):
        yield f"ladders.toml holder: missing, or without an obligation: {name}"


def _roles(documents: Documents) -> Iterator[str]:
    for where, roles in _everyone(documents):
        for role in sorted(set(roles) - _ROLES):
            yield f"{where}: no such role: {role}"


def _everyone(documents: Documents) -> Iterator[tuple[str, Iterable[str]]]:
    ladders = documents.ladders
    for tier, ladder in ladders.acknowledgement.items():
        where = f"ladders.toml acknowledgement {tier}"
        yield from ((where, (*rung.roles, *rung.by_timer)) for rung in ladder.rungs)
        yield from ((where, step.roles) for step in ladder.steps)
        if ladder.rounds:
            yield where, (*ladder.rounds.roles, *ladder.rounds.widen)
    for tier, other in ladders.obligations.items():
        told = {role for share in other.shares for role in share.roles}
        told |= {*other.due, *other.repeat.roles}
        yield f"ladders.toml obligations {tier}", told - {HOLDER}
    for name, holder in ladders.holder.items():
        yield f"ladders.toml holder {name}", (*holder.roles, *holder.also_told)
    yield from (("ladders.toml quarantine", rung.roles) for rung in ladders.quarantine.rungs)
    yield "ladders.toml quarantine", ladders.quarantine.repeat.roles
    for act, roles in documents.authority.may:
        yield f"authority.toml {act}", roles


def _reviews(documents: Documents) -> Iterator[str]:
    files = set(Documents.__dataclass_fields__) - {"book"}
    for name in sorted(files ^ set(documents.book.review_by)):
        yield f"book.toml review_by: a date is missing, or there is no such file: {name}"
