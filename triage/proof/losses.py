"""Losses to plant in a store: what a fault, a careless hand or a stranger could do to a case."""

from dataclasses import dataclass

from triage.domain.audit import Kind


@dataclass(frozen=True, slots=True)
class Loss:
    """The SQL that makes a loss in one case (`:case`, `:far`), and what the auditor is to call it.

    `is_mended`: the log can give back what was lost.
    """

    name: str
    sql: tuple[str, ...]
    kinds: frozenset[Kind]
    is_mended: bool = True


def _loss(name: str, *sql: str, kinds: tuple[Kind, ...], is_mended: bool = True) -> Loss:
    return Loss(name, sql, frozenset(kinds), is_mended)


LOSSES: tuple[Loss, ...] = (
    _loss(
        "page deleted",
        "DELETE FROM page WHERE page = (SELECT max(page) FROM page WHERE case_id = :case)",
        kinds=(Kind.PAGE_LOST,),
    ),
    _loss("every page deleted", "DELETE FROM page WHERE case_id = :case", kinds=(Kind.PAGE_LOST,)),
    _loss(
        "page sent elsewhere",
        "UPDATE page SET order_document = replace(order_document, 'inbox', 'other')"
        " WHERE page = (SELECT max(page) FROM page WHERE case_id = :case)",
        kinds=(Kind.PAGE_CHANGED,),
    ),
    _loss(
        "receipts deleted from the log",
        "DELETE FROM case_log WHERE case_id = :case AND document LIKE '%page.receipt%'",
        kinds=(Kind.LOG_LOST,),
    ),
    _loss(
        "timer cleared",
        "UPDATE cases SET next_due_at = NULL WHERE case_id = :case",
        kinds=(Kind.TIMER,),
    ),
    _loss(
        "timer moved far ahead",
        "UPDATE cases SET next_due_at = :far WHERE case_id = :case",
        kinds=(Kind.TIMER,),
    ),
    _loss(
        "tier lowered by hand",
        "UPDATE cases SET tier = 'ROUTINE', is_emergent = false WHERE case_id = :case",
        kinds=(Kind.CASE_CHANGED,),
    ),
    _loss(
        "case closed by hand",
        "UPDATE cases SET state = 'closed', next_due_at = NULL WHERE case_id = :case",
        kinds=(Kind.CASE_CHANGED, Kind.TIMER),
    ),
    _loss(
        "document and column altered alike",
        "UPDATE cases SET tier = 'ROUTINE', is_emergent = false, document ="
        ' replace(document, \'"tier":"\' || tier || \'"\', \'"tier":"ROUTINE"\')'
        " WHERE case_id = :case",
        kinds=(Kind.CASE_CHANGED,),
    ),
    _loss("case row deleted", "DELETE FROM cases WHERE case_id = :case", kinds=(Kind.CASE_LOST,)),
    _loss(
        "head forgotten",
        "UPDATE cases SET head = '' WHERE case_id = :case",
        kinds=(Kind.LOG_LOST, Kind.CASE_CHANGED),
    ),
    _loss(
        "log row deleted in the middle",
        "DELETE FROM case_log WHERE case_id = :case AND seq = 2",
        kinds=(Kind.LOG_LOST,),
        is_mended=False,
    ),
    _loss(
        "log byte altered",
        'UPDATE case_log SET document = replace(document, \'"side":"H"\', \'"side":"O"\')'
        " WHERE case_id = :case AND seq = 1",
        kinds=(Kind.LOG_CHANGED,),
        is_mended=False,
    ),
    _loss(
        "log column altered",
        "UPDATE case_log SET event_id = 'another' WHERE case_id = :case AND seq = 1",
        kinds=(Kind.LOG_CHANGED,),
        is_mended=False,
    ),
    _loss(
        "log tail cut",
        "DELETE FROM case_log WHERE case_id = :case"
        " AND seq = (SELECT max(seq) FROM case_log WHERE case_id = :case)",
        kinds=(Kind.LOG_LOST,),
    ),
    _loss(
        "log cut to nothing",
        "DELETE FROM case_log WHERE case_id = :case",
        kinds=(Kind.LOG_LOST,),
    ),
    _loss(
        "journal row deleted",
        "DELETE FROM journal WHERE case_id = :case AND type = 'referral.submitted.v1'",
        kinds=(Kind.JOURNAL_LOST,),
        is_mended=False,
    ),
    _loss(
        "case and log deleted",
        "DELETE FROM cases WHERE case_id = :case",
        "DELETE FROM case_log WHERE case_id = :case",
        kinds=(Kind.LOG_LOST,),
    ),
    _loss(
        "outbox rows deleted",
        "DELETE FROM outbox WHERE key = :case",
        kinds=(Kind.OUTBOX_LOST,),
    ),
    _loss(
        "page claimed for ever",
        "UPDATE page SET status = 'sending', settled_at = NULL, ready_at = NULL"
        " WHERE page = (SELECT max(page) FROM page WHERE case_id = :case)",
        kinds=(Kind.PAGE_STUCK,),
    ),
)

FAR = "2126-01-01T00:00:00.000000+00:00"
