"""Each way out of the watchman carries the alarm, and says when it did not."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook
from typer.testing import CliRunner

from tests.process.receiving import SECRET, paging_desk
from triage.cli import app
from triage.domain.errors import TriageError
from triage.escalation.watchman import alarm, deadman_of
from triage.escalation.watchman_judge import Trouble
from triage.escalation.watchman_route import route_of
from triage.escalation.watchman_sight import eyes_of
from triage.settings import BadSettings, read_settings

NOW = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
DOCUMENT = alarm([Trouble("sweep", "It stands.", "Start it.")], NOW, "https://triage.example")


def test_a_webhook_is_signed_as_its_receiver_checks_it() -> None:
    with paging_desk() as desk:
        # the receiver's library takes only what was signed within five minutes of its own clock
        sent_at = datetime.now(UTC)
        route_of(f"http://{desk.receiver.address}/alarm", f"whsec_{SECRET}")(DOCUMENT, sent_at)
        (request,) = desk.received
    document = Webhook(SECRET).verify(request.body.decode(), request.headers)
    assert document["troubles"][0]["key"] == "sweep"
    assert request.headers["webhook-id"] == DOCUMENT["id"]


@pytest.mark.parametrize("status", [301, 404, 500])
def test_a_webhook_that_is_not_taken_is_a_failure(status: int) -> None:
    with paging_desk() as desk:
        desk.receiver.status = status
        desk.receiver.extra_header = "location: /elsewhere\r\n"
        with pytest.raises(OSError, match=f"HTTP {status}"):
            route_of(f"http://{desk.receiver.address}/alarm", "secret")(DOCUMENT, NOW)
        assert len(desk.received) == 1


def test_a_command_gets_the_alarm_and_its_status_counts(tmp_path: Path) -> None:
    out = tmp_path / "heard.json"
    program = tmp_path / "siren.py"
    program.write_text(
        "import pathlib, sys\n"
        f"pathlib.Path({str(out)!r}).write_text(sys.stdin.read())\n"
        "sys.exit(int(sys.argv[1]))\n"
    )
    route_of(f"command:{sys.executable} {program} 0", None)(DOCUMENT, NOW)
    assert json.loads(out.read_text()) == DOCUMENT
    with pytest.raises(subprocess.SubprocessError):
        route_of(f"command:{sys.executable} {program} 3", None)(DOCUMENT, NOW)
    with pytest.raises(FileNotFoundError):
        route_of("command:/no/such/program", None)(DOCUMENT, NOW)


def test_a_service_of_apprise_gets_title_and_text() -> None:
    with paging_desk() as desk:
        route_of(f"json://{desk.receiver.address}/", None)(DOCUMENT, NOW)
        (request,) = desk.received
        assert "It stands." in request.body.decode()
        desk.receiver.status = 500
        with pytest.raises(OSError, match="did not take it"):
            route_of(f"json://{desk.receiver.address}/", None)(DOCUMENT, NOW)


def test_the_outside_is_asked_once_and_a_refusal_is_a_failure() -> None:
    with paging_desk() as desk:
        feed = deadman_of(f"http://{desk.receiver.address}/ping")
        assert feed is not None
        feed()
        assert [request.request_line for request in desk.received] == ["GET /ping HTTP/1.1"]
        desk.receiver.status = 500
        with pytest.raises(OSError, match="HTTP 500"):
            feed()
    assert deadman_of(None) is None


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: route_of("pager", None),
        lambda: route_of("https://desk.example", None),
        lambda: eyes_of("mysql://x/y"),
        lambda: eyes_of("sqlite://"),
    ],
)
def test_what_can_never_work_is_refused_at_start(wrong: Callable[[], object]) -> None:
    with pytest.raises(TriageError) as caught:
        wrong()
    assert caught.value.hint


def test_settings_name_each_wrong_key_and_no_password() -> None:
    with pytest.raises(BadSettings) as caught:
        read_settings({"TRIAGE_WATCH_ROUTE": "pager-s3cret", "TRIAGE_DEADMAN_URL": "hc-s3cret"})
    assert "TRIAGE_WATCH_ROUTE" in caught.value.what
    assert "TRIAGE_DEADMAN_URL" in caught.value.what
    assert "s3cret" not in caught.value.what
    with pytest.raises(BadSettings, match="TRIAGE_WATCH_SECRET"):
        read_settings({"TRIAGE_WATCH_ROUTE": "https://desk.example"})


def test_the_watchman_keeps_no_company_and_needs_a_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke
    together = run(app, ["run", "--role", "watch", "--role", "notify"])
    assert isinstance(together.exception, TriageError)
    assert together.exception.what == "role: watch with notify"
    alone = run(app, ["run", "--role", "watch"])
    assert isinstance(alone.exception, TriageError)
    assert alone.exception.what == "TRIAGE_WATCH_ROUTE: not set"
