"""Configuration: `TRIAGE_*` environment variables, also from `.env`; nothing else.

One error names every key that is wrong or unknown at once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values

from triage.domain.errors import TriageError

PREFIX = "TRIAGE_"
# What one process may do in any combination, and the one that keeps to itself.
ROLES = ("consume", "escalate", "notify", "web", "export", "audit")
WATCH = "watch"

# Key without prefix: what it is for. The docs and the doctor print this table.
KEYS: dict[str, str] = {
    "HOME": "folder for the database file and the inbox (default ./var)",
    "DATABASE_URL": "SQLAlchemy URL (default: SQLite file triage.db in TRIAGE_HOME)",
    "KAFKA_BOOTSTRAP": "host:port, comma-separated; unset = no Kafka door",
    "KAFKA_SECURITY_PROTOCOL": "PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL",
    "KAFKA_SASL_MECHANISM": "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512",
    "KAFKA_SASL_USERNAME": "user of the SASL mechanism",
    "KAFKA_SASL_PASSWORD": "password of the SASL mechanism",
    "KAFKA_SSL_CAFILE": "file with the authority that signed the brokers' certificates",
    "KAFKA_SSL_CERTFILE": "our certificate, for mutual TLS",
    "KAFKA_SSL_KEYFILE": "the key of our certificate",
    "KAFKA_GROUP": "consumer group (default triage)",
    "KAFKA_SESSION_TIMEOUT_SECONDS": "how long until a dead consumer is noticed (default 6)",
    "POLICY_DIR": "folder with the policy book's TOML files (default: the book that ships)",
    "ROSTER_FILE": "on-call roster (default: nobody on call, pages go to the desk's inbox)",
    "ROUTE_TEST_DAYS": "test pages before shifts, at most one a route in so many days; 0 = never",
    "HTTP_HOST": "address to listen on (default 127.0.0.1)",
    "HTTP_PORT": "port to listen on, 0 to 65535 (default 8000)",
    "PUBLIC_URL": "address that people reach us at, for links in pages",
    "SECRET_KEY": "signs sessions; at least 32 characters; no default",
    "AUDIT_DATABASE_URL": "the auditor's database user, who may only read (default: DATABASE_URL)",
    "AUDIT_EVERY_SECONDS": "how often the auditor looks, 1 to 30 (default 10)",
    "HEADS_FILE": "where heads of the case logs are published (default heads.jsonl in HOME)",
    "PUSH_KEY": "signs push messages to browsers; made with `triage token push-key`; no default",
    "PUSH_CONTACT": "mailto: address that push services may write to (default: none, no push)",
    "LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR (default INFO)",
    "WATCH_DATABASE_URL": "the watchman's own login (default TRIAGE_DATABASE_URL)",
    "WATCH_ROUTE": "where the watchman alarms: https:, file:, command: or an address of Apprise",
    "WATCH_SECRET": "signs the watchman's webhook",
    "CANARY_SECONDS": "how often a canary goes the whole way; 0 = none (default 0)",
    "DEADMAN_URL": "address outside that hears from the watchman while all is well",
}
# Read by the tests, by infra/kafka and by `triage submit`, not by the service.
OTHERS = frozenset(
    {"TEST_DATABASE_URL", "TEST_KAFKA_BOOTSTRAP", "KAFKA_CACHE", "MAVEN_REPOSITORY", "TOKEN"}
)
_SECURITY = {  # our key: the Kafka clients' own name
    "KAFKA_SECURITY_PROTOCOL": "security_protocol",
    "KAFKA_SASL_MECHANISM": "sasl_mechanism",
    "KAFKA_SASL_USERNAME": "sasl_plain_username",
    "KAFKA_SASL_PASSWORD": "sasl_plain_password",
    "KAFKA_SSL_CAFILE": "ssl_cafile",
    "KAFKA_SSL_CERTFILE": "ssl_certfile",
    "KAFKA_SSL_KEYFILE": "ssl_keyfile",
}
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_SECRET_LENGTH = 32
_PORT_MAX = 65_535
_PUSH_KEY = re.compile(r"[A-Za-z0-9_-]{43}=?")
CANARY_LONGEST_SECONDS = 300


class BadSettings(TriageError):
    """Keys of the environment cannot be used; `what` lists every one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the environment says, typed."""

    home: Path
    database_url: str
    kafka_bootstrap: tuple[str, ...] = ()
    kafka_security: Mapping[str, str] = field(default_factory=dict)
    kafka_group: str = "triage"
    kafka_session_timeout_seconds: float = 6.0
    policy_dir: Path | None = None
    roster_file: Path | None = None
    route_test_days: int = 7
    http_host: str = "127.0.0.1"
    http_port: int = 8000
    public_url: str = "http://127.0.0.1:8000"
    secret_key: str | None = None
    audit_database_url: str | None = None
    audit_every_seconds: float = 5.0
    heads_file: Path | None = None
    push_key: str | None = None
    push_contact: str | None = None
    log_level: str = "INFO"
    watch_database_url: str | None = field(default=None, repr=False)
    watch_route: str | None = field(default=None, repr=False)
    watch_secret: str | None = field(default=None, repr=False)
    canary_seconds: int = 0
    deadman_url: str | None = field(default=None, repr=False)


def read_settings(environment: Mapping[str, str], *, dotenv: Path | None = None) -> Settings:
    """Typed settings; raises BadSettings that lists every wrong key, with what was allowed."""
    merged = {k: v for k, v in (dotenv_values(dotenv) if dotenv else {}).items() if v is not None}
    merged |= environment
    given = {
        key.removeprefix(PREFIX): value.strip()
        for key, value in merged.items()
        if key.startswith(PREFIX) and value.strip()
    }
    reader = _Reader(given)
    settings = reader.settings()
    if reader.problems:
        raise BadSettings(
            "settings: " + "; ".join(reader.problems),
            hint="docs/configuration.md lists every key and what it is for",
        )
    return settings


class _Reader:
    def __init__(self, given: Mapping[str, str]) -> None:
        self.given = given
        self.problems = [
            f"{PREFIX}{key}: unknown key" for key in sorted(given.keys() - KEYS.keys() - OTHERS)
        ]

    def settings(self) -> Settings:
        home = Path(self.given.get("HOME", "var"))
        host = self.given.get("HTTP_HOST", "127.0.0.1")
        port = self._number("HTTP_PORT", 8000, 0, _PORT_MAX)
        return Settings(
            home=home,
            database_url=self.given.get("DATABASE_URL", f"sqlite:///{home / 'triage.db'}"),
            kafka_bootstrap=self._bootstrap(),
            kafka_security=self._security(),
            kafka_group=self.given.get("KAFKA_GROUP", "triage"),
            kafka_session_timeout_seconds=self._number("KAFKA_SESSION_TIMEOUT_SECONDS", 6, 1, 300),
            policy_dir=self._folder("POLICY_DIR"),
            roster_file=self._file("ROSTER_FILE"),
            route_test_days=self._number("ROUTE_TEST_DAYS", 7, 0, 90),
            http_host=host,
            http_port=port,
            public_url=self.given.get("PUBLIC_URL", f"http://{host}:{port}").rstrip("/"),
            secret_key=self._secret(),
            audit_database_url=self.given.get("AUDIT_DATABASE_URL"),
            audit_every_seconds=self._number("AUDIT_EVERY_SECONDS", 5, 1, 30),
            heads_file=Path(self.given["HEADS_FILE"]) if "HEADS_FILE" in self.given else None,
            push_key=self._push_key(),
            push_contact=self._push_contact(),
            log_level=self._one_of("LOG_LEVEL", "INFO", _LEVELS),
            watch_database_url=self.given.get("WATCH_DATABASE_URL"),
            watch_route=self._route(),
            watch_secret=self.given.get("WATCH_SECRET"),
            canary_seconds=self._number("CANARY_SECONDS", 0, 0, CANARY_LONGEST_SECONDS),
            deadman_url=self._web("DEADMAN_URL"),
        )

    def _number(self, key: str, default: int, low: int, high: int) -> int:
        text = self.given.get(key)
        if text is None:
            return default
        if not text.isdecimal() or not low <= int(text) <= high:
            self.problems.append(f"{PREFIX}{key}: {text} (allowed: {low} to {high})")
            return default
        return int(text)

    def _bootstrap(self) -> tuple[str, ...]:
        parts = tuple(part.strip() for part in self.given.get("KAFKA_BOOTSTRAP", "").split(","))
        parts = tuple(part for part in parts if part)
        for part in parts:
            if not part.rpartition(":")[2].isdecimal() or not part.rpartition(":")[0]:
                self.problems.append(f"{PREFIX}KAFKA_BOOTSTRAP: {part} (allowed: host:port)")
        return parts

    def _security(self) -> dict[str, str]:
        if "KAFKA_SECURITY_PROTOCOL" in self.given:
            self._one_of("KAFKA_SECURITY_PROTOCOL", "PLAINTEXT", _PROTOCOLS)
        return {name: self.given[key] for key, name in _SECURITY.items() if key in self.given}

    def _one_of(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        text = self.given.get(key, default)
        if text not in allowed:
            self.problems.append(f"{PREFIX}{key}: {text} (allowed: {', '.join(allowed)})")
        return text

    def _folder(self, key: str) -> Path | None:
        path = Path(self.given[key]) if key in self.given else None
        if path is not None and not path.is_dir():
            self.problems.append(f"{PREFIX}{key}: {path} (no such folder)")
        return path

    def _file(self, key: str) -> Path | None:
        path = Path(self.given[key]) if key in self.given else None
        if path is not None and not path.is_file():
            self.problems.append(f"{PREFIX}{key}: {path} (no such file)")
        return path

    def _route(self) -> str | None:
        """Its value may hold a password, so a wrong one is not repeated."""
        text = self.given.get("WATCH_ROUTE")
        if text is None:
            return None
        kind = text.partition(":")[0].lower()
        if kind not in ("file", "command") and "://" not in text:
            self.problems.append(
                f"{PREFIX}WATCH_ROUTE: no such kind (allowed: https:, file:, command:, Apprise)"
            )
        if kind in ("http", "https") and "WATCH_SECRET" not in self.given:
            self.problems.append(f"{PREFIX}WATCH_SECRET: not set (a webhook is signed)")
        return text

    def _web(self, key: str) -> str | None:
        text = self.given.get(key)
        if text is not None and not text.lower().startswith(("http://", "https://")):
            self.problems.append(f"{PREFIX}{key}: no web address (allowed: https://...)")
        return text

    def _secret(self) -> str | None:
        text = self.given.get("SECRET_KEY")
        if text is not None and len(text) < _SECRET_LENGTH:
            self.problems.append(f"{PREFIX}SECRET_KEY: too short (at least {_SECRET_LENGTH})")
        return text

    def _push_key(self) -> str | None:
        text = self.given.get("PUSH_KEY")
        if text is not None and _PUSH_KEY.fullmatch(text) is None:
            self.problems.append(f"{PREFIX}PUSH_KEY: no key (make one: triage token push-key)")
        if text is not None and "PUSH_CONTACT" not in self.given:
            self.problems.append(f"{PREFIX}PUSH_CONTACT: not set, and TRIAGE_PUSH_KEY is")
        return text

    def _push_contact(self) -> str | None:
        text = self.given.get("PUSH_CONTACT")
        if text is not None and not (text.startswith("mailto:") and "@" in text):
            self.problems.append(f"{PREFIX}PUSH_CONTACT: {text} (allowed: mailto:name@place)")
        return text
