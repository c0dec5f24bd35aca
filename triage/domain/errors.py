"""The exception tree. Expected outcomes are values; these are for what must stop somebody.

TriageError
├── UnsoundPolicy      a policy book that may not go live
├── UnsoundRoster      a roster file that may not go live
└── StoreUnavailable   the database cannot take or give anything now
"""


class TriageError(Exception):
    """What went wrong and what to do about it: `what`, then `hint`."""

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint


class UnsoundPolicy(TriageError):
    """The policy book contradicts itself or cites nothing; `what` names file, row and reason."""


class UnsoundRoster(TriageError):
    """The roster file cannot be used; `what` names the place and reason."""


class StoreUnavailable(TriageError):
    """The database did not answer; nothing was stored. Wait, then send the same thing again."""
