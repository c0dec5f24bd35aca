"""A receiver of webhooks on 127.0.0.1 that answers as told and keeps what it got."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    request_line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`status` is the answer to all requests; `hangs`: the request is read and never answered."""

    status: int = 202
    hangs: bool = False
    extra_header: str = ""
    address: str = ""
    received: list[Received] = field(default_factory=list)
    _serving: set["asyncio.Task[None]"] = field(default_factory=set)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _read_request(reader):
                self.received.append(request)
                if self.hangs:
                    await reader.read()  # until the other side gives up
                    return
                body = "" if self.status == 204 else "ok"
                length = "" if self.status == 204 else "content-length: 2\r\n"
                answer = f"HTTP/1.1 {self.status} X\r\n{self.extra_header}{length}\r\n{body}"
                writer.write(answer.encode())
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Receiver"]:
        """Listen on a free port; `address` is `127.0.0.1:<port>`."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for serving in self._serving:
                serving.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)
            await server.wait_closed()


async def _read_request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode().strip().split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(first, headers, body)
