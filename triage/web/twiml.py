"""What a telephone provider is told to say or write: TwiML, the XML of Twilio-style providers."""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from starlette.responses import Response

_LANGUAGE = "en-GB"
_WAIT_SECONDS = "8"
MEDIA_TYPE = "text/xml"


def say(*sentences: str) -> Response:
    """Speak, then hang up."""
    root = Element("Response")
    _speak(root, sentences)
    SubElement(root, "Hangup")
    return _answer(root)


def ask(*sentences: str, action: str, digits: int | None, silence: str) -> Response:
    """Speak and wait for keys, which go to `action`; without any the call goes on at `silence`.

    `digits` None: any number of them, ended by the hash key.
    """
    root = Element("Response")
    gather = SubElement(
        root, "Gather", input="dtmf", action=action, method="POST", timeout=_WAIT_SECONDS
    )
    if digits is not None:
        gather.set("numDigits", str(digits))
    else:
        gather.set("finishOnKey", "#")
    _speak(gather, sentences)
    SubElement(root, "Redirect", method="POST").text = silence
    return _answer(root)


def reply(text: str) -> Response:
    """Answer a message with a message; an empty text with none."""
    root = Element("Response")
    if text:
        SubElement(root, "Message").text = text
    return _answer(root)


def spelt(text: str) -> str:
    """Each sign for itself, with a pause between groups: `7K3Q-9MPD` as `7 K 3 Q, 9 M P D`."""
    return ", ".join(" ".join(group) for group in re.split(r"[^A-Za-z0-9]+", text) if group)


def _speak(parent: Element, sentences: tuple[str, ...]) -> None:
    for sentence in sentences:
        SubElement(parent, "Say", language=_LANGUAGE).text = sentence
        SubElement(parent, "Pause", length="1")


def _answer(root: Element) -> Response:
    return Response(tostring(root, encoding="utf-8", xml_declaration=True), media_type=MEDIA_TYPE)
