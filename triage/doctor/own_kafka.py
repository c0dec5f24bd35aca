"""Kafka: reached, and its topics as `infra/topics.toml` says."""

from collections.abc import Iterator

from triage.consumers.administration import describe
from triage.consumers.provisioning import compare_topics
from triage.consumers.topics import topics_text
from triage.doctor.finding import Check, ok, warning, wrong
from triage.domain.errors import TriageError
from triage.settings import Settings


def kafka_checks(settings: Settings) -> Iterator[Check]:
    """Asks only; nothing to say where no Kafka is configured."""
    if not settings.kafka_bootstrap:
        yield ok("kafka", "not configured: events come over HTTP alone")
        return
    security = settings.kafka_security
    try:
        view = describe(settings.kafka_bootstrap, security=security)
        yield ok("kafka", f"reached, {len(view.brokers)} broker(s)")
        results = compare_topics(settings.kafka_bootstrap, topics_text(), security=security)
    except TriageError as error:
        yield wrong("kafka", error.what, error.hint or "TRIAGE_KAFKA_BOOTSTRAP and the keys beside")
        return
    for topic, differences in results.items():
        name = f"topic {topic}"
        if differences is None:
            yield wrong(name, "is not there", "triage topics create")
        for each in differences or ():
            words = f"{each.setting} is {each.is_now}, should be {each.should_be}"
            yield warning(name, words, "triage topics create --alter, where you did not mean it")
        if differences == ():
            yield ok(name, "as infra/topics.toml says")
