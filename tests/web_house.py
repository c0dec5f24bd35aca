"""A web application over a SQLite file, with invented hospitals, people and a clock that is set."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from starlette.testclient import TestClient

from triage.books import load_books
from triage.domain.case_id import case_id
from triage.domain.events import CaseId
from triage.domain.roster_file.reading import read_roster
from triage.handle import sweep_cases
from triage.metrics.instruments import Instruments
from triage.recording.ledger import Desk
from triage.store.records import Token
from triage.store.schema import upgrade
from triage.store.store import Store, open_store
from triage.web.app import create_app
from triage.web.auth import hash_token, mint_token
from triage.web.parts import Component, WebParts

NOW = datetime(2026, 3, 10, 8, 2, 1, tzinfo=UTC)
HOSPITAL, OTHER_HOSPITAL, CENTRE = "hospital:RX1", "hospital:RY2", "centre:NEURO"
REFERRAL = f"{HOSPITAL}/2026-004711"
CASE = case_id(REFERRAL)
PATIENT = {
    "identifiers": [{"system": "nhs", "value": "9990000018"}],
    "name": {"family": "Sampleton"},
}

_PERSON = (
    '[person.{id}]\nname = "{name}"\nrole = "{role}"\n'
    'routes = [{{ name = "inbox", kind = "inbox" }}]\n'
)
_ROTA = '[[rota]]\nsite = "centre:NEURO"\nrole = "{role}"\npeople = ["{id}"]\n'
_STAFF = (
    ("coord-a", "Sample Coordinator", "coordinator"),
    ("reg-a", "Sample Registrar", "registrar"),
    ("con-a", "Sample Consultant", "consultant"),
)
_SITES = """version = 1
default_site = "centre:NEURO"
[site."centre:NEURO"]
zone = "Europe/Berlin"
hours = { days = ["mon", "tue", "wed", "thu", "fri"], from = "08:00", to = "17:00" }
holidays = []
desk = "+44 1632 960100"
[site."centre:SOUTH"]
zone = "Europe/London"
hours = { days = ["mon", "tue", "wed", "thu", "fri"], from = "08:00", to = "17:00" }
holidays = []
"""


@dataclass
class SetClock:
    """A clock that stands where it was put."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class House:
    """The application, its parts, and tokens by whom they name."""

    file: Path
    store: Store
    desk: Desk
    clock: SetClock
    components: list[Component] = field(default_factory=list)
    is_demo: bool = False
    instruments: Instruments = field(default_factory=lambda: Instruments(version="0.0-test"))
    _tokens: dict[str, str] = field(default_factory=dict)

    def parts(self, **changes: Any) -> WebParts:
        given: dict[str, Any] = {
            "store": self.store,
            "desk": self.desk,
            "clock": self.clock,
            "run_blocking": asyncio.to_thread,
            "instruments": self.instruments,
            "secret_key": "only-for-tests-" * 3,
            "public_url": "http://testserver",
            "health": lambda: self.components,
            "is_demo": self.is_demo,
        }
        return WebParts(**(given | changes))

    def client(self, **changes: Any) -> TestClient:
        return TestClient(create_app(self.parts(**changes)), follow_redirects=False)

    def token(self, whom: str) -> str:
        """A token of a source (`hospital:RX1`) or of a person of the roster (`con-a`)."""
        if whom not in self._tokens:
            self._tokens[whom] = text = mint_token()
            person = self.desk.roster.people.get(whom)
            token = Token(
                id=hash_token(text)[:12],
                hash=hash_token(text),
                source=None if person else whom,
                person=person.id if person else None,
                name=person.name if person else None,
                role=person.role if person else None,
                site=CENTRE if person else None,
                created_at=NOW,
            )
            with self.store.begin() as tx:
                tx.add_token(token)
        return self._tokens[whom]

    def as_(self, whom: str) -> dict[str, str]:
        """Headers of a request by `whom`."""
        return {"Authorization": f"Bearer {self.token(whom)}"}

    def refer(self, client: TestClient, *, whom: str = HOSPITAL, **changes: Any) -> dict[str, Any]:
        """Submit the sample EMERGENT referral over HTTP; gives the receipt."""
        answer = client.post(
            "/events", content=event(source=whom, **changes), headers=self.as_(whom)
        )
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def act_for_an_unknown_referral(self, client: TestClient) -> str:
        """A milestone from the centre for a referral that nobody has sent; gives the page."""
        told = {"type": "milestone.reached.v1", "subject": None, "referral": REFERRAL}
        data = {"milestone": "oncology_contacted"}
        assert not self.refer(client, whom=CENTRE, **told, data=data)["effect"]
        with self.store.read() as reader:
            (page,) = reader.pages(CASE)
        return page.order.page

    def sweep(self, cases: Sequence[CaseId] = (CASE,)) -> None:
        with self.store.begin() as tx:
            sweep_cases(tx, cases, self.desk, now=self.clock.now())
            tx.stamp("sweep", self.clock.now())

    def ladder_page(self, case: CaseId = CASE) -> str:
        """The newest page of the acknowledgement ladder."""
        with self.store.read() as reader:
            pages = [p.order for p in reader.pages(case) if p.order.obligation == "acknowledgement"]
        return pages[0].page


def build_house(folder: Path, *, is_demo: bool = False) -> House:
    """A house with an empty database in `folder`."""
    file = folder / "triage.db"
    url = f"sqlite:///{file}"
    upgrade(url)
    store = open_store(url)
    people = "".join(_PERSON.format(id=i, name=n, role=r) for i, n, r in _STAFF)
    rotas = "".join(_ROTA.format(id=i, role=r) for i, _, r in _STAFF)
    books = load_books(None)
    books.keep(store)
    desk = Desk(books, read_roster(_SITES + people + rotas), publishes=False)
    return House(file, store, desk, SetClock(), is_demo=is_demo)


def findings(**changes: Any) -> dict[str, Any]:
    """Lost walking 10 h before NOW and still worsening: EMERGENT by E1 and E2."""
    return {
        "cancer": "known",
        "histology": "breast",
        "spinal_metastasis": "confirmed",
        "mri": "reported",
        "level": "T6",
        "escc": "3",
        "ais": "C",
        "walking": "cannot",
        "deficit_onset_at": "2026-03-09T22:00:00+00:00",
        "trend": "worsening",
        "bladder": "normal",
        "saddle_sensation": "normal",
        "sins": 9,
    } | changes


def event(**changes: Any) -> bytes:
    """The sample referral as a CloudEvent; `data` and every attribute may be changed."""
    envelope = {
        "specversion": "1.0",
        "id": "e-0001",
        "source": HOSPITAL,
        "type": "referral.submitted.v1",
        "time": "2026-03-10T08:02:00+00:00",
        "subject": "2026-004711",
        "data": {
            "referrer": {"name": "Sample Referrer", "callback": "+44 1632 960001"},
            "patient": PATIENT,
            "findings": findings(),
            "note": "Sampletext of a referrer",
            "destination": CENTRE,
        },
    } | changes
    return orjson.dumps({key: value for key, value in envelope.items() if value is not None})
