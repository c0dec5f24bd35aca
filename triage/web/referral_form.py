"""The form that submits a referral by hand: fields of the policy's vocabulary, and the event."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

import orjson

from triage.domain.instants import format_instant, parse_instant
from triage.policies.book import PolicyBook
from triage.web.words import Wording

SUBMITTED = "referral.submitted.v1"
FIELD = "finding."
_GROUPS = (
    (
        "Neurology",
        (
            "ais",
            "walking",
            "walking_baseline",
            "neuro_symptom",
            "trend",
            "deficit_onset_at",
            "bladder",
            "bladder_onset_at",
            "saddle_sensation",
            "pvr_ml",
            "respiratory",
        ),
    ),
    (
        "Imaging and stability",
        ("mri", "level", "compartment", "escc", "thecal_compression", "sins", "pain"),
    ),
    (
        "Cancer and patient",
        (
            "cancer",
            "histology",
            "spinal_metastasis",
            "kps",
            "prior_radiotherapy",
            "anticoagulated",
            "wishes",
        ),
    ),
)
_HINTS = {
    "ais": "A no movement or feeling; B feeling only; C movement, most muscles below grade 3; "
    "D most at grade 3 or better; E normal",
    "walking": "“Cannot other”: for a reason that is not neurological",
    "deficit_onset_at": "When the present worst deficit began; the latest time that is plausible",
    "bladder": "Bladder or bowel, whichever is worse",
    "level": "Vertebral level of the worst lesion",
    "sins": "Spinal instability score, 0 to 18",
}
_TEXT_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class Question:
    """One field: `kind` is `choice`, `number` or `instant`; `options` are (value, words)."""

    name: str
    label: str
    kind: str
    options: tuple[tuple[str, str], ...]
    unit: str
    hint: str
    value: str


@dataclass(frozen=True, slots=True)
class Group:
    """Questions under one heading."""

    title: str
    questions: tuple[Question, ...]


def questions(book: PolicyBook, given: Mapping[str, str]) -> tuple[Group, ...]:
    """The form, filled with what was given before; every field may be left unanswered."""
    wording = Wording(book)
    return tuple(
        Group(title, tuple(_questions(book, wording, names, given))) for title, names in _GROUPS
    )


def _questions(
    book: PolicyBook, wording: Wording, names: tuple[str, ...], given: Mapping[str, str]
) -> Iterator[Question]:
    kinds = {"choice": "choice", "onset": "instant", "instant": "instant"}
    for name in names:
        row = book.findings.get(name)
        if row is None:
            continue
        yield Question(
            name=FIELD + name,
            label=wording.finding(name),
            kind=kinds.get(row.kind, "number"),
            options=tuple((value, wording.value(name, value)) for value in row.values),
            unit=row.unit,
            hint=_HINTS.get(name, ""),
            value=given.get(FIELD + name, ""),
        )


def referral_event(
    form: Mapping[str, str], *, source: str, zone: tzinfo, opened_at: datetime
) -> bytes:
    """The form as a CloudEvent. Sent twice it is the same event, changed and sent again another.

    `opened_at`: when the form was opened; a form that names no such instant counts as opened then.
    """
    data = _data(form, source, zone)
    subject = form.get("subject", "")[:80].replace("/", "-")
    at = parse_instant(form.get("opened_at")) or opened_at
    content = orjson.dumps([subject, data], option=orjson.OPT_SORT_KEYS)
    return orjson.dumps(
        {
            "specversion": "1.0",
            "id": f"form-{hashlib.sha256(content).hexdigest()[:24]}",
            "source": source,
            "type": SUBMITTED,
            "time": format_instant(min(at, opened_at)),
            "subject": subject,
            "datacontenttype": "application/json",
            "data": data,
        }
    )


def _data(form: Mapping[str, str], source: str, zone: tzinfo) -> dict[str, Any]:
    referrer = {
        "name": form.get("referrer_name"),
        "role": "referrer",
        "organisation": source,
        "ward": form.get("ward"),
        "callback": form.get("callback"),
    }
    data: dict[str, Any] = {
        "referrer": {key: value for key, value in referrer.items() if value},
        "findings": dict(_findings(form, zone)),
    }
    if "hospital_number" in form:
        identifier = {"system": source, "value": form["hospital_number"][:80]}
        data["patient"] = {"identifiers": [identifier]}
    if "note" in form:
        data["note"] = form["note"][:_TEXT_LIMIT]
    if "destination" in form:
        data["destination"] = form["destination"]
    return data


def _findings(form: Mapping[str, str], zone: tzinfo) -> Iterator[tuple[str, Any]]:
    for name, value in form.items():
        if name.startswith(FIELD):
            field = name.removeprefix(FIELD)
            yield field, local_instant(value, zone) if field.endswith("_at") else value


def local_instant(text: str, zone: tzinfo) -> str:
    """A wall-clock time of the site (`2026-03-10T08:02`) as RFC 3339 in UTC; other text unchanged.

    A time that the clock shows twice is the later one: the shorter wait, so never the calmer.
    """
    try:
        local = datetime.fromisoformat(text)
    except ValueError:
        return text
    if local.tzinfo is None:
        local = local.replace(tzinfo=zone, fold=1)
    return format_instant(local.astimezone(UTC))
