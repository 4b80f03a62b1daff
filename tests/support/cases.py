"""An institution that writes vouchers off within a minute of their issue, and what is done about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from services.redemption.wiring import build
from services.redemption.worker import parts
from shared.clients.terminal import TerminalClient
from shared.clock import ManualClock
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.drain import drain
from tests.support.tills import Bureau
from tests.support.vouchers import held_vouchers

MANY = 9
DAY = "2020-11-10"


@dataclass(frozen=True, slots=True)
class Scene:
    """An institution that writes vouchers off within a minute of their issue."""

    kit: Kit
    clock: ManualClock
    staff: Bureau
    campaign: CampaignRef
    institution: str
    till: TerminalClient

    async def write_off(self, count: int = MANY, *, till: TerminalClient | None = None) -> Sequence[str]:
        """Ids, of vouchers that were issued just now."""
        vouchers = await held_vouchers(self.kit, self.campaign, "general_50", count)
        done = []
        for place, voucher in enumerate(vouchers):
            redeemed = await (till or self.till).redeem(voucher.code, 6_001 + 37 * place)
            done.append(redeemed.id)
        return done

    async def work(self) -> None:
        """The jobs count, a minute goes by, and the signals are computed until nothing is left."""
        await drain(self.kit, parts(build(self.kit)))
        self.clock.advance(minutes=2)
        while await build(self.kit).signals.scan():
            pass

    async def cases(self, **params: str) -> list[dict[str, Any]]:
        found = await self.staff.get("/risk/cases", campaign=self.campaign.slug, **params)
        assert found.status_code == 200, found.text
        return list(found.json()["items"])

    async def case(self) -> dict[str, Any]:
        (found,) = await self.cases()
        return found

    async def decide(self, case: dict[str, Any], decision: str, **more: str) -> httpx.Response:
        body = {"decision": decision, "note": "已现场核查", **more}
        return await self.staff.post(f"/risk/cases/{case['id']}/decide", body)
