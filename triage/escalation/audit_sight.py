"""What can be told of very many cases at once, in the database and without folding.

Statements of the auditor's own. `marks` gives one number for everything stored of each case:
as long as it is the same, nothing has changed. `suspects` gives the cases that *may* have lost
something; such a case is then judged by its evidence (`audit_case`), which names the loss. A layout
that the statements do not know makes a case suspect, never the other way round: they pass over
nothing but what only a fold can tell.
"""

from collections.abc import Collection, Iterator, Sequence

from triage.domain.events import CaseId
from triage.escalation.audit_reading import AuditReading
from triage.store.rows import CaseLog, Cases, table_of

_INSTANT = """replace(to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '.000000', '')
    || '+00:00"'"""


def _text(column: str) -> str:
    return f"coalesce(to_json({column})::text, 'null')"


# Numbers without gap, each link hashed over the one before, and its columns as its document says.
_CHAIN = f"""
SELECT case_id FROM (
    SELECT case_id, seq, source, event_id, content_hash, received_at, document, previous_hash, hash,
        row_number() OVER links AS place, lag(hash, 1, '') OVER links AS before
    FROM case_log WHERE case_id = ANY(CAST(:ids AS text[]))
    WINDOW links AS (PARTITION BY case_id ORDER BY seq)
) AS link
WHERE seq <> place OR previous_hash <> before
    OR hash <> encode(sha256(convert_to(previous_hash || chr(10) || document, 'UTF8')), 'hex')
    OR NOT starts_with(document,
        '{{"source":' || {_text("source")} || ',"id":' || {_text("event_id")} || ',')
    OR strpos(document, '"hash":' || {_text("content_hash")} || ',"marks":') = 0
    OR strpos(document, '"received":"' || {_INSTANT.format("received_at")}) = 0
"""  # noqa: S608 - own names

# A case's columns are what its document says, and its head is that of its last link.
_ROW = f"""
SELECT c.case_id FROM (
    SELECT case_id, referral, state, destination, tier, policy, is_emergent, next_due_at, version,
        head, document || '' AS document
    FROM cases WHERE case_id = ANY(CAST(:ids AS text[])) OFFSET 0
) AS c
LEFT JOIN LATERAL (
    SELECT hash FROM case_log AS l WHERE l.case_id = c.case_id ORDER BY seq DESC LIMIT 1
) AS last ON true
WHERE c.head <> coalesce(last.hash, '')
    OR NOT starts_with(c.document, '{{"case":' || {_text("c.case_id")} || ',"referral":'
        || {_text("c.referral")} || ',"state":' || {_text("c.state")} || ',"owner":')
    OR strpos(c.document, '"destination":' || {_text("c.destination")} || ',"tier":'
        || {_text("c.tier")} || ',"held":') = 0
    OR strpos(c.document, '"policy":' || {_text("c.policy")} || ',"tier_since":') = 0
    OR c.is_emergent <> (c.tier = 'EMERGENT')
    OR strpos(c.document, '"next_due_at":'
        || coalesce('"' || {_INSTANT.format("c.next_due_at")}, 'null')
        || ',"version":' || c.version || ',"head":"sha256:' || c.head || '"}}') = 0
"""  # noqa: S608 - own names

_ROWLESS = """
SELECT k.case_id FROM unnest(CAST(:ids AS text[])) AS k(case_id)
WHERE NOT EXISTS (SELECT FROM cases AS c WHERE c.case_id = k.case_id)
"""

# Every page that a link says was ordered is there, as it was ordered.
_PAGES = """
SELECT l.case_id FROM case_log AS l
CROSS JOIN LATERAL unnest(string_to_array(l.document, '{"page":"')) WITH ORDINALITY AS part(t, n)
LEFT JOIN page AS p ON p.page = split_part(part.t, '"', 1)
WHERE l.case_id = ANY(CAST(:ids AS text[])) AND part.n > 1
    AND split_part(l.document, ',"referral":', 1) LIKE '%,"type":"pages.ordered.v1"'
    AND (p.page IS NULL OR p.case_id IS DISTINCT FROM l.case_id
        OR strpos(l.document, p.order_document) = 0)
"""

# What counts as sent was sent.
_SENT = """
SELECT case_id FROM (
    SELECT case_id, page FROM page
    WHERE case_id = ANY(CAST(:ids AS text[])) AND status = 'accepted'
    EXCEPT SELECT case_id, split_part(split_part(document, '"page":"', 2), '"', 1) FROM case_log
    WHERE case_id = ANY(CAST(:ids AS text[]))
        AND split_part(document, ',"referral":', 1) LIKE '%,"type":"page.receipt.v1"'
        AND strpos(document, '"status":"accepted"') > 0
) AS unsent
"""

# The cases are named on both sides of what is missing, or else a whole table is read for some.
# An accepted event is in the journal; our own notes, and a joining of other cases, are not.
_UNJOURNALLED = f"""
SELECT l.case_id FROM case_log AS l
WHERE l.case_id = ANY(CAST(:ids AS text[])) AND NOT EXISTS (
        SELECT FROM journal AS j WHERE j.source = l.source AND j.event_id = l.event_id
            AND j.content_hash = l.content_hash AND j.case_id = l.case_id
            AND j.case_id = ANY(CAST(:ids AS text[])))
    AND split_part(l.document, ',"referral":', 1) NOT LIKE '%,"type":"pages.ordered.v1"'
    AND split_part(l.document, ',"referral":', 1) NOT LIKE '%,"type":"timer.raised.v1"'
    AND strpos(l.document, ',"case":' || {_text("l.case_id")} || ',') > 0
"""  # noqa: S608 - own names

_UNLOGGED = """
SELECT j.case_id FROM journal AS j
WHERE j.case_id = ANY(CAST(:ids AS text[])) AND NOT EXISTS (
    SELECT FROM case_log AS l
    WHERE l.case_id = j.case_id AND l.case_id = ANY(CAST(:ids AS text[]))
        AND l.source = j.source AND l.event_id = j.event_id
        AND l.content_hash = j.content_hash)
"""

_SUSPECT = (_CHAIN, _ROW, _ROWLESS, _PAGES, _SENT, _UNJOURNALLED, _UNLOGGED)

# `xmin` is the database's own word on which transaction wrote a row, so that no long text has to be
# read to see that it was written again. All cases at once: the tables are read from end to end, in
# less than half the time that the same takes through their indexes, a few thousand cases at a time.
_MARKS = """
SELECT case_id, bit_xor(mark) FROM (
    SELECT case_id, hashtextextended(
        concat_ws(' ', xmin, version, head, next_due_at, folded_at, state, tier), 1) AS mark
    FROM cases
    UNION ALL SELECT case_id, hashtextextended(concat_ws(' ', xmin, seq, hash), 2) FROM case_log
    UNION ALL SELECT case_id, hashtextextended(
        concat_ws(' ', page, is_emergent, status = 'accepted', order_document), 3)
    FROM page
    UNION ALL SELECT case_id, hashtextextended(concat_ws(' ', xmin, seq, content_hash), 4)
    FROM journal
) AS marked WHERE case_id IS NOT NULL GROUP BY case_id
"""
# SQLite has no such word: everything is read.
_MARKED = (
    ("cases", tuple(f'"{c.name}"' for c in table_of(Cases).columns)),
    ("case_log", tuple(f'"{c.name}"' for c in table_of(CaseLog).columns)),
    ("page", ("page", "order_document", "is_emergent", "status = 'accepted'")),
    ("journal", ("source", "event_id", "content_hash")),
)


def marks(reading: AuditReading) -> dict[CaseId, int]:
    """The mark of every case: as long as it is equal, nothing stored of the case has changed."""
    statements = [_MARKS] if reading.is_postgres else list(_sqlite_marks())
    found: dict[CaseId, int] = {}
    for case, mark in reading.ask(" UNION ALL ".join(statements)):
        found[CaseId(case)] = found.get(CaseId(case), 0) ^ int(mark)
    return found


_OF_A_CASE = " WHERE case_id IS NOT NULL GROUP BY case_id"


def _sqlite_marks() -> Iterator[str]:
    for table, columns in _MARKED:
        mark = f"triage_mark('{table}', {', '.join(columns)})"
        yield f"SELECT case_id, {mark} AS mark FROM {table}{_OF_A_CASE}"  # noqa: S608


def suspects(reading: AuditReading, cases: Sequence[CaseId]) -> Collection[CaseId]:
    """Which of these have to be judged by their evidence at once; on SQLite every one of them."""
    if not reading.is_postgres:
        return cases
    found: set[CaseId] = set()
    for statement in _SUSPECT if cases else ():
        found.update(CaseId(case) for (case,) in reading.ask(statement, ids=list(cases)))
    return found
