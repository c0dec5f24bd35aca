from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.web_house import House, build_house


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = build_house(tmp_path)
    yield built
    built.store.dispose()


@pytest.fixture
def client(house: House) -> TestClient:
    return house.client()
