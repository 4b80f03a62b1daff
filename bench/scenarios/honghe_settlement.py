"""Honghe, the evening after: the day's write-offs are settled, confirmed, paid and printed."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.scenarios.story import Stage, Story
from bench.simulator.clerks import Clerks, sign_in
from bench.simulator.platform import Platform

_POLL_SECONDS = 0.2
_JOB_POLLS_MAX = 300
_API = "/redemption/v1"


@dataclass(frozen=True, slots=True)
class HongheSettlement:
    platform: Platform
    clerks: Clerks
    campaign: str
    stage: Stage
    story: Story

    async def play(self, day: str, *, institutions: Mapping[str, int], applied_fen: int) -> None:
        """Settles one day; `institutions` are their live write-offs, `applied_fen` those of all."""
        advance = self.stage("结算 settlement", len(institutions) + 2)
        result = await self._settle(day)
        advance(1)
        settlements = await self._listed()
        for settlement in settlements:
            await self._confirm(settlement)
            await self.clerks.approved("redemption", f"settlements/{settlement['id']}/pay", {})
            advance(1)
        paid = await self._listed()
        check = self.story.check
        check("settled write-offs", sum(institutions.values()), result["count"])
        check(
            "settled by institution",
            dict(institutions),
            {one["institution_id"]: one["count"] for one in settlements},
        )
        check("settled, summed over the payers (fen)", applied_fen, _summed(settlements))
        check("paid (fen)", applied_fen, sum(one["amount_fen"] for one in paid if one["status"] == "paid"))
        await self._print(max(paid, key=lambda one: one["count"]))
        advance(1)

    async def _settle(self, day: str) -> dict[str, Any]:
        body = {"campaign": self.campaign, "from": day, "to": day}
        asked = await self.platform.post(f"{_API}/settlements", body, headers=self.clerks.first)
        for _ in range(_JOB_POLLS_MAX):
            job = await self.platform.get(f"{_API}/jobs/{asked.body['job_id']}", headers=self.clerks.first)
            if job["state"] == "succeeded":
                return dict(job["result"])
            if job["state"] == "failed":
                raise AssertionError(f"the settlement failed: {job['error']}")
            await asyncio.sleep(_POLL_SECONDS)
        raise AssertionError("the settlement was not done within a minute: look at the job log")

    async def _listed(self) -> list[dict[str, Any]]:
        path = f"{_API}/settlements?campaign={self.campaign}&limit=200"
        return list((await self.platform.get(path, headers=self.clerks.first))["items"])

    async def _confirm(self, settlement: Mapping[str, Any]) -> None:
        """A person of the institution signs in and confirms."""
        username, password = f"ins-{secrets.token_hex(4)}", f"Zx9-{secrets.token_urlsafe(16)}"
        person = {
            "username": username,
            "password": password,
            "roles": ["institution"],
            "institution_id": settlement["institution_id"],
        }
        await self.platform.post("/console/v1/staff", person, headers=self.clerks.first)
        own = await sign_in(self.platform, username, password)
        await self.platform.post(f"{_API}/settlements/{settlement['id']}/confirm", {}, headers=own)

    async def _print(self, settlement: Mapping[str, Any]) -> None:
        """The documents of the day, for the closing table."""
        statement = f"{_API}/settlements/{settlement['id']}/statement"
        chosen = f"campaign={self.campaign}"
        wanted = {
            "statement.pdf": f"{statement}.pdf",
            "statement.xlsx": f"{statement}.xlsx",
            "settlements.xlsx": f"{_API}/settlements/summary.xlsx?{chosen}",
            "payments.csv": f"{_API}/settlements/payment-file?{chosen}&status=paid",
        }
        for name, path in wanted.items():
            self.story.documents[name] = await self.platform.download(path, headers=self.clerks.first)


def _summed(settlements: list[dict[str, Any]]) -> int:
    return sum(sum(one["by_funding_source"].values()) for one in settlements)
