"""Small WeChat and SMS gateway: they speak HTTP over a real socket, remember, count, and get into trouble."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from shared.signing import canonical, parse_header, sign

Answer = tuple[int, dict[str, Any]]


@dataclass
class Call:
    method: str
    target: str
    headers: dict[str, str]
    content: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def body(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.content)


@dataclass
class Provider:
    """`trouble` is "" (well), "silent", "cut" (does it, then hangs up), "drops" (hangs up), or "error"."""

    trouble: str = ""
    calls: list[Call] = field(default_factory=list)

    def answer(self, call: Call) -> Answer:
        raise NotImplementedError


@dataclass
class FakeWeChatMessages(Provider):
    """Counts consents as WeChat does: a one-time one is used up by its message."""

    app_id: str = "wx0123456789abcdef"
    secret: str = "wechat-secret-of-the-tests"
    consents: dict[str, int] = field(default_factory=dict)
    faults: list[int] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)
    token_number: int = 1
    # The token in force is no good any more, though stable_token still hands it out.
    withdrawn: set[str] = field(default_factory=set)
    tokens_asked: list[dict[str, Any]] = field(default_factory=list)

    @property
    def token(self) -> str:
        return f"token-{self.token_number}"

    @override
    def answer(self, call: Call) -> Answer:
        if call.path == "/cgi-bin/stable_token":
            return 200, self._token(call.body)
        assert call.path == "/cgi-bin/message/subscribe/send"
        return 200, self._send(call)

    def _token(self, body: dict[str, Any]) -> dict[str, Any]:
        self.tokens_asked.append(body)
        if (body["appid"], body["secret"]) != (self.app_id, self.secret):
            return {"errcode": 40125, "errmsg": "invalid appsecret, rid: 65f0"}
        if body["force_refresh"]:
            self.token_number += 1
        return {"access_token": self.token, "expires_in": 7200}

    def _send(self, call: Call) -> dict[str, Any]:
        token = call.query["access_token"]
        if token != self.token or token in self.withdrawn:
            return {"errcode": 42001, "errmsg": "access_token expired, rid: 65f0"}
        if self.faults:
            return {"errcode": self.faults.pop(0), "errmsg": "fault, rid: 65f0"}
        body = call.body
        if any(not part["value"] for part in body["data"].values()):
            return {"errcode": 47003, "errmsg": "argument invalid! rid: 65f0"}
        if self.consents.get(body["touser"], 0) <= 0:
            return {"errcode": 43101, "errmsg": "user refuse to accept the msg, rid: 65f0"}
        self.consents[body["touser"]] -= 1
        self.received.append(body)
        return {"errcode": 0, "errmsg": "ok"}


@dataclass
class FakeSms(Provider):
    """A gateway that knows repetitions by their key. `faults` are answered one after the other."""

    token: str = "token-of-the-gateway"
    key: str | None = None
    faults: list[Answer] = field(default_factory=list)
    received: dict[str, dict[str, Any]] = field(default_factory=dict)

    @override
    def answer(self, call: Call) -> Answer:
        if not self._is_ours(call):
            return 401, {"status": "refused"}
        if self.faults:
            return self.faults.pop(0)
        body = call.body
        assert body["message_id"] == call.headers["idempotency-key"]
        self.received.setdefault(body["message_id"], body)
        return 200, {"status": "accepted"}

    def _is_ours(self, call: Call) -> bool:
        given = call.headers.get("authorization", "")
        if self.key is None:
            return given == f"Bearer {self.token}"
        header = parse_header(given)
        message = canonical(
            method=call.method,
            target=call.target.encode(),
            timestamp=header.timestamp,
            nonce=header.nonce,
            body=call.content,
        )
        return header.signature == sign(self.key, message)


@asynccontextmanager
async def serving_messages(provider: Provider) -> AsyncIterator[str]:
    """Serves the provider on a port of its own; yields its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            call = await _read(reader)
            provider.calls.append(call)
            if provider.trouble == "silent":
                await reader.read()
                return
            if provider.trouble == "drops":
                return
            status, body = (503, {}) if provider.trouble == "error" else provider.answer(call)
            if provider.trouble == "cut":
                return
            content = json.dumps(body, ensure_ascii=False).encode()
            retry = "Retry-After: 600\r\n" if status == 429 else ""
            head = (
                f"HTTP/1.1 {status} -\r\nContent-Length: {len(content)}\r\n{retry}Connection: close\r\n\r\n"
            )
            writer.write(head.encode() + content)
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


async def _read(reader: asyncio.StreamReader) -> Call:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    method, target, _ = head.split(" ", 2)
    lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
    headers = {name.lower(): value for name, _, value in lines}
    content = await reader.readexactly(int(headers.get("content-length", 0)))
    return Call(method, target, headers, content)
