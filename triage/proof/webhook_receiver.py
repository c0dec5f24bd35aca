"""A receiver of pages on this machine: notes when each page came, and answers 200 at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson

_HOST = "127.0.0.1"
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
_LENGTH = b"content-length:"

OnPage = Callable[[dict[str, Any], float], None]


@asynccontextmanager
async def webhook_receiver(on_page: OnPage) -> AsyncIterator[str]:
    """Gives its URL. `on_page` gets each page and `time.perf_counter()` when it was whole."""

    connections: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections[asyncio.current_task()] = writer
        try:
            while (body := await _read_request(reader)) is not None:
                on_page(orjson.loads(body), time.perf_counter())
                writer.write(_ANSWER)
                await writer.drain()
        except ConnectionError:
            pass  # The sender hung up: it has its answer or will send again.
        finally:
            del connections[asyncio.current_task()]
            writer.close()

    server = await asyncio.start_server(serve, _HOST, 0, backlog=1024)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://{_HOST}:{port}/pages"
        server.close()
        while connections:
            for writer in connections.values():
                writer.transport.abort()
            await asyncio.sleep(0)


async def _read_request(reader: asyncio.StreamReader) -> bytes | None:
    """The body of the next request on a kept connection; None when there is none."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        lengths = [
            int(line.partition(b":")[2])
            for line in head.split(b"\r\n")
            if line.lower().startswith(_LENGTH)
        ]
        return await reader.readexactly(lengths[0] if lengths else 0)
    except asyncio.IncompleteReadError:
        return None
