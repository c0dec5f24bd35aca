"""The instruments of canary, silence alarm and watchman."""

from triage.metrics.instrument import Instrument, Kind

FROM_OUTSIDE = (
    Instrument(
        "triage_canary_age_seconds",
        Kind.GAUGE,
        (),
        "How long ago a canary last came back from the relay; 0 where none is sent.",
    ),
    Instrument(
        "triage_canary_broken",
        Kind.GAUGE,
        ("stage",),
        "1 for the stage at which the latest canary is stuck, else 0.",
    ),
    Instrument(
        "triage_source_last_event_timestamp_seconds",
        Kind.GAUGE,
        ("hospital",),
        "When each registered hospital was last heard of.",
    ),
    Instrument(
        "triage_source_silent",
        Kind.GAUGE,
        ("hospital",),
        "1 while a hospital is not heard of for longer than is usual for it, else 0.",
    ),
)
# The watchman's own process has these and no others.
WATCHMAN = (
    Instrument(
        "triage_watch_troubles",
        Kind.GAUGE,
        (),
        "What the watchman finds wrong now; 0 when every check is passed.",
    ),
    Instrument(
        "triage_watch_last_passed_timestamp_seconds",
        Kind.GAUGE,
        (),
        "When every check of the watchman was last passed; absent when it never was.",
    ),
    Instrument(
        "triage_watch_failed_sends_total",
        Kind.COUNTER,
        (),
        "Alarms that the watchman's own route did not take.",
    ),
)
