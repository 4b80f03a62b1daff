"""A closed-loop HTTP load generator that costs little: prepared bytes out, status and latency back.

Each connection sends its next prepared request as soon as the answer to the last one is complete. It
speaks just enough HTTP/1.1 for our own servers (Content-Length answers, keep-alive), about 20 µs of CPU a
request, so that on a shared machine the platform is measured and not the generator.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from typing_extensions import override

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass(slots=True)
class Outcome:
    """What one run saw. Latencies are seconds, one for each answer."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    # The answers' bodies by the place of their request, for runs that build on them.
    bodies: dict[int, bytes] = field(default_factory=dict)
    lost_connections: int = 0

    def rate(self, status: int) -> float:
        """Answers of this status a second."""
        return self.statuses[status] / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def prepared(
    method: str, path: str, *, host: str, headers: Sequence[tuple[str, str]] = (), body: bytes = b""
) -> bytes:
    """The bytes of a request, made before the clock runs."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append("Content-Type: application/json")
    return "\r\n".join(lines).encode() + _HEAD_END + body


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[tuple[int, bytes]], outcome: Outcome, deadline: float) -> None:
        self._requests = requests
        self._outcome = outcome
        self._deadline = deadline
        self._buffer = b""
        self._sent_at = 0.0
        self._waiting = False
        self._place = 0
        self._transport: asyncio.Transport | None = None
        self.done = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP connection has one
        self._transport = transport
        self._send_next()

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, rest = self._buffer.partition(_HEAD_END)
        if not separator:
            return
        lower = head.lower()
        start = lower.index(_LENGTH) + len(_LENGTH)
        length = int(lower[start:].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._outcome.bodies[self._place] = rest[:length]
        self._waiting = False
        self._outcome.latencies.append(time.perf_counter() - self._sent_at)
        self._outcome.statuses[int(head[9:12])] += 1
        self._send_next()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting:
            self._outcome.lost_connections += 1
        if not self.done.done():
            self.done.set_result(None)

    def _send_next(self) -> None:
        assert self._transport is not None  # noqa: S101 - called while connected only
        following = next(self._requests, None) if time.perf_counter() < self._deadline else None
        if following is None:
            self._transport.close()
            return
        self._place, request = following
        self._sent_at = time.perf_counter()
        self._waiting = True
        self._transport.write(request)


async def closed_loop(*, port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Outcome:
    """Sends the prepared requests, each once, over so many connections, until time or requests end."""
    outcome = Outcome()
    loop = asyncio.get_running_loop()
    shared = iter(enumerate(requests))
    started = time.perf_counter()
    opened = [
        await loop.create_connection(
            lambda: _Connection(shared, outcome, started + seconds), host="127.0.0.1", port=port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in opened))
    outcome.seconds = time.perf_counter() - started
    return outcome
