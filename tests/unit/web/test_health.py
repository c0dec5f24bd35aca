from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.web_house import House
from triage.domain.errors import StoreUnavailable
from triage.store import Reader, Store
from triage.web.app import create_status_app
from triage.web.parts import Component


class Away:
    """A store whose database does not answer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    @contextmanager
    def read(self) -> Iterator[Reader]:
        raise StoreUnavailable("the database did not answer")
        yield


def states(client: TestClient) -> tuple[int, dict[str, str]]:
    answer = client.get("/health/ready")
    return answer.status_code, {c["name"]: c["state"] for c in answer.json()["components"]}


def test_live_asks_nothing_of_anybody(house: House) -> None:
    assert house.client(store=Away(house.store)).get("/health/live").status_code == 200


def test_ready_tells_every_parts_state(house: House) -> None:
    with house.store.begin() as tx:
        tx.stamp("sweep", house.clock.now())
    house.components.append(Component("kafka", is_well=False, detail="waiting", is_vital=False))
    status, found = states(house.client())
    assert status == 200
    assert found == {
        "database": "well",
        "deadline sweep": "well",
        "watchman": "degraded",
        "kafka": "degraded",
    }


def test_without_what_the_role_needs_it_is_not_ready(house: House) -> None:
    assert states(house.client(store=Away(house.store))) == (503, {"database": "down"})
    house.components.append(Component("kafka", is_well=False, detail="waiting for broker"))
    status, found = states(house.client())
    assert (status, found["kafka"]) == (503, "down")


def test_a_role_without_pages_has_metrics_and_health_only(house: House) -> None:
    client = TestClient(create_status_app(house.parts()))
    assert client.get("/metrics").status_code == 200
    assert client.get("/health/ready").status_code == 200
    assert client.get("/").status_code == 404
    assert client.post("/events").status_code == 404


@pytest.mark.parametrize("seconds", [0, 120, 121])
def test_a_loop_is_stale_strictly_after_its_time(house: House, seconds: int) -> None:
    with house.store.begin() as tx:
        tx.stamp("sweep", house.clock.now())
    house.clock.advance(seconds=seconds)
    _, found = states(house.client())
    assert found["deadline sweep"] == ("degraded" if seconds > 120 else "well")
