"""The watchman of the settings."""

from triage.domain.errors import TriageError
from triage.escalation.watchman import Telling, Watchman, deadman_of
from triage.escalation.watchman_judge import NEEDED, Judge
from triage.escalation.watchman_route import ALLOWED, route_of
from triage.escalation.watchman_sight import Patience, eyes_of
from triage.settings import Settings


def build_watchman(settings: Settings) -> Watchman:
    """Not looking yet. Raises TriageError without a route or for a database it cannot look at.

    The consumer is watched where Kafka is configured.
    """
    if settings.watch_route is None:
        raise TriageError("TRIAGE_WATCH_ROUTE: not set", hint=ALLOWED)
    url = settings.watch_database_url or settings.database_url
    needed = (*NEEDED, "consume") if settings.kafka_bootstrap else NEEDED
    if settings.canary_seconds:
        needed = (*needed, "canary")
    return Watchman(
        eyes=Patience(eyes_of(url)),
        judge=Judge(needed),
        telling=Telling(route_of(settings.watch_route, settings.watch_secret), settings.public_url),
        deadman=deadman_of(settings.deadman_url),
    )
