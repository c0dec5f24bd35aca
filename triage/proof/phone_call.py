"""One call of the simulated provider: what is spoken is kept, keys are pressed as the handset does.

A handset never knows more than a person who listens: a code is read out of what was said.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urljoin
from xml.etree import ElementTree

Manner = Literal[
    "takes",  # presses 1, and the code or PIN that is asked for
    "declines",
    "stops halfway",  # presses 1 and hangs up at the code
    "mistypes",  # presses 1 and a wrong code, always
    "listens",  # presses nothing
    "voicemail",
    "absent",  # rings out
    "rings",  # rings until the call is ended from outside
    "busy",
]
CallBack = Callable[[str, Mapping[str, str]], Awaitable[tuple[int, str]]]
_CODE = re.compile(r"four digits: ((?:\d, ){3}\d)")
_MOST_STEPS = 20


@dataclass
class Handset:
    """A telephone and who holds it. `provider`: what the provider does with requests for it."""

    manner: Manner = "absent"
    provider: Literal["takes", "refuses", "hangs", "down", "takes and hangs"] = "takes"
    is_on: bool = True
    pin: str = ""


@dataclass
class Call:
    """One call that was placed; `said` is every sentence that was spoken on it."""

    sid: str
    to: str
    sender: str
    url: str
    call_back: str
    status: str = "queued"
    said: list[str] = field(default_factory=list)
    pressed: list[str] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


async def follow(call: Call, handset: Handset, call_back: CallBack) -> None:
    """The whole call, from ringing to the status call-back."""
    call.status, answered_by = "ringing", ""
    if handset.manner in ("absent", "busy"):
        call.status = "busy" if handset.manner == "busy" else "no-answer"
    elif handset.manner == "rings":
        await call.ended.wait()
        call.status = "canceled"
    else:
        call.status = "in-progress"
        answered_by = "machine_start" if handset.manner == "voicemail" else "human"
        await _talk(call, handset, answered_by, call_back)
        call.status = "completed"
    if call.call_back:
        fields = _fields(call) | {"CallStatus": call.status}
        if answered_by:
            fields["AnsweredBy"] = answered_by
        await call_back(call.call_back, fields)


async def _talk(call: Call, handset: Handset, answered_by: str, call_back: CallBack) -> None:
    url, fields = call.url, _fields(call) | {"AnsweredBy": answered_by}
    for _ in range(_MOST_STEPS):
        status, text = await call_back(url, fields)
        if status != 200:
            return
        step = _next(call, handset, ElementTree.fromstring(text))
        if step is None:
            return
        path, keys = step
        url, fields = urljoin(url, path), _fields(call)
        if keys:
            call.pressed.append(keys)
            fields["Digits"] = keys


def _next(
    call: Call, handset: Handset, document: ElementTree.Element
) -> tuple[str, str | None] | None:
    """Where the call goes on and with which keys; None when it is over."""
    said = [each.text or "" for each in document.iter("Say")]
    call.said += said
    gather, redirect = document.find("Gather"), document.find("Redirect")
    if gather is None:
        return (redirect.text or "", None) if redirect is not None else None
    keys = _keys(handset, " ".join(said))
    if keys is None and handset.manner == "stops halfway":
        return None
    if keys is not None:
        return gather.get("action", ""), keys
    return (redirect.text or "", None) if redirect is not None else None


def _keys(handset: Handset, said: str) -> str | None:
    code, asks_pin = _CODE.search(said), "PIN" in said
    if handset.manner == "declines":
        return "2"
    if handset.manner not in ("takes", "mistypes", "stops halfway"):
        return None
    if not code and not asks_pin:
        return "1"
    if handset.manner == "stops halfway":
        return None
    if handset.manner == "mistypes":
        return "0000"
    return handset.pin if asks_pin else code[1].replace(", ", "") if code else None


def _fields(call: Call) -> dict[str, str]:
    return {
        "CallSid": call.sid,
        "To": call.to,
        "From": call.sender,
        "CallStatus": call.status,
        "Direction": "outbound-api",
    }
