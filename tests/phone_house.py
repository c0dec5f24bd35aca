"""The web role on a loopback port, a relay, and a simulated telephone provider, put together."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from starlette.testclient import TestClient

from tests.web_house import CASE, House, build_house
from triage.domain.events import CaseId
from triage.domain.paging import PageOrder
from triage.domain.roster_file.reading import read_roster
from triage.notify.delivery import Delivery
from triage.notify.directory import Directory
from triage.notify.inbox import InboxRoute
from triage.notify.push_message import new_key
from triage.notify.push_route import PushParts
from triage.notify.recalls import Recalls
from triage.notify.relay import Relay
from triage.notify.resolve import resolve_order
from triage.notify.webhook import webhook_client
from triage.paging_port import StorePages
from triage.proof.phone_call import Handset
from triage.proof.phone_provider import PhoneProvider
from triage.recording.ledger import Desk
from triage.store.reaching import Subscription
from triage.store.records import CaseRow
from triage.web.app import create_app

REGISTRAR, CONSULTANT = "+441632960201", "+441632960202"
ENVIRONMENT = {"TOKEN": PhoneProvider.token, "ACCOUNT": PhoneProvider.account, "REG": REGISTRAR}
PUSH_KEY = new_key()
SMS = '{ name = "text", kind = "sms", to = "env:REG" }'
VOICE = '{ name = "mobile", kind = "voice", to = "env:REG" }'
CONSULTANT_SMS = '{ name = "text", kind = "sms", to = "+44 1632 960202" }'
INBOX = '{ name = "inbox", kind = "inbox" }'
_ROSTER = """version = 1
[provider.phone]
account = "env:ACCOUNT"
token = "env:TOKEN"
from = "+44 1632 960999"
url = "{url}"
[site."centre:NEURO"]
zone = "Europe/London"
desk = "+44 1632 960100"
"""
_PERSON = '[person.{id}]\nname = "{name}"\nrole = "{role}"\nroutes = [{routes}]\n{more}\n'
_ROTA = '[[rota]]\nsite = "centre:NEURO"\nrole = "{role}"\npeople = ["{id}"]\n'


@dataclass
class PhoneHouse:
    """Everything of one test: `relay()` sends what is owed and waits until the calls have ended."""

    house: House
    provider: PhoneProvider
    url: str
    pages: Relay
    recalls: Recalls
    folder: Path
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.house.client(public_url=self.url, secret_of=secret_of)

    async def refer(self, **changes: Any) -> dict[str, Any]:
        """The sample EMERGENT referral over HTTP."""
        return await asyncio.to_thread(self.house.refer, self.client, **changes)

    async def relay(self) -> None:
        """Send what is owed, and wait until every call and call-back has ended."""
        while await self.pages.turn(self.house.clock.now()):
            await self.pages.settle()
        await self.provider.quiet()

    async def later(self, **by: float) -> None:
        """The clock moves on, the sweep and the relay run."""
        self.house.clock.advance(**by)
        await asyncio.to_thread(self.house.sweep)
        await self.relay()

    async def text(self, body: str, number: str = REGISTRAR, **how: Any) -> str:
        """What we answer to a message from a number."""
        status, text = await self.provider.text_in(
            f"{self.url}/providers/phone/sms", number, body, **how
        )
        return text if status == 200 else f"HTTP {status}"

    def case(self, case: CaseId = CASE) -> CaseRow:
        with self.house.store.read() as reader:
            found = reader.case(case)
        assert found is not None
        return found

    def events(self, kind: str, case: CaseId = CASE) -> list[dict[str, Any]]:
        """The events of one type in the case's log."""
        with self.house.store.read() as reader:
            log = [orjson.loads(line.document) for line in reader.log(case)]
        return [each for each in log if each["type"] == kind]

    def receipts(self, route: str, case: CaseId = CASE) -> list[str]:
        """`status word` of the provider's receipts on a route."""
        return [
            f"{each['data']['status']} {each['data']['provider_word']}"
            for each in self.events("page.receipt.v1", case)
            if each["data"]["route"] == route and each["source"].startswith("provider:")
        ]

    def inbox(self) -> list[dict[str, Any]]:
        file = self.folder / "inbox.jsonl"
        return (
            [orjson.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []
        )

    def paged_roles(self) -> set[str]:
        with self.house.store.read() as reader:
            return {each.order.role for each in reader.pages() if each.withdrawn is None}


def secret_of(reference: str | None) -> str | None:
    """What the references of these rosters stand for."""
    if reference and reference.startswith("env:"):
        return ENVIRONMENT.get(reference.removeprefix("env:"))
    return reference


def roster_text(url: str, registrar: str, consultant: str, more: str = "") -> str:
    staff = (
        ("reg-a", "Sample Registrar", "registrar", registrar),
        ("con-a", "Sample Consultant", "consultant", consultant),
        ("coord-a", "Sample Coordinator", "coordinator", INBOX),
    )
    people = "".join(
        _PERSON.format(id=i, name=n, role=r, routes=routes, more=more if i == "reg-a" else "")
        for i, n, r, routes in staff
    )
    return (
        _ROSTER.format(url=url)
        + people
        + "".join(_ROTA.format(id=i, role=r) for i, _, r, _ in staff)
    )


@asynccontextmanager
async def phone_house(
    folder: Path,
    *,
    registrar: str = SMS,
    consultant: str = CONSULTANT_SMS,
    more: str = "",
    **handsets: Handset,
) -> AsyncIterator[PhoneHouse]:
    """`handsets`: of `registrar_phone` and `consultant_phone`."""
    numbers = {"registrar_phone": REGISTRAR, "consultant_phone": CONSULTANT}
    provider = PhoneProvider(handsets={numbers[name]: each for name, each in handsets.items()})
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(provider.listening())
        house = build_house(folder)
        stack.callback(house.store.dispose)
        roster = read_roster(roster_text(provider.url, registrar, consultant, more))
        house.desk = Desk(house.desk.books, roster, publishes=False)
        url = await stack.enter_async_context(_serving(house))
        client = await stack.enter_async_context(webhook_client())
        relay, recalls = _relay(house, folder, url, client)
        yield PhoneHouse(house, provider, url, relay, recalls, folder)
        assert provider.strange == []


def _relay(house: House, folder: Path, url: str, client: Any) -> tuple[Relay, Recalls]:
    directory = Directory(
        roster=lambda: house.desk.roster,
        inbox=InboxRoute(folder / "inbox.jsonl", asyncio.to_thread),
        client=client,
        clock=house.clock,
        environment=ENVIRONMENT,
        public_url=url,
        push=_push(house),
    )

    def resolve(order: PageOrder) -> PageOrder:
        return resolve_order(order, house.desk.roster, house.clock.now())

    delivery = Delivery(routes=directory, resolve=resolve, clock=house.clock, public_url=url)
    pages = StorePages(house.store, house.desk, house.clock, house.instruments)
    recalls = Recalls(
        find=pages.answered_elsewhere,
        routes=directory,
        resolve=resolve,
        clock=house.clock,
        run_blocking=asyncio.to_thread,
    )
    return Relay(port=pages, delivery=delivery, run_blocking=asyncio.to_thread), recalls


def _push(house: House) -> PushParts:
    def find(person: str) -> list[Subscription]:
        with house.store.read() as reader:
            return reader.subscriptions(person)

    def end(browser: str) -> None:
        with house.store.begin() as tx:
            tx.end_subscription(browser, house.clock.now())

    return PushParts(
        key=PUSH_KEY,
        contact="mailto:desk@example.org",
        browsers=lambda person: asyncio.to_thread(find, person),
        forget=lambda browser: asyncio.to_thread(end, browser),
    )


@asynccontextmanager
async def _serving(house: House) -> AsyncIterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        app = create_app(house.parts(public_url=url, secret_of=secret_of))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        server.capture_signals = _no_signals  # type: ignore[method-assign, assignment]
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield url
        finally:
            server.should_exit = True
            await serving


def _no_signals() -> Any:
    return nullcontext()
