"""Signed calls: each try is signed afresh with a new nonce and carries the same body."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bench.simulator.platform import Platform, Reply
from shared.signing import authorization


@dataclass(frozen=True, slots=True)
class Signer:
    """`now` is the platform's time: in a demonstration the clock is moved."""

    platform: Platform
    key_id: str
    key: str
    now: Callable[[], datetime]

    async def post(self, path: str, body: object) -> Reply:
        content = json.dumps(body, ensure_ascii=False).encode()
        return await self.platform.send("POST", path, content=content, sign=self.headers)

    async def get(self, path: str) -> Reply:
        return await self.platform.send("GET", path, content=b"", sign=self.headers)

    def headers(self, method: str, path: str, content: bytes) -> dict[str, str]:
        """Of one try, signed now."""
        header = authorization(
            key_id=self.key_id,
            key=self.key,
            method=method,
            target=path,
            timestamp=int(self.now().timestamp()),
            nonce=secrets.token_urlsafe(12),
            body=content,
        )
        return {"Authorization": header, "Content-Type": "application/json"}
