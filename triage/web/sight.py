"""Which cases a credential sees: a hospital its own, the centre those of its site, and those that
somebody of its site still owns after they were sent on to another."""

from collections.abc import Container, Iterable

import orjson

from triage.domain.case import CaseState
from triage.domain.case_id import read_case_id
from triage.domain.events import CaseId
from triage.domain.roster.roster import Roster
from triage.store.reader import Reader
from triage.store.records import CaseRow, PageRow
from triage.web.auth import Credential
from triage.web.problems import RefusalError, unknown_case

STATES = tuple(state.value for state in CaseState if state is not CaseState.UNOPENED)


def may_see(credential: Credential, row: CaseRow, roster: Roster) -> bool:
    """Exact: no hospital sees another's, no site another's. What opened no case nobody sees."""
    if row.state == CaseState.UNOPENED:
        return False
    if credential.is_hospital:
        return row.hospital == credential.source
    return roster.site_for(row.destination)[0] == credential.source or _owns(credential, row)


def _owns(credential: Credential, row: CaseRow) -> bool:
    """Whoever has the case must see it until it is handed over."""
    if row.owner is None:
        return False
    owner = orjson.loads(row.document).get("owner") or {}
    return bool(owner.get("site") == credential.source)


def may_answer(credential: Credential, row: CaseRow, roster: Roster) -> bool:
    """Whose pages they answer: also those about what opened no case, at the site that is asked."""
    if row.state == CaseState.UNOPENED and not credential.is_hospital:
        return roster.site_for(row.destination)[0] == credential.source
    return may_see(credential, row, roster)


def seen_cases(
    reader: Reader, credential: Credential, roster: Roster, state: str | None
) -> list[CaseRow]:
    """The cases that the credential sees, EMERGENT first. RefusalError: no such state."""
    if state is not None and state not in STATES:
        error = {"path": "state", "value": state[:40], "allowed": list(STATES), "hint": "leave out"}
        raise RefusalError(400, "No such state", f"Allowed: {', '.join(STATES)}.", errors=[error])
    hospital = credential.source if credential.is_hospital else None
    return [row for row in reader.cases(state, hospital) if may_see(credential, row, roster)]


def seen_case(reader: Reader, credential: Credential, roster: Roster, text: str) -> CaseRow:
    """One case by its id as people type it. RefusalError (404), also when it is not theirs."""
    case_id = read_case_id(text)
    row = reader.case(case_id) if case_id else None
    if row is None or not may_see(credential, row, roster):
        raise unknown_case()
    return row


def paged_case(reader: Reader, credential: Credential, roster: Roster, case: str) -> CaseRow:
    """The case that a page is about. RefusalError (404) where the page is not theirs to answer."""
    row = reader.case(CaseId(case))
    if row is None or not may_answer(credential, row, roster):
        raise unknown_case()
    return row


def cases_of_pages(
    reader: Reader, pages: Iterable[PageRow], credential: Credential, roster: Roster
) -> dict[str, CaseRow]:
    """The cases that these pages are about, by id, of pages in sight."""
    asked = {page.order.case for page in pages if page.order.case is not None}
    rows = (reader.case(case) for case in sorted(asked))
    return {
        row.case_id: row for row in rows if row is not None and may_answer(credential, row, roster)
    }


def seen_pages(
    pages: Iterable[PageRow], known: Container[str], credential: Credential
) -> list[PageRow]:
    """Pages of cases that they may answer for (`known`), and of unread messages where the centre
    is asked."""
    site = credential.source
    return [
        page
        for page in pages
        if page.order.case in known
        or (page.order.case is None and not credential.is_hospital and page.order.site == site)
    ]
