"""HTTP/1.1 over asyncio for clients that should cost little beside the platform that they drive.

A general HTTP client costs milliseconds of CPU a request, which on a shared machine would be measured as the
platform's. This one speaks what our servers answer: keep-alive and Content-Length. About 50 µs a request.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from typing_extensions import override

_HEAD_END = b"\r\n\r\n"
_CONNECT_SECONDS = 5.0


class ConnectionLost(ConnectionError):
    """The connection ended before the answer was complete: whether it took effect is unknown."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    # Names in lower case.
    headers: Mapping[str, str]
    body: bytes


def request_bytes(
    method: str, path: str, *, host: str, headers: Mapping[str, str], body: bytes = b""
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + _HEAD_END + body


class Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None

    @property
    def open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(self, request: bytes) -> Answer:
        """Raises ConnectionLost."""
        if self._transport is None or not self.open:
            raise ConnectionLost
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP connection has one
        self._transport = transport

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(_HEAD_END)
        if not separator:
            return
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", "0"))
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(Answer(int(first[9:12]), headers, rest[:length]))
        if headers.get("connection", "").lower() == "close":
            self.close()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionLost())


async def connect(host: str, port: int) -> Connection:
    """Raises OSError, TimeoutError."""
    async with asyncio.timeout(_CONNECT_SECONDS):
        _, connection = await asyncio.get_running_loop().create_connection(Connection, host, port)
    return connection


class Pool:
    """Connections to one origin, at most so many at a time; idle ones are used again."""

    def __init__(self, base_url: str, *, connections: int) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80
        self._free = asyncio.Semaphore(connections)
        self._idle: list[Connection] = []

    async def request(self, method: str, path: str, *, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raises OSError (ConnectionLost among them) and TimeoutError; nothing is tried again here."""
        request = request_bytes(method, path, host=f"{self._host}:{self._port}", headers=headers, body=body)
        async with self._free:
            connection = self._take() or await connect(self._host, self._port)
            try:
                answer = await connection.exchange(request)
            except BaseException:
                connection.close()
                raise
            if connection.open:
                self._idle.append(connection)
            return answer

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
        return None


def multipart(
    files: Sequence[tuple[str, str, bytes]], fields: Mapping[str, str] | None = None
) -> tuple[str, bytes]:
    """A form as a browser sends it: files as (field, file name, content); returns content type and body."""
    boundary = "hv-boundary-7b1f0c52"
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for field, name, content in files
    ]
    parts += [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
        for field, value in (fields or {}).items()
    ]
    return f"multipart/form-data; boundary={boundary}", b"".join(parts) + f"--{boundary}--\r\n".encode()
