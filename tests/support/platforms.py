"""Small WeChat and Alipay: they speak the platforms' own HTTP over a real socket, faults included."""

import asyncio
import base64
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_ALIPAY_PARAMETERS = {
    "app_id",
    "method",
    "charset",
    "sign_type",
    "sign",
    "timestamp",
    "version",
    "grant_type",
}


@dataclass
class Asked:
    """A request as it came over the socket."""

    method: str
    path: str
    values: dict[str, str]


Answering = Callable[[Asked], tuple[int, str, str]]


@dataclass
class Platform:
    """`codes` maps a code that was handed out to its user; each is good once."""

    codes: dict[str, str] = field(default_factory=dict)
    faults: dict[str, object] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    # A platform in trouble: "" is well, else "silent", "drops", "error page" or "no object".
    trouble: str = ""


@dataclass
class FakeWeChat(Platform):
    app_id: str = "wx0123456789abcdef"
    secret: str = "wechat-secret-of-the-tests"

    def answer(self, asked: Asked) -> tuple[int, str, str]:
        """Errors are 200 with `errcode`, and JSON is called text/plain, as WeChat does."""
        return 200, "text/plain", json.dumps(self._session(asked))

    def _session(self, asked: Asked) -> dict[str, object]:
        values = asked.values
        code = values.get("js_code", "")
        checks = {
            43001: (asked.method, asked.path) == ("GET", "/sns/jscode2session"),
            40013: values.get("appid") == self.app_id,
            40125: values.get("secret") == self.secret,
            40002: values.get("grant_type") == "authorization_code",
            self.faults.get(code): code not in self.faults,
            40029: code in self.codes,
        }
        for errcode, is_right in checks.items():
            if not is_right:
                return {"errcode": errcode, "errmsg": "fault, rid: 65f0"}
        openid = self.codes.pop(code)
        return {"session_key": "tiihtNczf5v6AKRyjwEUhQ==", "openid": openid, "unionid": f"u-{openid}"}


@dataclass
class FakeAlipay(Platform):
    app_id: str = "2014072300007148"
    key: RSAPrivateKey = field(default_factory=lambda: generate_private_key(65537, 2048))
    # Newer apps are told an open id, older ones a user id.
    subject_name: str = "open_id"

    @property
    def private_key(self) -> str:
        """As Alipay's key tool writes it: PKCS#8, base64, no PEM lines."""
        return base64.b64encode(
            self.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        ).decode()

    def answer(self, asked: Asked) -> tuple[int, str, str]:
        reply = self._token(asked)
        return 200, "text/html;charset=utf-8", json.dumps(reply | {"sign": "not checked here"})

    def _token(self, asked: Asked) -> dict[str, object]:
        values = asked.values
        if asked.method != "POST" or not values.keys() >= _ALIPAY_PARAMETERS:
            return _alipay_fault("40001", "isv.missing-method")
        if values["app_id"] != self.app_id:
            return _alipay_fault("40002", "isv.invalid-app-id")
        if not self._is_signed(values):
            return _alipay_fault("40002", "isv.invalid-signature")
        code = values.get("code", "")
        if code in self.faults:
            return _alipay_fault("20000", str(self.faults[code]))
        subject = self.codes.pop(code, None)
        if subject is None:
            return _alipay_fault("40002", "isv.code-invalid")
        token = {"access_token": secrets.token_hex(8), "expires_in": "3600", "refresh_token": "r"}
        return {"alipay_system_oauth_token_response": token | {self.subject_name: subject}}

    def _is_signed(self, values: dict[str, str]) -> bool:
        text = "&".join(f"{key}={values[key]}" for key in sorted(values) if key != "sign")
        signature = base64.b64decode(values["sign"])
        try:
            self.key.public_key().verify(signature, text.encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return values["sign_type"] == "RSA2"


def _alipay_fault(code: str, sub_code: str) -> dict[str, object]:
    fault = {"code": code, "msg": "Invalid Arguments", "sub_code": sub_code, "sub_msg": "授权码code无效"}
    return {"error_response": fault}


@asynccontextmanager
async def listening(platform: FakeWeChat | FakeAlipay) -> AsyncIterator[str]:
    """Serves the platform on a port of its own; yields its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await _read(reader)
            platform.asked.append(asked)
            if platform.trouble == "silent":
                await reader.read()
            elif platform.trouble != "drops":
                writer.write(_response(*_in_trouble(platform, asked)))
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        host, port = server.sockets[0].getsockname()
        yield f"http://{host}:{port}"


def _in_trouble(platform: FakeWeChat | FakeAlipay, asked: Asked) -> tuple[int, str, str]:
    if platform.trouble == "error page":
        return 502, "text/html", "<h1>Bad Gateway</h1>"
    if platform.trouble == "no object":
        return 200, "application/json", "[]"
    return platform.answer(asked)


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    method, target, _ = head.split(" ", 2)
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if line)
    body = (await reader.readexactly(int(headers.get("content-length", 0)))).decode()
    address = urlsplit(target)
    return Asked(method, address.path, dict(parse_qsl(address.query) + parse_qsl(body)))


def _response(status: int, content_type: str, body: str) -> bytes:
    content = body.encode()
    head = (
        f"HTTP/1.1 {status} -\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + content
