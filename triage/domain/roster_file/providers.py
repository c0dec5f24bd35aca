"""The telephone providers of a roster file, and the numbers that they reach."""

from triage.domain.roster.telephone import TWILIO, Provider, dialled
from triage.domain.roster_file.entry import Entry
from triage.domain.roster_file.values import read_id, read_text

REFERENCES = ("env:", "file:")


def provider_of(name: str, entry: Entry) -> Provider | None:
    """The provider of a `[provider.<name>]` table; None when a part of it is unusable."""
    entry.check_name(read_id, name)
    account = entry.needs("account", read_text)
    token = entry.needs("token", _read_reference)
    sender = entry.needs("from", read_number)
    url = entry.may_have("url", _read_address, TWILIO)
    entry.close()
    if account is None or token is None or sender is None:
        return None
    return Provider(name=name, account=account, token=token, sender=sender, url=url)


def read_number(value: object) -> str:
    """A number in its international form, or where it is kept; the problem never shows it."""
    text = read_text(value)
    if text.startswith(REFERENCES):
        return text
    number = dialled(text)
    if number is None:
        raise ValueError("is no number: write '+' and country code, or 'env:NAME', 'file:/path'")
    return number


def _read_reference(value: object) -> str:
    text = read_text(value)
    if not text.startswith(REFERENCES):
        raise ValueError("is a secret: write where it is kept, 'env:NAME' or 'file:/path'")
    return text


def _read_address(value: object) -> str:
    text = read_text(value)
    if not text.startswith(("https://", "http://")):
        raise ValueError("is no address: write https://...")
    return text.rstrip("/")
