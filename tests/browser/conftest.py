"""A served application and a real browser; outside CI it skips where no browser is installed."""

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.web_house import House, build_house
from triage.web.app import create_app

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass
class Served:
    """The house, and where its pages are."""

    house: House
    address: str


class _Announced(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        self.listens.set()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    house = build_house(tmp_path, is_demo=True)
    config = uvicorn.Config(
        create_app(house.parts()), host="127.0.0.1", port=0, log_level="error", lifespan="off"
    )
    server = _Announced(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.listens.wait(20)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Served(house, f"http://127.0.0.1:{port}")
    server.should_exit = True
    thread.join(10)
    house.store.dispose()


@pytest.fixture(scope="module")  # Playwright's loop runs in this thread: other tests need it free
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = _chromium(playwright)
        if path is None:
            reason = "no chromium: `apt-get install chromium` or `playwright install chromium`"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


def _chromium(playwright: Playwright) -> str | None:
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    own = playwright.chromium.executable_path
    return found or (own if Path(own).exists() else None)
