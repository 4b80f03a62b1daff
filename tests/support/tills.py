"""Builders for tills: an institution entered by staff, its terminal activated, a client that signs."""

import json
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from shared.clients.terminal import TerminalClient
from shared.identity.staff import Role
from shared.kit import Kit
from shared.signing import authorization
from shared.vouchers.catalogue import CampaignRef
from tests.support.people import signed_in_staff

ALL_TYPES = ("checkup", "fitness", "general_50", "general_100")


@dataclass(frozen=True, slots=True)
class Bureau:
    """Staff of the bureau, who enter institutions and prepare terminals over HTTP."""

    http: httpx.AsyncClient
    kit: Kit
    headers: dict[str, str]

    async def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self.http.post(f"/redemption/v1{path}", json=body, headers=self.headers)

    async def get(self, path: str, **params: str) -> httpx.Response:
        return await self.http.get(f"/redemption/v1{path}", params=params, headers=self.headers)

    async def institution(
        self, campaign: CampaignRef, *, accepts: tuple[str, ...] = ALL_TYPES, **more: object
    ) -> str:
        body = {
            "name": f"示例·{secrets.token_hex(4)}医院",
            "category": "general_merchant",
            "accepts": list(accepts),
            "campaign": campaign.slug,
            **more,
        }
        made = await self.post("/institutions", body)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def activation_code(self, institution_id: str) -> str:
        made = await self.post(f"/institutions/{institution_id}/terminals", {"label": "前台1号"})
        assert made.status_code == 201, made.text
        return str(made.json()["activation_code"])

    async def till(self, institution_id: str) -> TerminalClient:
        code = await self.activation_code(institution_id)
        device = f"device-{secrets.token_hex(4)}"
        return await TerminalClient.activate(self.http, code, device, now=self.kit.clock.now)


async def bureau(http: httpx.AsyncClient, kit: Kit) -> Bureau:
    return Bureau(http, kit, await signed_in_staff(kit, Role.OPERATOR))


async def signed(  # every part of a signed request can be bent by a test
    till: TerminalClient,
    http: httpx.AsyncClient,
    method: str,
    path: str,
    body: object = None,
    *,
    kit: Kit,
    nonce: str | None = None,
    timestamp: int | None = None,
    key: str | None = None,
    content: bytes | None = None,
) -> httpx.Response:
    """One signed request, sent once; nothing is retried and no refusal raised."""
    target = f"/redemption/v1{path}"
    if content is None:
        content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    header = authorization(
        key_id=till.terminal_id,
        key=key or till.terminal_key,
        method=method,
        target=target,
        timestamp=int(kit.clock.now().timestamp()) if timestamp is None else timestamp,
        nonce=nonce or secrets.token_hex(12),
        body=content,
    )
    headers = {"Authorization": header, "Content-Type": "application/json"}
    return await http.request(method, target, content=content, headers=headers)
