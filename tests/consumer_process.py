"""A consumer in a process of its own, to be killed: `python -m tests.consumer_process BUS URL`."""

import asyncio
import sys

from tests.running_door import House
from triage.store import open_store


def main() -> None:
    bootstrap, url = sys.argv[1:]
    house = House(open_store(url), bootstrap)
    asyncio.run(house.door().run(asyncio.Event()))


if __name__ == "__main__":
    main()
