from dataclasses import replace
from datetime import timedelta

from tests.web_house import NOW
from triage.domain.events import Side
from triage.store.records import Token
from triage.web.auth import authenticate, hash_token, mint_token
from triage.web.sessions import LASTS, Sessions


class Tokens:
    def __init__(self, *tokens: Token) -> None:
        self._known = {token.hash: token for token in tokens}

    def find_token(self, token_hash: str, /) -> Token | None:
        return self._known.get(token_hash)


TEXT = mint_token()
HOSPITALS = Token(id="t1", hash=hash_token(TEXT), source="hospital:RX1", created_at=NOW)
PERSONS = Token(
    id="t2",
    hash=hash_token(TEXT),
    person="con-a",
    name="Sample Consultant",
    role="consultant",
    site="centre:NEURO",
    created_at=NOW,
)


def test_tokens_look_as_the_contract_says_and_differ() -> None:
    minted = {mint_token() for _ in range(50)}
    assert len(minted) == 50
    assert all(text.startswith("tri_") and len(text) == 44 for text in minted)


def test_a_hospitals_token_is_the_hospital() -> None:
    credential = authenticate(f"Bearer {TEXT}", Tokens(HOSPITALS))
    assert credential is not None
    assert (credential.sender.side, credential.source) == (Side.HOSPITAL, "hospital:RX1")
    assert credential.is_hospital
    assert credential.actor is None


def test_a_persons_token_is_the_person_at_the_site() -> None:
    credential = authenticate(f"bearer {TEXT}", Tokens(PERSONS))
    assert credential is not None
    assert (credential.sender.side, credential.source) == (Side.CENTRE, "centre:NEURO")
    assert credential.actor is not None
    assert (credential.actor.person, credential.actor.role) == ("con-a", "consultant")


def test_what_is_no_valid_token_is_nobody() -> None:
    tokens = Tokens(HOSPITALS)
    for header in (None, "", TEXT, f"Basic {TEXT}", f"Bearer {TEXT}x", "Bearer tri_" + "é" * 40):
        assert authenticate(header, tokens) is None
    revoked = Tokens(replace(HOSPITALS, revoked_at=NOW))
    assert authenticate(f"Bearer {TEXT}", revoked) is None


def test_a_session_ends_with_its_time_its_token_or_another_key() -> None:
    sessions, tokens = Sessions("k" * 32), Tokens(PERSONS)
    cookie = sessions.open(PERSONS.hash, NOW)

    visitor = sessions.visitor(cookie, tokens, NOW)
    assert visitor is not None
    assert visitor.shown == "Sample Consultant, consultant"
    assert sessions.visitor(cookie, tokens, NOW + LASTS - timedelta(seconds=1)) is not None
    assert sessions.visitor(cookie, tokens, NOW + LASTS) is None
    assert sessions.visitor(cookie, Tokens(replace(PERSONS, revoked_at=NOW)), NOW) is None
    assert Sessions("o" * 32).visitor(cookie, tokens, NOW) is None
    for forged in (None, "", cookie + "0", cookie.replace(".", ".9", 1), "é.1.2"):
        assert sessions.visitor(forged, tokens, NOW) is None


def test_the_demonstrations_visitor_exists_in_a_demonstration_only() -> None:
    cookie = Sessions("k" * 32, "centre:NEURO").open_demo(NOW)
    assert Sessions("k" * 32).visitor(cookie, Tokens(), NOW) is None
    visitor = Sessions("k" * 32, "centre:NEURO").visitor(cookie, Tokens(), NOW)
    assert visitor is not None
    assert visitor.is_demo


def test_a_form_belongs_to_its_session() -> None:
    sessions, tokens = Sessions("k" * 32), Tokens(PERSONS)
    mine = sessions.visitor(sessions.open(PERSONS.hash, NOW), tokens, NOW)
    later = sessions.visitor(
        sessions.open(PERSONS.hash, NOW + timedelta(hours=1)), tokens, NOW + timedelta(hours=1)
    )
    assert mine is not None
    assert later is not None
    assert sessions.may_submit(mine, mine.form_token)
    assert not sessions.may_submit(mine, later.form_token)
    assert not sessions.may_submit(mine, None)
