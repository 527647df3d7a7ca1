"""The only way out for a browser: an HTTP proxy on loopback that leads no page into a private network."""

import asyncio
from contextlib import suppress
from typing import Final, Self

from yarl import URL

from scraper.ssrf_guard import GuardedResolver, Origin

HEAD: Final = 65_536
"""The most bytes of a request's first line and headers."""
HOP_BY_HOP: Final = (b"connection:", b"keep-alive:", b"proxy-")
"""Headers that end at a proxy (RFC 9110 §7.6.1)."""


class Proxy:
    """An async context manager; `port` is where it listens. Only `named` may be private."""

    def __init__(self, named: frozenset[Origin]) -> None:
        self.resolver = GuardedResolver(named)
        self.port = 0
        self.tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self.begin, "127.0.0.1", 0, limit=HEAD)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves a connection in a task of its own, which ends with the proxy."""
        task = asyncio.create_task(self.serve(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request: a CONNECT (RFC 9110 §9.3.6), or one for a whole URL (RFC 9112 §3.2.2)."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
            tunnel = method == "CONNECT"
            address = URL(f"//{target}" if tunnel else target)
            there = await self.connect(str(address.raw_host), address.port or 0)
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            with suppress(OSError):
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                await writer.drain()
            writer.close()
            return
        if tunnel:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        else:
            there[1].write(onward(head, method, address))
        try:
            await asyncio.gather(copy(reader, there[1]), copy(there[0], writer))
        finally:
            writer.close()
            there[1].close()

    async def connect(self, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to a public host, or one that is named. Raises OSError, ValueError."""
        answers = await self.resolver.resolve(host, port)
        failure = OSError(f"no address: {host}")
        for answer in answers:
            try:
                return await asyncio.open_connection(answer["host"], port)
            except OSError as error:
                failure = error
        raise failure


def onward(head: bytes, method: str, address: URL) -> bytes:
    """A request's first line and headers as the host itself gets them, for one request a connection."""
    first = f"{method} {address.raw_path_qs} HTTP/1.1".encode("ascii")
    headers = [line for line in head.split(b"\r\n")[1:] if line and not line.lower().startswith(HOP_BY_HOP)]
    return b"\r\n".join([first, *headers, b"Connection: close", b"", b""])


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes on what comes, until the end of either side."""
    with suppress(OSError):
        while data := await reader.read(HEAD):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
