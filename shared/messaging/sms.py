"""Short messages through a gateway of one's own: a provider-neutral JSON call.

Chinese providers differ in signing, templates and codes, and want a text that they have approved. What
stands between is small, and belongs to whoever has the contract: docs/messages.md describes the call.
"""

import json
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from shared.clock import machine_now
from shared.messaging import Message, Outcome
from shared.messaging.outside import Provider, object_of
from shared.signing import authorization

_TOO_MANY = 429
_OK = range(200, 300)
_AFTER_SECONDS_MIN, _AFTER_SECONDS_MAX = 10, 86_400
_AFTER_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Credentials:
    """A bearer token, or a key that signs each call as terminals sign theirs."""

    token: str | None = None
    key_id: str | None = None
    key: str | None = None

    def header(self, url: str, body: bytes) -> str:
        if self.key is None or self.key_id is None:
            return f"Bearer {self.token}"
        # As it is sent: percent-encoded where it has to be.
        target = httpx.URL(url).raw_path.decode("ascii")
        return authorization(
            key_id=self.key_id,
            key=self.key,
            method="POST",
            target=target,
            timestamp=int(machine_now().timestamp()),
            nonce=secrets.token_hex(16),
            body=body,
        )


@dataclass(slots=True)
class SmsGateway:
    url: str
    credentials: Credentials
    provider: Provider

    async def send(self, message: Message) -> Outcome:
        """The message's id goes along: a gateway that has seen it answers again and sends nothing."""
        content = json.dumps(
            {
                "message_id": message.id,
                "phone": message.to,
                "template": message.kind,
                "language": message.language,
                "text": message.text,
                "values": dict(message.values),
            },
            ensure_ascii=False,
        ).encode()
        headers = {
            "Authorization": self.credentials.header(self.url, content),
            "Idempotency-Key": message.id,
        }
        response = await self.provider.post(self.url, content, headers=headers)
        if isinstance(response, Outcome):
            return response
        answer = object_of(response) or {}
        if response.status_code == _TOO_MANY:
            given = response.headers.get("retry-after", "")
            return Outcome("later", "http_429", _bounded(int(given) if given.isdigit() else None))
        if response.status_code not in _OK:
            return Outcome("failed", f"http_{response.status_code}")
        return _outcome(answer)

    async def close(self) -> None:
        await self.provider.close()


def _outcome(answer: dict[str, Any]) -> Outcome:
    code = str(answer["code"])[:40] if answer.get("code") is not None else None
    match answer.get("status"):
        case "accepted":
            return Outcome("sent", code)
        case "refused":
            return Outcome("refused", code or "refused")
        case "later":
            seconds = answer.get("after_seconds")
            return Outcome("later", code or "later", _bounded(seconds if isinstance(seconds, int) else None))
        case _:
            return Outcome("unclear", "no_status")


def _bounded(seconds: int | None) -> int:
    return min(max(seconds or _AFTER_SECONDS, _AFTER_SECONDS_MIN), _AFTER_SECONDS_MAX)
