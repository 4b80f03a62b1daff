"""A small share verifier: it speaks its HTTP over a real socket, trouble included."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class FakeVerifier:
    """`answers` maps a share's address to what is answered: a verdict, or a whole body."""

    answers: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    token: str = "token-of-the-verifier"
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def answer(self, headers: dict[str, str], question: dict[str, Any]) -> tuple[int, bytes]:
        if headers.get("authorization") != f"Bearer {self.token}":
            return 401, b"{}"
        self.asked.append(question)
        self.keys.append(headers["idempotency-key"])
        answer = self.answers.get(question["url"], "unsure")
        body = {"verdict": answer} if isinstance(answer, str) else answer
        return self.status, json.dumps(body).encode()


@asynccontextmanager
async def verifying(verifier: FakeVerifier) -> AsyncIterator[str]:
    """Serves the verifier on a port of its own; yields its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
            question = json.loads(await reader.readexactly(int(headers["content-length"])))
            status, body = verifier.answer(headers, question)
            lines = f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(lines.encode() + body)
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}/verify"
