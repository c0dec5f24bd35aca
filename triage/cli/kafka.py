"""`triage topics create|lag|quarantine`: Kafka administration."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from triage.cli import context
from triage.consumers import administration
from triage.consumers.topics import ACTIONS, REFERRALS, topics_text
from triage.domain.errors import TriageError
from triage.settings import Settings

group = typer.Typer(help="Kafka administration: topics, lag, quarantine.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    app.add_typer(group, name="topics")


def _configured() -> Settings:
    settings = context.settings()
    if not settings.kafka_bootstrap:
        raise TriageError("TRIAGE_KAFKA_BOOTSTRAP: not set", hint="set it to host:port")
    return settings


@group.command("create")
def create(
    replication: Annotated[
        int | None, typer.Option(help="Copies of each partition, if not the file's.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Topics file (default infra/topics.toml).")
    ] = None,
    alter: Annotated[bool, typer.Option(help="Also change settings that differ.")] = False,
) -> None:
    """Create the topics that are missing; say which exist and which differ.

    Example: triage topics create --replication 1
    """
    settings = _configured()
    results = administration.create_topics(
        settings.kafka_bootstrap,
        file.read_text(encoding="utf-8") if file else topics_text(),
        replication=replication,
        alter=alter,
        security=settings.kafka_security,
    )
    for result in results:
        sys.stdout.write(f"{result}\n")


@group.command("lag")
def lag() -> None:
    """How many records of each inbound partition are not yet committed.

    Example: triage topics lag
    """
    settings = _configured()
    found = administration.lag(
        settings.kafka_bootstrap,
        settings.kafka_group,
        (REFERRALS, ACTIONS),
        security=settings.kafka_security,
    )
    for part in found:
        sys.stdout.write(f"{part.topic}/{part.partition}  lag {part.lag}  end {part.end}\n")


@group.command("quarantine")
def quarantine(limit: Annotated[int, typer.Option(help="The last so many.")] = 20) -> None:
    """The last records of the quarantine topic: why, from where, how long; never their content.

    Example: triage topics quarantine --limit 50
    """
    settings = _configured()
    found = administration.quarantine(
        settings.kafka_bootstrap, limit=limit, security=settings.kafka_security
    )
    for record in found:
        sys.stdout.write(f"{record}\n")
