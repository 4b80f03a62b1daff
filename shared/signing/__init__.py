"""Signed requests (api.md section 3): terminals and the card platform.

Authorization: HV-HMAC-SHA256 key_id="…",timestamp="…",nonce="…",signature="…", where signature is the
base64 of HMAC-SHA256 over five lines (method, path with query, timestamp, nonce, raw body), each ended
by a newline. The raw bytes are signed, never a re-serialised document. Pure: no I/O here.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.clock import rfc3339
from shared.errors import Refusal, Unauthenticated

SCHEME = "HV-HMAC-SHA256"
# api.md: a clock that is off by more is told the server's time instead of being let in.
SKEW = timedelta(seconds=300)
# A nonce is remembered for as long as its timestamp could still be accepted.
NONCE_LIFE = 2 * SKEW
_HEADER = re.compile(
    SCHEME + r' key_id="([0-9A-Za-z_-]{1,64})", ?timestamp="([1-9][0-9]{0,11})"'
    r', ?nonce="([0-9A-Za-z_+/=.-]{1,64})", ?signature="([0-9A-Za-z+/=]{1,100})"'
)


class BadSignature(Refusal):
    code = "bad_signature"
    status = 401
    zh = "签名验证失败，请检查终端密钥。"
    en = "The signature does not fit the request."


class ClockSkew(Refusal):
    code = "clock_skew"
    status = 401
    zh = "终端时间与服务器相差过大，请校准终端时间。"
    en = "The request's timestamp is more than 300 s away from the server's time."


class Replayed(Refusal):
    code = "replayed"
    status = 401
    zh = "该请求已被使用，请重新签名后发送。"
    en = "This nonce was used before; sign the request afresh."


@dataclass(frozen=True, slots=True)
class SignatureHeader:
    key_id: str
    timestamp: int
    nonce: str
    signature: str


def parse_header(authorization: str | None) -> SignatureHeader:
    """Raises Unauthenticated when the header is missing or not of the documented form."""
    found = _HEADER.fullmatch(authorization or "")
    if found is None:
        raise Unauthenticated
    key_id, timestamp, nonce, signature = found.groups()
    return SignatureHeader(key_id=key_id, timestamp=int(timestamp), nonce=nonce, signature=signature)


def canonical(*, method: str, target: bytes, timestamp: int, nonce: str, body: bytes) -> bytes:
    """The five signed lines; `target` is the path with its prefix and query, as sent."""
    return b"%s\n%s\n%d\n%s\n%s\n" % (method.encode(), target, timestamp, nonce.encode(), body)


def sign(key: str, message: bytes) -> str:
    return base64.b64encode(hmac.digest(key.encode(), message, hashlib.sha256)).decode()


def authorization(
    *, key_id: str, key: str, method: str, target: str, timestamp: int, nonce: str, body: bytes
) -> str:
    """The header of a signed request, for clients."""
    message = canonical(method=method, target=target.encode(), timestamp=timestamp, nonce=nonce, body=body)
    signature = sign(key, message)
    return f'{SCHEME} key_id="{key_id}",timestamp="{timestamp}",nonce="{nonce}",signature="{signature}"'


def check(header: SignatureHeader, *, keys: Iterable[str], message: bytes, now: datetime) -> None:
    """Checks the signature under any of the keys (a rotated key overlaps), then the time.

    The signature comes first: only the key's holder is told the server's time.

    Raises:
        BadSignature, ClockSkew. The nonce is checked where the effect is written.
    """
    try:
        given = base64.b64decode(header.signature, validate=True)
    except binascii.Error:
        raise BadSignature from None
    fits = [hmac.compare_digest(hmac.digest(key.encode(), message, hashlib.sha256), given) for key in keys]
    if not any(fits):
        raise BadSignature
    if abs(header.timestamp - now.timestamp()) > SKEW.total_seconds():
        raise ClockSkew(extra={"server_time": rfc3339(now)})
