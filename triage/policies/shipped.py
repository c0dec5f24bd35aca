"""The book that ships with the program. The only file of the folder that reads anything."""

from importlib.resources import files

from triage.policies.load import FILES


def shipped_texts() -> dict[str, str]:
    """The shipped files by name, ready for `load_policy_book`."""
    folder = files("triage.policies") / "book"
    return {name: (folder / name).read_text(encoding="utf-8") for name in FILES}
