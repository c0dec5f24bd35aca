"""`triage audit`: every altered byte is found and named; published heads tell of a rewriting."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from tests.audit_house import AuditHouse, case_of
from triage.cli import app
from triage.domain.chain import link_hash
from triage.escalation.audit_heads import HeadsFile, merkle_root

CASE = case_of(1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[AuditHouse]:
    made = AuditHouse(f"sqlite:///{tmp_path / 'triage.db'}")
    made.refer(range(1, 4))
    made.send()
    yield made
    made.close()


@pytest.fixture
def heads(house: AuditHouse, tmp_path: Path) -> Path:
    """The file of heads, with one publication of every case."""
    file = tmp_path / "heads.jsonl"
    publish(house, HeadsFile(file))
    return file


def publish(house: AuditHouse, heads: HeadsFile) -> bytes | None:
    with house.view.read() as reading:
        return heads.publish(reading, house.clock.now())


def audit(house: AuditHouse, *options: str) -> tuple[int, dict[str, Any]]:
    roster = Path(__file__).parents[2] / "scenarios" / "roster.toml"
    environment = {"TRIAGE_DATABASE_URL": house.url, "TRIAGE_ROSTER_FILE": str(roster)}
    done = CliRunner().invoke(app, ["audit", "--json", *options], env=environment)
    assert done.exit_code in (0, 1), done.output
    return done.exit_code, orjson.loads(done.stdout)


def wrong(told: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    return [(each["kind"], each["case"], each["detail"]) for each in told["findings"]]


def rewrite(house: AuditHouse, old: str, new: str) -> None:
    """What a database's owner could do: alter the first event and hash all anew."""
    with house.store.read() as reader:
        log = reader.log(CASE)
    head = ""
    for link in log:
        document = link.document.replace(old, new)
        previous, head = head, link_hash(head, document)
        house.run(
            "UPDATE case_log SET document = :document, previous_hash = :previous, hash = :hash"
            " WHERE case_id = :case AND seq = :seq",
            document=document,
            previous=previous,
            hash=head,
            case=CASE,
            seq=link.seq,
        )
    house.run(
        "UPDATE journal SET event_document = replace(event_document, :old, :new)"
        " WHERE case_id = :case",
        old=old,
        new=new,
        case=CASE,
    )
    before = house.ask("SELECT head FROM cases WHERE case_id = :case", case=CASE)
    house.run(
        "UPDATE cases SET head = :head, document = replace(document, :before, :head)"
        " WHERE case_id = :case",
        head=head,
        before=before,
        case=CASE,
    )


def test_a_store_as_it_was_written_is_clean(house: AuditHouse, heads: Path) -> None:
    status, told = audit(house, "--against", str(heads))
    assert (status, told["findings"]) == (0, [])
    assert told["cases"] == told["published"] == 3
    assert told["links"] == house.ask("SELECT count(*) FROM case_log")
    assert told["pages"] == house.ask("SELECT count(*) FROM page")


@pytest.mark.parametrize("seq", [1, 2, 3])
@pytest.mark.parametrize("where", [0, 40, -2])
def test_every_altered_byte_of_a_log_is_found(house: AuditHouse, seq: int, where: int) -> None:
    stored = house.ask(
        "SELECT document FROM case_log WHERE case_id = :case AND seq = :seq", case=CASE, seq=seq
    )
    at = where % len(stored)
    altered = f"{stored[:at]}{chr(ord(stored[at]) ^ 1)}{stored[at + 1 :]}"
    house.run(
        "UPDATE case_log SET document = :altered WHERE case_id = :case AND seq = :seq",
        altered=altered,
        case=CASE,
        seq=seq,
    )
    status, told = audit(house)
    assert status == 1
    ((kind, case, detail),) = wrong(told)
    assert (kind, case) == ("log_changed", CASE)
    assert f"link {seq}:" in detail
    if seq != 2:  # the journal has these documents a second time; our own notes are here only
        assert f"first altered byte: document, offset {len(stored[:at].encode())}" in detail


def test_what_people_see_of_a_finding_names_case_link_field_and_offset(house: AuditHouse) -> None:
    house.run("UPDATE case_log SET hash = 'f' || substr(hash, 2) WHERE seq = 2")
    environment = {"TRIAGE_DATABASE_URL": house.url}
    done = CliRunner().invoke(app, ["audit"], env=environment)
    assert done.exit_code == 1
    assert f"log_changed  {CASE}  2  link 2:" in done.stdout
    assert "first altered byte: hash, offset 0" in done.stdout
    assert done.stdout.rstrip().endswith("wrong")


def test_a_rewritten_log_is_found_against_published_heads(house: AuditHouse, heads: Path) -> None:
    rewrite(house, "worsening", "improving")
    _, alone = audit(house)
    assert not any("rewritten" in detail for _, _, detail in wrong(alone))
    status, told = audit(house, "--against", str(heads))
    assert status == 1
    assert any(
        case == CASE and detail.endswith("the log was rewritten") for _, case, detail in wrong(told)
    )


def test_a_cut_log_and_a_vanished_case_are_found_against_published_heads(
    house: AuditHouse, heads: Path
) -> None:
    for table in ("case_log", "cases", "journal", "page"):
        house.run(f"DELETE FROM {table} WHERE case_id = :case", case=CASE)
    assert audit(house)[0] == 0
    status, told = audit(house, "--against", str(heads))
    assert status == 1
    assert wrong(told) == [
        ("log_lost", CASE, "its head was published, and nothing of the case is stored")
    ]


def test_only_what_is_new_is_published_and_each_line_follows_the_one_before(
    house: AuditHouse, tmp_path: Path
) -> None:
    file = tmp_path / "heads.jsonl"
    first = publish(house, HeadsFile(file))
    again = HeadsFile(file)
    assert publish(house, again) is None
    house.refer(range(4, 5))
    second = publish(house, again)
    assert first is not None
    assert second is not None
    told = orjson.loads(second)
    assert list(told["new"]) == [case_of(4)]
    assert told["previous"] == hashlib.sha256(first).hexdigest()
    assert told["cases"] == 4
    with house._engine.connect() as connection:
        rows = connection.execute(
            text("SELECT case_id, max(seq) FROM case_log GROUP BY case_id")
        ).all()
    heads = {
        case: (seq, house.ask("SELECT head FROM cases WHERE case_id = :case", case=case))
        for case, seq in rows
    }
    assert told["root"] == merkle_root(heads)
    assert audit(house, "--against", str(file))[0] == 0


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: lines[1:], "line 1 does not follow the line before it"),
        (lambda lines: [lines[0].replace(b'"1"', b'"2"')[:-3], lines[1]], "line 1 is no line"),
        (lambda lines: [lines[0].replace(b'"cases":3', b'"cases":4'), lines[1]], "line 2 does not"),
    ],
)
def test_a_spoilt_file_of_heads_is_told(
    house: AuditHouse, heads: Path, spoil: Any, said: str
) -> None:
    house.refer(range(4, 5))
    publish(house, HeadsFile(heads))
    heads.write_bytes(b"\n".join(spoil(heads.read_bytes().splitlines())) + b"\n")
    status, told = audit(house, "--against", str(heads))
    assert status == 1
    assert any(kind == "heads" and said in detail for kind, _, detail in wrong(told)), told


def test_what_the_auditor_found_is_listed(house: AuditHouse) -> None:
    environment = {"TRIAGE_DATABASE_URL": house.url}
    assert CliRunner().invoke(app, ["audit", "--findings"], env=environment).exit_code == 0
    house.audit()
    house.run("UPDATE case_log SET event_id = 'x' WHERE case_id = :case AND seq = 1", case=CASE)
    house.audit()
    done = CliRunner().invoke(app, ["audit", "--findings"], env=environment)
    assert done.exit_code == 1
    assert f"OPEN  log_changed  {CASE}  1  link 1:" in done.stdout
