"""One case as a template shows it: why, what is owed, what happened, who was told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from triage.store.records import CaseRow, LogRow, PageRow
from triage.web.board_view import Row, row
from triage.web.inbox_view import PageLine, page_line
from triage.web.owed_view import Owed, due_first, owed_view
from triage.web.pathway_view import Step, steps
from triage.web.wall import Moment, Wall
from triage.web.words import EVENTS, Flag, Rule, Wording, plain, role_words

_EVENT_SHOWN = 16  # letters of an event id; the log has all of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One merged finding and where it came from."""

    title: str
    value: str
    at: Moment | None
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link of the case's log."""

    seq: int
    title: str
    detail: str
    by: str
    occurred: Moment | None
    received: Moment | None
    hash: str
    marks: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """Everything of one case."""

    row: Row
    destination: str
    decision: str
    close_reason: str
    policy: str
    is_closed: bool
    version: int
    rules: tuple[Rule, ...]
    lesser_rules: tuple[Rule, ...]
    flags: tuple[Flag, ...]
    notices: tuple[str, ...]
    unread: tuple[str, ...]
    assumed: tuple[str, ...]
    owed: tuple[Owed, ...]
    settled: tuple[Owed, ...]
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    pages: tuple[PageLine, ...]
    unsent: tuple[PageLine, ...]
    log: tuple[Link, ...]
    joined: tuple[str, ...]
    callback: str
    answerable: PageLine | None


def case_view(
    case: CaseRow,
    pages: Sequence[PageRow],
    log: Sequence[LogRow],
    wording: Wording,
    wall: Wall,
    destination: str,
) -> CaseView:
    """The page of one case; what a document does not hold is left out."""
    document = orjson.loads(case.document)
    rules, all_rules = document.get("rules", ()), document.get("all_rules", ())
    owed = [owed_view(each, wording, wall) for each in document.get("obligations", ())]
    lines = tuple(page_line(page, case, None, wall) for page in pages)
    return CaseView(
        row=row(case, wording, wall),
        destination=destination,
        decision=plain(document["decision"]) if document.get("decision") else "",
        close_reason=plain(document.get("close_reason") or ""),
        policy=case.policy,
        is_closed=case.closed_at is not None,
        version=case.version,
        rules=tuple(wording.rule(name) for name in rules),
        lesser_rules=tuple(wording.rule(name) for name in all_rules if name not in rules),
        flags=tuple(wording.flag(name) for name in document.get("flags", ())),
        notices=tuple(plain(each) for each in document.get("notices", ())),
        unread=tuple(document.get("unread", ())),
        assumed=tuple(wording.finding(each) for each in document.get("assumed", ())),
        owed=tuple(sorted((each for each in owed if not each.done), key=due_first)),
        settled=tuple(each for each in owed if each.done),
        steps=tuple(steps(document, wall)),
        findings=tuple(_findings(document, wording, wall)),
        pages=tuple(line for line in lines if not line.is_unsent),
        unsent=tuple(line for line in lines if line.is_unsent),
        log=tuple(_link(line, wall) for line in log),
        joined=tuple(each for each in document.get("joined", ()) if each != case.case_id),
        callback=next((line.callback for line in lines if line.callback), ""),
        answerable=next((line for line in lines if "decline" in line.answers), None),
    )


def _findings(document: Mapping[str, Any], wording: Wording, wall: Wall) -> Iterator[Finding]:
    for name, found in document.get("findings", {}).items():
        value = found.get("value")
        moment = wall.moment(value) if isinstance(value, str) else None
        shown = wording.value(name, value)
        if moment is not None:
            shown = f"{moment.day} {moment.clock} {moment.offset}"
        elif isinstance(value, Mapping):
            shown = ", ".join(f"{plain(key)} {item}" for key, item in value.items())
        yield Finding(
            title=wording.finding(name),
            value=shown,
            at=wall.moment(found.get("at")),
            event=str(found.get("event", ""))[:_EVENT_SHOWN],
        )


def _link(line: LogRow, wall: Wall) -> Link:
    event = orjson.loads(line.document)
    data = event.get("data") or {}
    named = data.get("milestone") or data.get("answer") or data.get("treatment")
    detail = plain(named) if isinstance(named, str) and named.isidentifier() else ""
    by = data.get("by")
    role = by.get("role") if isinstance(by, Mapping) else None
    return Link(
        seq=line.seq,
        title=EVENTS.get(event.get("type", ""), event.get("type", "")),
        detail=detail,
        by=f"{event.get('sender', line.source)}{f', {role_words(str(role))}' if role else ''}",
        occurred=wall.moment(event.get("occurred")),
        received=wall.moment(line.received_at),
        hash=line.hash[:12],
        marks=", ".join(plain(mark) for mark in event.get("marks", ())),
    )
