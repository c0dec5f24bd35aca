"""`triage audit`: is what is stored what was stored, and what the logs amount to?"""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from triage.cli import context
from triage.domain.audit import Finding
from triage.escalation.audit_offline import Verified, verify
from triage.escalation.audit_reading import AuditView
from triage.handle import Desk
from triage.store.records import AuditFindingRow

Against = Annotated[
    Path | None, typer.Option(help="File of published heads: finds logs cut or rewritten.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Findings = Annotated[
    bool, typer.Option("--findings", help="Only list what the auditor has found so far.")
]


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    app.command("audit")(audit)


def audit(against: Against = None, json: Json = False, findings: Findings = False) -> None:
    """Verify every case: its hash chain, its fold, its pages, its events in the journal.

    Reads only. 0 = all as it was written; 1 = something was lost or changed, named below.

    Example: triage audit --against var/heads.jsonl
    """
    if findings:
        _list(json)
        return
    settings = context.settings()
    store = context.store()  # refuses a database of another version
    books = context.books()
    books.store = store  # a case is folded by the book that it is pinned to
    desk = Desk(books, context.roster(), bool(settings.kafka_bootstrap))
    view = AuditView(settings.audit_database_url or settings.database_url)
    try:
        verified = verify(view, desk, against)
    finally:
        view.dispose()
        store.dispose()
    _print(verified, json)
    raise typer.Exit(1 if verified.findings else 0)


def _print(verified: Verified, json: bool) -> None:
    if json:
        document = {**asdict(verified), "findings": [_plain(each) for each in verified.findings]}
        sys.stdout.buffer.write(orjson.dumps(document) + b"\n")
        return
    for finding in verified.findings:
        sys.stdout.write(_line(finding.kind, finding.case, finding.subject, finding.detail))
    counts = f"{verified.cases} cases, {verified.links} links, {verified.pages} pages"
    if verified.published:
        counts += f", {verified.published} published heads"
    result = f"{len(verified.findings)} wrong" if verified.findings else "all as it was written"
    sys.stdout.write(f"{counts}: {result}\n")


def _plain(finding: Finding) -> dict[str, Any]:
    return asdict(finding)


def _list(json: bool) -> None:
    store = context.store()
    with store.read() as reader:
        rows: Sequence[AuditFindingRow] = reader.findings(only_open=False)
    store.dispose()
    if json:
        sys.stdout.buffer.write(orjson.dumps([asdict(row) for row in rows]) + b"\n")
    else:
        for row in rows:
            state = "right again" if row.gone_at else row.repair or "OPEN"
            sys.stdout.write(
                f"{row.id}  {row.found_at:%Y-%m-%d %H:%M:%S}  {state}  "
                + _line(row.kind, row.case_id, row.subject, row.detail)
            )
    raise typer.Exit(1 if any(row.gone_at is None for row in rows) else 0)


def _line(kind: str, case: str | None, subject: str, detail: str) -> str:
    return f"{kind}  {case or '-'}  {subject or '-'}  {detail}\n"
