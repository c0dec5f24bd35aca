"""A fault in words that are fit for a log: what kind, and where in the code; never its message."""

import traceback
from pathlib import PurePath


def fault_of(error: BaseException) -> str:
    """E.g. `KeyError at directory.py:33`. Messages of exceptions may hold addresses and secrets."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
