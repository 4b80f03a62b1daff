"""Two clerks at the issuance service: what one proposes the other approves."""

from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class Desk:
    client: httpx.AsyncClient
    one: dict[str, str]
    other: dict[str, str]

    async def propose(self, url: str, body: dict[str, object]) -> httpx.Response:
        return await self.client.post(url, json=body, headers=self.one)

    async def approve(self, proposed: httpx.Response) -> httpx.Response:
        assert proposed.status_code == 202, proposed.text
        url = f"/issuance/v1/changes/{proposed.json()['change_id']}/approve"
        return await self.client.post(url, json={}, headers=self.other)
