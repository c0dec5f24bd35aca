"""References to secrets (`env:NAME`, `file:/path`), resolved when a page is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LONGEST = 65_536


@dataclass(frozen=True, slots=True)
class Missing:
    """A reference that leads nowhere. `reason` names the reference, never a value."""

    reason: str


def resolve_reference(value: str | None, environment: Mapping[str, str]) -> str | Missing:
    """The text that a roster value stands for; a value that is no reference stands for itself."""
    if not value:
        return Missing("nothing is configured")
    if value.startswith("env:"):
        return environment.get(value.removeprefix("env:")) or Missing(f"{value} is not set")
    if value.startswith("file:"):
        return _from_file(value, Path(value.removeprefix("file:")))
    return value


def _from_file(reference: str, path: Path) -> str | Missing:
    if not path.is_absolute():
        return Missing(f"{reference} is no absolute path")
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST).decode().strip()
    except OSError as error:
        return Missing(f"{reference} cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        return Missing(f"{reference} is not text")
    return text or Missing(f"{reference} is empty")
