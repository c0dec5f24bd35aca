"""A story as a TOML file that a person can read, keep as a test and play again."""

import base64
import json
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from triage.domain.errors import TriageError
from triage.domain.instants import parse_instant
from triage.proof.simulate.story import Crash, Message, Outage, Story, Temper, as_numbers

_FORM = 1


class UnreadableStory(TriageError):
    """The file is no story; `what` says where it breaks."""


def write_story(story: Story, notes: Iterable[str] = ()) -> str:
    """The text of a file; `read_story` gives the same story back. `notes` head it as comments."""
    lines = [f"# {note}" for note in notes]
    lines += [f"form = {_FORM}", f"seed = {story.seed}", f"start = {_text(_iso(story.start))}"]
    lines += [f"hours = {story.hours!r}", f"processes = {story.processes}"]
    lines += [f"partitions = {story.partitions}", f"roster = {_text(story.roster)}", "", "[temper]"]
    lines += [f"{name} = {value!r}" for name, value in as_numbers(story.temper).items()]
    for crash in story.crashes:
        lines += ["", "[[crash]]", f"point = {_text(crash.point)}", f"nth = {crash.nth}"]
    for outage in story.outages:
        lines += ["", "[[outage]]", f"kind = {_text(outage.kind)}"]
        lines += [f"starts_seconds = {outage.starts.total_seconds()!r}"]
        lines += [f"ends_seconds = {outage.ends.total_seconds()!r}"]
    for message in story.messages:
        lines += ["", "[[message]]", *_message_lines(message)]
    return "\n".join(lines) + "\n"


def read_story(text: str) -> Story:
    """The story of a file's text. Raises UnreadableStory."""
    try:
        table = tomllib.loads(text)
        if table.get("form") != _FORM:
            raise UnreadableStory(f"form: {table.get('form')}", hint=f"allowed: {_FORM}")
        return Story(
            seed=table["seed"],
            start=_instant(table["start"]),
            hours=float(table["hours"]),
            roster=table["roster"],
            messages=tuple(_message(each) for each in table.get("message", ())),
            crashes=tuple(Crash(each["point"], each["nth"]) for each in table.get("crash", ())),
            outages=tuple(_outage(each) for each in table.get("outage", ())),
            processes=table["processes"],
            partitions=table["partitions"],
            temper=Temper(**table["temper"]),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        what = f"story: {type(error).__name__}: {error}"
        raise UnreadableStory(what, hint="give a file that `triage simulate` wrote") from None


def _message_lines(message: Message) -> list[str]:
    lines = [f"at = {_text(_iso(message.at))}", f"topic = {_text(message.topic)}"]
    lines += [f"key = {_text(message.key.decode())}", f"source = {_text(message.source)}"]
    headers = ", ".join(f"[{_text(name)}, {_bytes(value)}]" for name, value in message.headers)
    lines.append(f"headers = [{headers}]")
    if message.value is not None:
        lines.append(f"value = {_bytes(message.value)}")
    return lines


def _message(table: Mapping[str, Any]) -> Message:
    return Message(
        at=_instant(table["at"]),
        topic=table["topic"],
        key=table["key"].encode(),
        headers=tuple((name, _read_bytes(value)) for name, value in table["headers"]),
        value=_read_bytes(table["value"]) if "value" in table else None,
        source=table["source"],
    )


def _outage(table: Mapping[str, Any]) -> Outage:
    starts, ends = table["starts_seconds"], table["ends_seconds"]
    return Outage(table["kind"], timedelta(seconds=starts), timedelta(seconds=ends))


def _bytes(value: bytes) -> str:
    """As text where it is text that is not mistaken for base64."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return _text(f"base64:{base64.b64encode(value).decode()}")
    if text.startswith("base64:"):
        return _text(f"base64:{base64.b64encode(value).decode()}")
    return _text(text)


def _read_bytes(text: str) -> bytes:
    if text.startswith("base64:"):
        return base64.b64decode(text.removeprefix("base64:"), validate=True)
    return text.encode()


def _text(text: str) -> str:
    """Literal where that can be, for whoever reads it; else a JSON string, which TOML reads too."""
    is_plain = all(letter.isprintable() or letter == "\n" for letter in text)
    if is_plain and "'''" not in text and not text.endswith("'") and set(text) & {'"', "\n"}:
        return f"'''\n{text}'''"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _iso(instant: datetime) -> str:
    return instant.isoformat()


def _instant(text: str) -> datetime:
    instant = parse_instant(text)
    if instant is None:
        raise ValueError(f"no instant: {text}")
    return instant
