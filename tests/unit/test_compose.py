"""docker-compose.yml: valid by the official schema, and no name that the program does not know.

No container engine runs here; `tests/process/test_compose_services.py` starts what it describes.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer.main
import yaml

from triage.cli import app
from triage.consumers.topics import load_topics
from triage.settings import KEYS, PREFIX, read_settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: s for name, s in SERVICES.items() if s["image"].startswith("triage:")}
ROLES = {name: s for name, s in OURS.items() if s["command"][0] == "run"}
SECRETS = {"POSTGRES_PASSWORD": "p" * 48, "TRIAGE_SECRET_KEY": "k" * 64}


def interpolated(text: str) -> str:
    """The value as Compose gives it: `${NAME:-default}` and `${NAME:?message}`."""
    return re.sub(
        r"\$\{(\w+)(?::([-?])([^}]*))?\}",
        lambda m: SECRETS.get(m[1], m[3] if m[2] == "-" else ""),
        text,
    )


def environment(service: dict[str, Any]) -> dict[str, str]:
    return {key: interpolated(str(value)) for key, value in service["environment"].items()}


def test_it_is_valid_by_the_official_schema() -> None:
    schema = json.loads((ROOT / "tests/data/compose_spec.json").read_text(encoding="utf-8"))
    errors = jsonschema.Draft7Validator(schema).iter_errors(COMPOSE)
    assert [f"{list(e.path)}: {e.message}" for e in errors] == []


def test_the_schema_would_see_a_misspelt_key() -> None:
    schema = json.loads((ROOT / "tests/data/compose_spec.json").read_text(encoding="utf-8"))
    spoiled = {**COMPOSE, "services": {"web": {"image": "triage", "comand": ["run"]}}}
    assert list(jsonschema.Draft7Validator(schema).iter_errors(spoiled))


@pytest.mark.parametrize("name", OURS)
def test_each_service_of_ours_has_settings_that_the_program_accepts(
    name: str, tmp_path: Path
) -> None:
    given = environment(OURS[name])
    roster = tmp_path / "roster.toml"
    roster.touch()
    settings = read_settings({**given, "TRIAGE_ROSTER_FILE": str(roster)})
    assert given.keys() <= {PREFIX + key for key in KEYS}
    assert settings.kafka_bootstrap == ("kafka:9092",)
    assert settings.database_url.endswith("@postgres:5432/triage")
    assert len(settings.secret_key or "") >= 32


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_one_that_the_program_has(name: str) -> None:
    command = typer.main.get_command(app)
    words = list(OURS[name]["command"])
    with command.make_context("triage", words, resilient_parsing=True) as context:
        while words and (found := getattr(command, "commands", {}).get(words[0])):
            command, words = found, words[1:]
        assert not hasattr(command, "commands"), f"{name}: {words} is no command"
        known = {option for p in command.params for option in p.opts}
        assert {word for word in words if word.startswith("--")} <= known
        assert context.info_name == "triage"


def test_a_role_starts_only_when_schema_and_topics_are_there() -> None:
    for service in ROLES.values():
        waits = {name: how["condition"] for name, how in service["depends_on"].items()}
        assert waits == dict.fromkeys(("migrate", "topics"), "service_completed_successfully")


def test_no_service_of_ours_runs_as_root_or_may_write_or_gain_rights() -> None:
    for service in OURS.values():
        assert service["user"] == "10001:10001"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]


def test_every_lasting_service_has_a_health_check_and_a_limit_and_comes_back() -> None:
    for name, service in SERVICES.items():
        if service in OURS.values() and service not in ROLES.values():
            continue
        assert service["healthcheck"]["test"], name
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}, name
        assert service["restart"] == "unless-stopped", name


def test_nothing_listens_beyond_this_machine() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for name in SECRETS:
        assert set(re.findall(r"\$\{" + name + r"(:?[-?])", text)) == {":?"}


def test_every_image_is_pinned() -> None:
    for name, service in SERVICES.items():
        tag = service["image"].rpartition(":")[2]
        assert re.search(r"\d", tag), name


def test_the_image_installs_by_hash_and_runs_as_the_user_of_the_services() -> None:
    lines = (ROOT / "infra/Dockerfile").read_text(encoding="utf-8")
    assert "--require-hashes" in lines
    assert "\nUSER 10001:10001\n" in lines
    for source in re.findall(r"^COPY (?!--from)(\S+)", lines, re.MULTILINE):
        assert (ROOT / source).exists(), source


def scraped() -> Iterator[tuple[str, str]]:
    config = yaml.safe_load((ROOT / "infra/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    for job in config["scrape_configs"]:
        for group in job["static_configs"]:
            for target in group["targets"]:
                host, _, port = target.partition(":")
                yield host, port


def test_prometheus_scrapes_every_role_on_its_own_port() -> None:
    targets = dict(scraped())
    assert targets.keys() >= ROLES.keys()
    for name, service in ROLES.items():
        assert targets[name] == environment(service)["TRIAGE_HTTP_PORT"]


def test_the_broker_may_hold_the_topics() -> None:
    broker = SERVICES["kafka"]["environment"]
    largest = max(
        int(spec.config.get("max.message.bytes", 0))
        for spec in load_topics((ROOT / "infra/topics.toml").read_text(encoding="utf-8"))
    )
    # The broker's own default for what a follower or consumer may fetch is 1 MiB at least once.
    assert largest < 2 * 1024 * 1024
    assert broker["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
