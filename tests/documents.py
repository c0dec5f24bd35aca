"""The documentation taken apart (code blocks, tables, words in code type), and the commands."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from triage.cli import app

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PROGRAM = typer.main.get_command(app)
# The contract under docs/reference describes the whole product, more than this version has.
_WRITTEN = [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "infra").rglob("*.md")]
PAGES = sorted(page for page in _WRITTEN if "reference" not in page.parts)


def page_id(page: Path) -> str:
    """The page's path, as a test is named after it."""
    return page.relative_to(ROOT).as_posix()


def fenced(page: Path, language: str) -> list[str]:
    """The code blocks of a language, in order."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return [body for each, body in blocks if each == language]


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def table(page: Path, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    below = page.read_text().split(f"{heading}\n", 1)[1]
    found = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert found, f"{page.name} has no table below {heading}"
    lines = [line.strip().removeprefix("|").removesuffix("|") for line in found[0].splitlines()]
    return [[cell.strip() for cell in line.split("|")] for line in lines[2:]]


def ticked(cell: str) -> list[str]:
    """What stands in code type."""
    return re.findall(r"`([^`]+)`", cell)


def commands(command: Any = PROGRAM, name: str = "triage") -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its full name."""
    if not hasattr(command, "commands"):
        yield name, command
        return
    for inner, each in command.commands.items():
        yield from commands(each, f"{name} {inner}")
