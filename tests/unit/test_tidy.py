"""Style that a machine can see: sizes, names, the pure core, citations, changelog, plain words."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import triage
from tests.documents import DOCS, ROOT, commands
from triage.policies.shipped import shipped_texts
from triage.policies.tables import Kind

PACKAGE = ROOT / "triage"
CORE = ("domain", "policies", "workflow")
LONGEST_FUNCTION, LONGEST_MODULE = 50, 300
CATCH_ALL = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
MODULES = sorted(PACKAGE.rglob("*.py"))
PURE = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] in CORE]
CLOCK = {"now", "utcnow", "today", "time", "time_ns", "monotonic", "perf_counter"}
IMPURE = {"asyncio", "logging", "os", "random", "secrets", "socket", "threading", "time", "uuid"}
KINDS = {kind.value for kind in Kind}
CHANGE = re.compile(r"- `\[(CLINICAL|METRIC|FEATURE|CHANGE|FIX)\]` \S")
HEADING = re.compile(r"## \d+\.\d+\.\d+ \((unreleased|\d{4}-\d{2}-\d{2})\)")
# Where somebody worked is no part of the product. In pieces, so that this file is not a finding.
WORKPLACE = re.compile(
    "|".join(("/wor" "k/", "/roo" "t/", "/tmp/ba" "sh", r"\bclau" r"de\b", r"\bchatg" r"pt\b",
              r"\b(ai|llm) age" r"nts?\b", "this ses" "sion")),
    re.IGNORECASE,
)  # fmt: skip
TEXTS = ("*.py", "*.md", "*.toml", "*.html", "*.css", "*.js", "*.yml", "*.properties", "*.ini")
FOLDERS = ("triage", "tests", "docs", "infra")


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def too_long(tree: ast.AST, path: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{path}:{node.lineno} {node.name} {length}"


def impurities(tree: ast.AST, path: str) -> Iterator[str]:
    """Imports and calls by which a clock, chance, an id or the outside gets into the core."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            if _reads_clock(node):
                yield f"{path}:{node.lineno} reads a clock"  # type: ignore[attr-defined]
            continue
        yield from (
            f"{path}:{node.lineno} {name}" for name in names if name.split(".")[0] in IMPURE
        )


def _reads_clock(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    owner = ast.unparse(node.func.value).rpartition(".")[2]
    return node.func.attr in CLOCK and owner in {"datetime", "date", "time"}


def test_no_function_is_longer_than_fifty_lines() -> None:
    assert [each for p in MODULES for each in too_long(ast.parse(p.read_text()), named(p))] == []


def test_no_module_is_longer_than_three_hundred_lines() -> None:
    sizes = {named(path): path.read_text().count("\n") for path in MODULES}
    assert {name: size for name, size in sizes.items() if size > LONGEST_MODULE} == {}


def test_no_module_or_folder_is_a_catch_all() -> None:
    found = [*MODULES, *(path for path in PACKAGE.rglob("*") if path.is_dir())]
    assert [named(path) for path in found if path.stem in CATCH_ALL] == []


def test_the_core_reads_no_clock_and_mints_nothing() -> None:
    assert PURE
    assert [each for p in PURE for each in impurities(ast.parse(p.read_text()), named(p))] == []


@pytest.mark.parametrize(
    "source",
    [
        "import random",
        "from uuid import uuid4",
        "import os.path",
        "at = datetime.now(UTC)",
        "day = datetime.date.today()",
        "at = time.time()",
    ],
)
def test_a_planted_impurity_is_seen(source: str) -> None:
    assert list(impurities(ast.parse(source), "planted.py"))


def test_a_planted_long_function_is_seen() -> None:
    source = "def f():\n" + "    x = 1\n" * LONGEST_FUNCTION
    assert list(too_long(ast.parse(source), "planted.py")) == ["planted.py:1 f 51"]


def broad(tree: ast.AST) -> Iterator[ast.ExceptHandler]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            caught = {each.id for each in ast.walk(node.type or node) if isinstance(each, ast.Name)}
            if node.type is None or caught & {"Exception", "BaseException"}:
                yield node


def test_what_is_caught_broadly_is_passed_on_and_never_swallowed() -> None:
    """Every broad handler does something with the error: logs, counts, raises, hands it on."""
    swallowed = [
        f"{named(path)}:{node.lineno}"
        for path in MODULES
        for node in broad(ast.parse(path.read_text()))
        if not any(isinstance(each, ast.Call | ast.Raise) for each in ast.walk(node))
    ]
    assert swallowed == []


# The policy book


def tables(content: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every table of a document with where it stands."""
    if isinstance(content, dict):
        yield place, content
        for key, value in content.items():
            yield from tables(value, f"{place} {content.get('id') or content.get('name') or key}")
    elif isinstance(content, list):
        for each in content:
            yield from tables(each, place)


BOOK = {name: tomllib.loads(text) for name, text in shipped_texts().items()}


def test_every_citation_leads_to_a_source() -> None:
    cited = [
        (place, key)
        for name, content in BOOK.items()
        for place, table in tables(content, name)
        if isinstance(table.get("source"), list)
        for key in table["source"]
    ]
    assert len(cited) > 150
    assert [each for each in cited if each[1] not in BOOK["sources.toml"]] == []


def test_every_row_that_says_how_firm_it_is_says_why() -> None:
    rows = [
        (place, table)
        for name, content in BOOK.items()
        for place, table in tables(content, name)
        if table.get("kind") in KINDS
    ]
    assert len(rows) > 100
    assert [place for place, table in rows if not table.get("source")] == []


def test_every_time_of_a_deadline_a_window_or_a_timer_is_cited() -> None:
    timed = [
        (place, table)
        for name in ("deadlines.toml", "derived.toml", "timers.toml")
        for place, table in tables(BOOK[name], name)
        if "within" in table or "after" in table
    ]
    assert len(timed) > 50
    assert [place for place, table in timed if not (table.get("kind") and table["source"])] == []


def test_every_rule_and_flag_is_cited() -> None:
    rows = [*BOOK["tiers.toml"]["rule"], *BOOK["flags.toml"]["flag"]]
    assert [row["id"] for row in rows if not (row.get("source") and row["kind"] in KINDS)] == []


# Words


def test_the_changelog_has_its_form() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    headings = [line for line in lines if line.startswith("## ")]
    changes = [line for line in lines if line.startswith("-")]
    assert [line for line in headings if not HEADING.fullmatch(line)] == []
    assert [line for line in changes if not CHANGE.match(line)] == []
    assert changes
    assert headings[0].split()[1] == triage.__version__


def texts() -> Iterator[Path]:
    for folder in FOLDERS:
        for pattern in TEXTS:
            yield from (ROOT / folder).rglob(pattern)
    yield from (path for path in ROOT.glob("*") if path.suffix in {".md", ".toml", ".yml"})
    yield ROOT / "Makefile"


def test_nothing_speaks_of_the_workplace() -> None:
    found = [
        f"{named(path)}: {match[0]}"
        for path in texts()
        if (match := WORKPLACE.search(path.read_text(encoding="utf-8")))
    ]
    assert found == []
    assert len(list(texts())) > 300


def test_documents_name_no_scratch_folder() -> None:
    documents = [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]
    assert [named(page) for page in documents if "/tmp" in page.read_text()] == []


# Commands


@pytest.mark.parametrize(
    ("name", "command"),
    [pytest.param(n, c, id=n) for n, c in commands()],
)
def test_every_command_has_an_example_of_itself(name: str, command: Any) -> None:
    examples = re.findall(r"Example: (.*)", command.help or "")
    assert examples
    assert all(re.search(rf"(^|\s){name}\b", example) for example in examples)
