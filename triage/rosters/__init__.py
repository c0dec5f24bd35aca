"""The roster as it is now: the file, calendar feeds, changes at the desk, proofs of routes."""
