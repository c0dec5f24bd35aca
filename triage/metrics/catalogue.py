"""Every instrument in one list: its name, kind, labels and what it says. Nothing else is exposed.

Labels come from closed lists; none holds an id or a text that somebody sent. Figures that tell of
quality are gauges, since clinical data get corrected and a counter that falls reads as a reset.
"""

from triage.domain.audit import Kind as AuditKind
from triage.domain.legs import HEADLINE_LEGS, LEGS, RECEIVED_TO_DECISION
from triage.domain.tiers import Tier
from triage.metrics.instrument import Instrument, Kind
from triage.metrics.watching import FROM_OUTSIDE, WATCHMAN

MINUTE, HOUR, DAY = 60, 3600, 86_400
# Upper edges in seconds, inclusive: every target of the policy's deadlines is one of them.
WAIT_BUCKETS = (
    *(minutes * MINUTE for minutes in (5, 10, 15, 20, 30)),
    *(hours * HOUR for hours in (1, 2, 4, 6, 12, 18, 24, 36, 48, 72)),
    *(days * DAY for days in (7, 14)),
)
CALL_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)

SUPPRESSED = ("acknowledged", "closed", "superseded", "other")
TIERS = tuple(tier.value for tier in Tier)
CURRENT_LEGS = LEGS
PATHWAY_LEGS = (RECEIVED_TO_DECISION, "received_to_knife", "received_to_decompression")
TIMED_LEGS = (RECEIVED_TO_DECISION, *(leg for leg, _, _ in HEADLINE_LEGS))
CHANNELS = ("inbox", "webhook", "apprise", "sms", "voice", "webpush")
PAGE_OUTCOMES = ("accepted", "failed", "suppressed")
CALL_BACKS = ("status", "sms", "voice")
CALL_BACK_OUTCOMES = ("taken", "ignored", "refused")
PIN_OUTCOMES = ("right", "wrong", "locked")
CONSUMERS = ("kafka",)
CANARY_STAGES = ("door", "decide", "order", "relay", "receipt")
LOOPS = ("sweep", "relay", "consume", "publish", "audit", "watch", "canary")
DOORS = ("http", "kafka", "mllp")
EVENT_OUTCOMES = ("accepted", "duplicate", "no_effect", "refused", "quarantined")
STATUS_CLASSES = ("2xx", "3xx", "4xx", "5xx")
AUDIT_STATES = ("seen", "judged")
AUDIT_KINDS = tuple(kind.value for kind in AuditKind)
TIMED = (
    "audit", "canary", "feeds", "keeper", "louder", "recalls", "registering", "roster", "silence",
    "sweep", "sweep_case", "sweep_claim", "sweep_foresight", "sweep_unread",
)  # fmt: skip
OTHER = "other"  # every hospital that is no registered source


_SNAPSHOT = (
    Instrument(
        "triage_open_cases",
        Kind.GAUGE,
        ("tier", "leg"),
        "Open cases by tier and the leg of the pathway that they are in.",
    ),
    Instrument(
        "triage_open_case_oldest_start_timestamp_seconds",
        Kind.GAUGE,
        ("tier", "leg"),
        "When the oldest open referral was received; absent when there is none. Age = time() - it.",
    ),
    Instrument(
        "triage_next_deadline_timestamp_seconds",
        Kind.GAUGE,
        ("tier", "step"),
        "The earliest deadline of open cases; in the past when missed. Absent when there is none.",
    ),
    Instrument(
        "triage_open_cases_past_deadline",
        Kind.GAUGE,
        ("tier", "step", "hospital"),
        "Open obligations whose deadline has passed; exactly at the deadline is not yet past.",
    ),
    Instrument(
        "triage_unacknowledged_oldest_start_timestamp_seconds",
        Kind.GAUGE,
        ("tier", "hospital"),
        "Since when the longest waiting case has had no owner; absent when every case has one.",
    ),
    Instrument(
        "triage_leg_duration_seconds",
        Kind.HISTOGRAM,
        ("leg", "tier"),
        "First completions of a leg, never recomputed; from the ledger that only grows.",
    ),
    Instrument(
        "triage_pathway_duration_seconds",
        Kind.HISTOGRAM,
        ("hospital", "leg"),
        "First completions of the headline legs by referring hospital.",
    ),
    Instrument(
        "triage_quarantined_messages",
        Kind.GAUGE,
        (),
        "Messages that could not be read and that no named person has looked at.",
    ),
    Instrument(
        "triage_outbox_oldest_timestamp_seconds",
        Kind.GAUGE,
        (),
        "When the oldest record not yet published was written; absent when there is none.",
    ),
    Instrument(
        "triage_page_owed_oldest_timestamp_seconds",
        Kind.GAUGE,
        (),
        "Since when the oldest page that is not settled has been owed; absent when there is none.",
    ),
    Instrument(
        "triage_last_sweep_timestamp_seconds",
        Kind.GAUGE,
        (),
        "When the deadline sweep last finished a turn; absent when it never did.",
    ),
    Instrument(
        "triage_last_audit_timestamp_seconds",
        Kind.GAUGE,
        (),
        "When the auditor last finished a pass; absent when it never did.",
    ),
    Instrument(
        "triage_audit_open_findings",
        Kind.GAUGE,
        ("kind",),
        "Losses and changes that the auditor has found and not yet seen to be right again.",
    ),
    Instrument(
        "triage_loop_last_turn_timestamp_seconds",
        Kind.GAUGE,
        ("loop",),
        "When each loop last said that it turns; absent for one that never did.",
    ),
    Instrument(
        "triage_exporter_last_refresh_timestamp_seconds",
        Kind.GAUGE,
        (),
        "Of when the figures from the database are; absent before the first reading.",
    ),
    Instrument("triage_policy", Kind.INFO, ("version", "hash"), "The policy book for new cases."),
)
_IN_PROCESS = (
    Instrument(
        "triage_exporter_refresh_errors_total",
        Kind.COUNTER,
        (),
        "Readings of the figures that failed.",
    ),
    Instrument("triage_build", Kind.INFO, ("version",), "The program that runs."),
    Instrument(
        "triage_pages_total",
        Kind.COUNTER,
        ("channel", "outcome"),
        "Attempts to send a page.",
    ),
    Instrument(
        "triage_pages_suppressed_total",
        Kind.COUNTER,
        ("reason",),
        "Pages that were ordered and no longer mattered when they could be sent.",
    ),
    Instrument(
        "triage_page_delivery_seconds",
        Kind.HISTOGRAM,
        (),
        "From when a page was owed until a provider accepted it.",
    ),
    Instrument(
        "triage_provider_callbacks_total",
        Kind.COUNTER,
        ("kind", "outcome"),
        "Call-backs of telephone providers; refused = without a right signature.",
    ),
    Instrument(
        "triage_pin_checks_total",
        Kind.COUNTER,
        ("outcome",),
        "PINs that were given to take an EMERGENT case on; locked = not even looked at.",
    ),
    Instrument(
        "triage_event_consumer_last_processed_timestamp_seconds",
        Kind.GAUGE,
        ("consumer",),
        "When the consumer last stored records; 0 when it has not since it started.",
    ),
    Instrument(
        "triage_event_consumer_pending_events",
        Kind.GAUGE,
        ("consumer",),
        "Records on the topic that are not stored yet.",
    ),
    Instrument(
        "triage_events_total",
        Kind.COUNTER,
        ("door", "outcome"),
        "Events by the door they came through and what became of them.",
    ),
    Instrument(
        "triage_unread_fields_total",
        Kind.COUNTER,
        ("hospital",),
        "Fields of findings that were not understood.",
    ),
    Instrument(
        "triage_milestone_corrections_total",
        Kind.COUNTER,
        (),
        "Milestones corrected or withdrawn by who recorded them.",
    ),
    Instrument(
        "triage_roster_gap_seconds",
        Kind.GAUGE,
        ("role",),
        "Time within the next 24 hours, all sites, in which nobody who can be reached serves.",
    ),
    Instrument(
        "triage_loop_failures_total",
        Kind.COUNTER,
        ("loop",),
        "Steps of a loop that ended in a fault of ours; the next one was taken all the same.",
    ),
    Instrument(
        "triage_audit_findings_total",
        Kind.COUNTER,
        ("kind",),
        "Losses and changes that the auditor found.",
    ),
    Instrument(
        "triage_audit_repairs_total",
        Kind.COUNTER,
        ("kind",),
        "Findings that the auditor put right.",
    ),
    Instrument(
        "triage_audit_cases",
        Kind.GAUGE,
        ("state",),
        "Cases of the last pass: seen, and judged since they last changed.",
    ),
    Instrument(
        "triage_audit_oldest_judged_timestamp_seconds",
        Kind.GAUGE,
        (),
        "Since when the auditor has folded every case anew; 0 while it never folded some.",
    ),
    Instrument(
        "triage_roster_stale_feeds",
        Kind.GAUGE,
        (),
        "Calendar feeds of the roster without a good copy that is as fresh as they ask for.",
    ),
    Instrument(
        "triage_http_requests_total",
        Kind.COUNTER,
        ("route", "status"),
        "HTTP answers by route template and class of status.",
    ),
    Instrument(
        "triage_http_request_duration_seconds",
        Kind.HISTOGRAM,
        (),
        "Time until an HTTP request was answered.",
    ),
)

CATALOGUE: dict[str, Instrument] = {
    each.name: each for each in (*_SNAPSHOT, *_IN_PROCESS, *FROM_OUTSIDE, *WATCHMAN)
}


def hospital_label(hospital: str, registered: frozenset[str]) -> str:
    """A registered source as it is, anything else as `other`: senders must not make labels."""
    return hospital if hospital in registered else OTHER
