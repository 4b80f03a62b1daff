"""One connection of the load generator: writes prepared bytes, reads status and length of an answer."""

import asyncio
from typing import Protocol, cast

from typing_extensions import override

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_RETRY_AFTER = b"\r\nretry-after:"


class Loop(Protocol):
    """What a connection needs of the loop that it works for."""

    def idle(self, connection: "Connection") -> None: ...
    def answered(self, connection: "Connection", status: int, body: bytes, wait: float) -> None: ...
    def lost(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """One request at a time; `place` and `since` belong to the one that is under way."""

    __slots__ = ("_buffer", "_loop", "_transport", "busy", "place", "since")

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._buffer = b""
        self._transport: asyncio.Transport | None = None
        self.busy = False
        self.place = 0
        self.since = 0.0

    def send(self, place: int, since: float, request: bytes) -> None:
        self.busy, self.place, self.since = True, place, since
        if self._transport is not None:
            self._transport.write(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are no subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        body_at = data.find(_HEAD_END) + 4
        end = body_at + _number(data, _LENGTH, body_at)
        if body_at < 4 or len(data) < end:
            self._buffer = data
            return
        self._buffer = b""
        self.busy = False
        self._loop.answered(self, int(data[9:12]), data[body_at:end], _number(data, _RETRY_AFTER, body_at))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._loop.lost(self)


def _number(data: bytes, name: bytes, head_end: int) -> int:
    """The value of a header that is a whole number, 0 without it. Our servers write names in lower case."""
    start = data.find(name, 0, head_end)
    if start < 0:
        return 0
    start += len(name)
    return int(data[start : data.find(b"\r", start)])
