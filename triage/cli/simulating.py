"""`triage simulate`: a month on call in seconds, and every crash that it could hold."""

from pathlib import Path
from typing import Annotated

import typer

from triage.domain.errors import TriageError

Rota = Annotated[Path | None, typer.Option(help="Roster file; a sample one if absent.")]
Policy = Annotated[
    Path | None, typer.Option("--policy", help="Folder with a policy book's TOML files.")
]
Days = Annotated[int, typer.Option(help="How many days.")]
Cases = Annotated[int, typer.Option(help="How many referrals to expect in them.")]
Seed = Annotated[int, typer.Option(help="Another seed, other referrals and people.")]
Html = Annotated[Path | None, typer.Option(help="Write a page with a plot here.")]
Against = Annotated[
    Path | None, typer.Option(help="Another roster file or policy folder, side by side.")
]
Crashes = Annotated[
    int | None, typer.Option(help="Instead: so many short runs with crashes and outages.")
]
Seconds = Annotated[
    float | None, typer.Option(help="Instead: short runs with crashes for so long.")
]
Replay = Annotated[Path | None, typer.Option(help="Instead: play one kept story.")]
OnFile = Annotated[
    bool, typer.Option("--on-file", help="With crashes: the store in a SQLite file, not in memory.")
]
Keep = Annotated[Path, typer.Option(help="Where failing stories are kept.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def add_to(app: typer.Typer) -> None:
    """Put this command into the program."""
    app.command("simulate")(simulate)


def simulate(
    rota: Rota = None,
    policy: Policy = None,
    days: Days = 30,
    cases: Cases = 500,
    seed: Seed = 1,
    html: Html = None,
    against: Against = None,
    crashes: Crashes = None,
    seconds: Seconds = None,
    replay: Replay = None,
    keep: Keep = Path("var/simulate"),
    on_file: OnFile = False,
    json: Json = False,
) -> None:
    """See what a month of nights would be under a rota and a policy; or look for crashes.

    Example: triage simulate --rota roster.toml --days 30 --cases 500 --html month.html
    """
    from triage.proof.simulate import command

    if sum(each is not None for each in (crashes, seconds, replay)) > 1:
        raise TriageError("--crashes, --seconds, --replay", hint="give one of them")
    if replay is not None:
        status = command.replay(replay, policy, wants_json=json)
    elif crashes is not None or seconds is not None:
        campaign = command.CampaignOptions(
            seeds=crashes,
            seconds=seconds,
            seed=seed,
            policy=policy,
            keep=keep,
            on_file=on_file,
            wants_json=json,
        )
        status = command.simulate_crashes(campaign)
    else:
        month = command.MonthOptions(
            rota=rota,
            policy=policy,
            against=against,
            days=days,
            cases=cases,
            seed=seed,
            html=html,
            wants_json=json,
        )
        status = command.simulate_month(month)
    raise typer.Exit(status)
