"""The documentation says what the program does: names, commands, examples and links, compared."""

import importlib
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.documents import (
    DOCS,
    PAGES,
    PROGRAM,
    ROOT,
    commands,
    fenced,
    page_id,
    prose,
    table,
    ticked,
)
from triage.domain.roster.check import check_roster
from triage.domain.roster_file.reading import read_roster
from triage.metrics.catalogue import CATALOGUE, Kind
from triage.policies.shipped import shipped_texts
from triage.settings import KEYS, OTHERS, PREFIX, ROLES, WATCH, BadSettings, read_settings

GLOSSARY, HAZARDS = DOCS / "glossary.md", DOCS / "hazards.md"
CONFIGURATION, METRICS = DOCS / "configuration.md", DOCS / "metrics.md"
OPERATIONS = DOCS / "operations.md"
ALERTS = ROOT / "infra" / "prometheus" / "alerts.yml"
pages = pytest.mark.parametrize("page", PAGES, ids=page_id)


# Commands


def written_commands(text: str) -> list[str]:
    """What a reader would type: lines of code blocks, and code spans, that begin with `triage `."""
    text = re.sub(r"\\\n\s*", " ", text)
    spans = re.findall(r"`(?:[A-Z_]+=\S+ )*(triage [a-z][^`\n]*)`", text)
    lines = re.findall(r"^[ $]*(?:Example: )?(?:[A-Z_]+=\S+ )*(triage [a-z].*)$", text, re.M)
    return [re.split(r"\s[#|<>;]|\s&&", each)[0].strip() for each in (*spans, *lines)]


def mistake(written: str) -> str | None:
    """Why the program would not understand a command; None when it would."""
    command: Any = PROGRAM
    for word in written.split()[1:]:
        if hasattr(command, "commands"):
            missing = [each for each in word.split("|") if each not in command.commands]
            if missing:
                return f"{written}: no command {missing[0]}"
            command = command.commands[word.split("|")[0]]
        elif word.startswith("--"):
            option = word.split("=")[0]
            known = {opt for param in command.params for opt in param.opts} | {"--help"}
            if option not in known:
                return f"{written}: no option {option}"
    return None


@pages
def test_every_command_that_is_written_down_exists(page: Path) -> None:
    assert [m for each in written_commands(page.read_text()) if (m := mistake(each))] == []


def test_the_readme_shows_commands_at_all_and_a_wrong_one_is_seen() -> None:
    assert len(written_commands((ROOT / "README.md").read_text())) > 10
    assert mistake("triage policy approve") == "triage policy approve: no command approve"
    assert mistake("triage demo --spede 3") == "triage demo --spede 3: no option --spede"


def test_commands_in_examples_of_help_and_in_alerts_exist() -> None:
    helps = "\n".join(command.help or "" for _, command in commands())
    actions = re.findall(r"triage [a-z][a-z ]*", ALERTS.read_text())
    found = [*written_commands(helps), *(each.strip() for each in actions)]
    assert len(found) > 20
    assert [m for each in found if (m := mistake(each))] == []


@pages
def test_every_make_target_that_is_written_down_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`make ([a-z]+)`", page.read_text())) <= targets


# Links


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pages
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", prose(page)):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(there), f"{page.name}: {target}"


# Glossary


def exists(name: str) -> bool:
    """A dotted name of the program, `<table>.toml:<key or id>` of the book, or a path."""
    if "/" in name:
        return (ROOT / name).exists()
    file, _, key = name.partition(":")
    if key:
        return bool(re.search(rf"\b{re.escape(key)}\b", shipped_texts()[file]))
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[cut:]:
            found = getattr(found, attribute, None)
        return found is not None
    return False


TERMS = table(GLOSSARY, "# Glossary")


@pytest.mark.parametrize("term", TERMS, ids=lambda row: row[0])
def test_every_term_has_its_name_in_the_code(term: list[str]) -> None:
    word, meaning, _, names = term
    assert word
    assert meaning
    assert ticked(names), f"{word} has no name in the code"
    assert [name for name in ticked(names) if not exists(name)] == []


def test_one_word_has_one_meaning() -> None:
    words = [word for term in TERMS for word in term[0].split(", ")]
    assert len(words) == len(set(words)) > 30
    assert not exists("triage.domain.case.Ticket")


# Configuration


def setting(value: object) -> str:
    """A default as the page writes it."""
    if value is None or value == ():
        return "unset"
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_every_key_is_documented_with_its_default() -> None:
    defaults = read_settings({})
    found = table(CONFIGURATION, "## Keys")
    told = {ticked(key)[0].removeprefix(PREFIX): cells for key, *cells in found}
    assert told.keys() == KEYS.keys()
    for key, (what, allowed, default) in told.items():
        assert what
        assert allowed
        real = setting(getattr(defaults, key.lower(), None))
        assert (ticked(default) or [default])[0] == real, key


def test_keys_of_others_are_documented() -> None:
    told = {ticked(row[0])[0].removeprefix(PREFIX) for row in table(CONFIGURATION, "## Other keys")}
    assert told == OTHERS


def test_wrong_keys_are_answered_as_the_page_shows() -> None:
    (shown,) = fenced(CONFIGURATION, "console")
    command, *answer = shown.splitlines()
    environment = dict(re.findall(r"(TRIAGE_\w+)=(\S+)", command))
    with pytest.raises(BadSettings) as caught:
        read_settings(environment)
    assert answer == [caught.value.what, f"hint: {caught.value.hint}"]


def recipes() -> list[dict[str, str]]:
    blocks = fenced(CONFIGURATION, "ini")
    return [dict(line.split("=", 1) for line in b.splitlines() if "=" in line) for b in blocks]


def test_recipes_are_accepted() -> None:
    for recipe in recipes():
        invented = {k: v for k, v in recipe.items() if not k.endswith(("_FILE", "FILE", "_DIR"))}
        assert read_settings(invented).secret_key
        assert {key.removeprefix(PREFIX) for key in recipe} <= KEYS.keys()
    assert len(recipes()) == 2


def test_the_roster_that_is_shown_is_sound() -> None:
    (text,) = fenced(CONFIGURATION, "toml")
    roster = read_roster(text)
    roles = ("registrar", "coordinator", "consultant")
    found = check_roster(roster, now=datetime(2026, 3, 10, tzinfo=UTC), roles=roles)
    assert [each for each in found if each.level == "error"] == []


# Metrics


EXPOSED = {
    each.name + ("_info" if each.kind is Kind.INFO else ""): each for each in CATALOGUE.values()
}


def test_every_metric_is_documented_with_kind_and_labels() -> None:
    found = {ticked(name)[0]: rest for name, *rest in table(METRICS, "## The list")}
    told = {name: (kind, tuple(ticked(labels))) for name, (kind, labels, _) in found.items()}
    assert told == {name: (each.kind.value, each.labels) for name, each in EXPOSED.items()}
    assert all(question for _, _, question in found.values())


@pages
def test_every_metric_that_is_written_down_exists(page: Path) -> None:
    written = re.findall(r"\btriage_[a-z_]+\b", page.read_text())
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in written} <= EXPOSED.keys()


# Operations


def test_every_role_is_explained() -> None:
    assert [ticked(row[0])[0] for row in table(OPERATIONS, "## Roles")] == [*ROLES, WATCH]


def test_every_alert_is_explained() -> None:
    told = [
        name for row in table(OPERATIONS, "## When an alert comes") for name in row[0].split(", ")
    ]
    assert sorted(told) == sorted(re.findall(r"- alert: (\w+)", ALERTS.read_text()))


# Hazards


HAZARD_ROWS = table(HAZARDS, "# Hazards")


def test_the_twelve_hazards_of_the_policy_are_there_and_further_ones_are_numbered_on() -> None:
    count = len(HAZARD_ROWS)
    assert count >= 12
    assert [row[0] for row in HAZARD_ROWS] == [f"H{number}" for number in range(1, count + 1)]


@pytest.mark.parametrize("row", HAZARD_ROWS, ids=lambda row: row[0])
def test_the_tests_that_show_a_control_exist(row: list[str]) -> None:
    named = [each for each in ticked(row[3]) if each.startswith("tests/")]
    assert named, f"{row[0]} names no test"
    for each in named:
        file, _, function = each.partition("::")
        assert (ROOT / file).is_file(), each
        assert not function or f"def {function}(" in (ROOT / file).read_text(), each
