"""`python -m triage`."""

from triage.cli import run


def main() -> None:
    """The command line; exit status 0, 1 (found something wrong) or 2 (could not run)."""
    run()


if __name__ == "__main__":
    main()
