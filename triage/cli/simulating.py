"""`triage simulate`: a month on call in seconds, and every crash that it could hold."""

from pathlib import Path
from typing import Annotated

import typer

from triage.domain.errors import TriageError


def add_to(app: typer.Typer) -> None:
    """Put this command into the program."""
    app.command("simulate")(simulate)


def simulate(
    rota: Annotated[Path | None, typer.Option(help="Roster file; a sample one if absent.")] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", help="Folder with a policy book's TOML files.")
    ] = None,
    days: Annotated[int, typer.Option(help="How many days.")] = 30,
    cases: Annotated[int, typer.Option(help="How many referrals to expect in them.")] = 500,
    seed: Annotated[int, typer.Option(help="Another seed, other referrals and people.")] = 1,
    html: Annotated[Path | None, typer.Option(help="Write a page with a plot here.")] = None,
    against: Annotated[
        Path | None, typer.Option(help="Another roster file or policy folder, side by side.")
    ] = None,
    crashes: Annotated[
        int | None, typer.Option(help="Instead: so many short runs with crashes and outages.")
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="Instead: short runs with crashes for so long.")
    ] = None,
    replay: Annotated[Path | None, typer.Option(help="Instead: play one kept story.")] = None,
    keep: Annotated[Path, typer.Option(help="Where failing stories are kept.")] = Path(
        "var/simulate"
    ),
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """See what a month of nights would be under a rota and a policy; or look for crashes.

    Example: triage simulate --rota roster.toml --days 30 --cases 500 --html month.html
    """
    from triage.proof.simulate import command

    if sum(each is not None for each in (crashes, seconds, replay)) > 1:
        raise TriageError("--crashes, --seconds, --replay", hint="give one of them")
    if replay is not None:
        raise typer.Exit(command.replay(replay, policy, wants_json=json))
    if crashes is not None or seconds is not None:
        raise typer.Exit(
            command.simulate_crashes(
                command.CampaignOptions(
                    seeds=crashes,
                    seconds=seconds,
                    seed=seed,
                    policy=policy,
                    keep=keep,
                    wants_json=json,
                )
            )
        )
    raise typer.Exit(
        command.simulate_month(
            command.MonthOptions(
                rota=rota,
                policy=policy,
                against=against,
                days=days,
                cases=cases,
                seed=seed,
                html=html,
                wants_json=json,
            )
        )
    )
