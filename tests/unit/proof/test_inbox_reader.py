"""Reading the inbox as it grows: each page once, a line still being written not yet."""

from pathlib import Path

from triage.proof.demo_traffic import InboxReader


def test_each_page_is_seen_once_and_in_order(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox.jsonl"
    reader = InboxReader(inbox)
    assert list(reader.new_pages()) == []
    inbox.write_bytes(b'{"page": "a"}\n{"page": "b"}\n{"pa')
    assert [page["page"] for page in reader.new_pages()] == ["a", "b"]
    with inbox.open("ab") as file:
        file.write(b'ge": "c"}\n')
    assert [page["page"] for page in reader.new_pages()] == ["c"]
    assert list(reader.new_pages()) == []
