"""`triage token create|list|revoke|pin|push-key`."""

import sys
from typing import Annotated

import typer

from triage.cli import context
from triage.clock import SystemClock
from triage.domain.errors import TriageError
from triage.notify.push_message import new_key
from triage.store.reaching import Pin
from triage.store.records import Token
from triage.web.auth import hash_token, mint_token
from triage.web.pins import pin_hash, pin_problem

group = typer.Typer(help="Credentials of hospitals' systems and of people.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Put these commands into the program."""
    app.add_typer(group, name="token")


@group.command("create")
def create(
    source: Annotated[str | None, typer.Option(help="A registered system: hospital:RX1.")] = None,
    person: Annotated[str | None, typer.Option(help="A person's id in the roster.")] = None,
    role: Annotated[str | None, typer.Option(help="The person's role.")] = None,
    site: Annotated[str | None, typer.Option(help="The person's site: centre:NEURO.")] = None,
) -> None:
    """Make a token and print it once; only its hash is kept.

    Example: triage token create --source hospital:RX1
    """
    if bool(source) == bool(person) or (person and not (role and site)):
        raise TriageError(
            "token: names neither or both of a source and a person",
            hint="--source hospital:RX1, or --person reg-a --role registrar --site centre:NEURO",
        )
    if "/" in (source or ""):
        raise TriageError(f"source: {source}", hint="a source contains no /")
    text = mint_token()
    known = context.roster().people.get(person or "")
    token = Token(
        id=hash_token(text)[:12],
        hash=hash_token(text),
        source=source,
        person=person,
        name=known.name if known else None,
        role=role,
        site=site,
        created_at=SystemClock().now(),
    )
    with context.store().begin() as tx:
        tx.add_token(token)
    sys.stdout.write(f"{text}\n")


@group.command("list")
def list_tokens() -> None:
    """List tokens: id, whom they name, since when, whether revoked.

    Example: triage token list
    """
    with context.store().read() as reader:
        for token in reader.list_tokens():
            whom = token.source or f"{token.person} {token.role} {token.site}"
            state = f"revoked {token.revoked_at:%Y-%m-%d}" if token.revoked_at else "valid"
            sys.stdout.write(f"{token.id}  {whom}  {token.created_at:%Y-%m-%d}  {state}\n")


@group.command("revoke")
def revoke(token: Annotated[str, typer.Argument(help="The id that `list` shows.")]) -> None:
    """Revoke a token: it is refused from now on.

    Example: triage token revoke 3f9c21ab7d10
    """
    with context.store().begin() as tx:
        if not tx.revoke_token(token, SystemClock().now()):
            raise TriageError(f"token: {token}", hint="`triage token list` shows the ids")
    sys.stdout.write(f"revoked {token}\n")


@group.command("pin")
def pin(
    person: Annotated[str, typer.Argument(help="The person's id in the roster.")],
    stdin: Annotated[bool, typer.Option("--stdin", help="Read it from standard input.")] = False,
) -> None:
    """Set a person's PIN: it takes an EMERGENT case on by link or call. Ends a lock, too.

    Example: triage token pin reg-a
    """
    if person not in context.roster().people:
        raise TriageError(f"person: {person}", hint="`triage roster show` names who there is")
    text = sys.stdin.readline().strip() if stdin else _asked_pin()
    problem = pin_problem(text)
    if problem is not None:
        raise TriageError(f"pin: {problem}", hint="choose another, and write it nowhere")
    with context.store().begin() as tx:
        tx.keep_pin(Pin(person=person, hash=pin_hash(text), set_at=SystemClock().now()))
    sys.stdout.write(f"PIN of {person} is set\n")


@group.command("push-key")
def push_key() -> None:
    """Print a new key for push messages to browsers, for TRIAGE_PUSH_KEY. Keep it secret.

    Example: triage token push-key
    """
    sys.stdout.write(f"{new_key()}\n")


def _asked_pin() -> str:
    return str(typer.prompt("PIN", hide_input=True, confirmation_prompt=True))
