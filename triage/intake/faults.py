"""A fault of the program for the log: its kind and place, never its message with its data."""

from traceback import extract_tb


def described(error: BaseException) -> str:
    """E.g. `KeyError at merge.py:120`."""
    frames = extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    last = frames[-1]
    return f"{type(error).__name__} at {last.filename.rpartition('/')[2]}:{last.lineno}"
