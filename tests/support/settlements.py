"""Builders for settlements: periods settled by the real job, confirmed, paid and corrected over HTTP."""

from dataclasses import dataclass
from typing import Any

import httpx

from services.redemption.wiring import build
from services.redemption.worker import parts
from shared.identity.staff import Role
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.drain import drain
from tests.support.people import signed_in_staff
from tests.support.tills import Bureau


@dataclass(frozen=True, slots=True)
class Books:
    """Two clerks of the bureau; what the first proposes the other approves."""

    kit: Kit
    bureau: Bureau
    other: dict[str, str]

    async def request(self, campaign: CampaignRef, first: str, last: str) -> httpx.Response:
        body = {"campaign": campaign.slug, "from": first, "to": last}
        return await self.bureau.post("/settlements", body)

    async def work(self) -> None:
        await drain(self.kit, parts(build(self.kit)))

    async def settle(self, campaign: CampaignRef, first: str, last: str) -> dict[str, Any]:
        """The job's result."""
        asked = await self.request(campaign, first, last)
        assert asked.status_code == 202, asked.text
        await self.work()
        job = (await self.bureau.get(f"/jobs/{asked.json()['job_id']}")).json()
        assert job["state"] == "succeeded", job
        return dict(job["result"])

    async def of(self, institution_id: str, **params: str) -> list[dict[str, Any]]:
        """An institution's settlements, newest first."""
        found = await self.bureau.get("/settlements", institution_id=institution_id, **params)
        assert found.status_code == 200, found.text
        return list(found.json()["items"])

    async def approve(self, proposed: httpx.Response) -> httpx.Response:
        assert proposed.status_code == 202, proposed.text
        path = f"/redemption/v1/changes/{proposed.json()['change_id']}/approve"
        return await self.bureau.http.post(path, json={}, headers=self.other)

    async def confirm(self, settlement: dict[str, Any]) -> None:
        own = await signed_in_staff(
            self.kit, Role.INSTITUTION, institution_id=str(settlement["institution_id"])
        )
        path = f"/redemption/v1/settlements/{settlement['id']}/confirm"
        done = await self.bureau.http.post(path, json={}, headers=own)
        assert done.status_code == 200, done.text

    async def pay(self, settlement: dict[str, Any]) -> None:
        """Confirms and pays."""
        await self.confirm(settlement)
        paid = await self.approve(await self.bureau.post(f"/settlements/{settlement['id']}/pay", {}))
        assert paid.status_code == 200, paid.text

    async def set_account(self, institution_id: str, number: str, *, name: str = "示例·户名") -> None:
        """Proposed by the first, approved by the other."""
        body = {
            "account_name": name,
            "bank_name": "示例银行红河分行",
            "account_number": number,
            "reason": "开户证明",
        }
        proposed = await self.bureau.post(f"/institutions/{institution_id}/payee-accounts", body)
        done = await self.approve(proposed)
        assert done.status_code == 200, done.text

    async def correct(self, redemption_id: str, reason: str = "重复收费") -> None:
        proposed = await self.bureau.post(f"/redemptions/{redemption_id}/corrections", {"reason": reason})
        done = await self.approve(proposed)
        assert done.status_code == 200, done.text


async def books(kit: Kit, bureau: Bureau) -> Books:
    return Books(kit, bureau, await signed_in_staff(kit, Role.OPERATOR))
