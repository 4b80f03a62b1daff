"""What a visitor of the demonstration is handed: an account of each role, a till, the big screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.simulator.clerks import Clerks
from bench.simulator.platform import Refused

_TAKEN = "username_taken"
_SCREEN_DAYS = 30


@dataclass(frozen=True, slots=True)
class HandOver:
    clerks: Clerks
    campaign: str
    programme: str

    async def make(self, *, username: str, password: str) -> list[tuple[str, str]]:
        """(what, how) for the closing table; the accounts have the administrator's known password.

        A demonstration that is started again keeps its accounts, and gets a new code and a new link.
        """
        shop = await self._busiest_shop()
        hospital = await self._first(f"/quota/v1/programmes/{self.programme}/hospitals")
        roles: Sequence[tuple[str, str, dict[str, str]]] = (
            ("operator", "经办", {}),
            ("auditor", "审计（只读）", {}),
            ("institution", "机构", {"institution_id": shop["id"]}),
            ("hospital", "医院", {"hospital_id": hospital["hospital_id"]}),
        )
        ways = [("admin 管理员", f"{username} / {password}")]
        for role, title, bound in roles:
            await self._account(role, password, bound)
            ways.append((f"{role} {title}", f"{role} / {password}"))
        code = await self.clerks.activation_code(shop["id"], "演示收银台 demo till")
        ways.append(("activation code for /pos 终端激活码", f"{code}（{shop['name']}）"))
        ways.append(("big screen 大屏", await self._screen()))
        return ways

    async def _busiest_shop(self) -> dict[str, Any]:
        """Takes general vouchers and has something to show: write-offs, a settlement."""
        figures = await self.clerks.platform.get(
            f"/redemption/v1/metrics?campaign={self.campaign}", headers=self.clerks.first
        )
        counts = {one["institution_id"]: one["count"] for one in figures["by_institution"]}
        listed = await self.clerks.platform.get(
            f"/redemption/v1/institutions?campaign={self.campaign}&voucher_type=general_50&limit=200"
        )
        return max(listed["items"], key=lambda shop: counts.get(shop["id"], 0))

    async def _first(self, path: str) -> dict[str, Any]:
        page = await self.clerks.platform.get(f"{path}?limit=1", headers=self.clerks.first)
        return dict(page["items"][0])

    async def _account(self, role: str, password: str, bound: dict[str, str]) -> None:
        person = {"username": role, "password": password, "roles": [role], **bound}
        try:
            await self.clerks.platform.post("/console/v1/staff", person, headers=self.clerks.first)
        except Refused as refused:
            if refused.code != _TAKEN:
                raise

    async def _screen(self) -> str:
        body = {"label": "演示大屏", "valid_days": _SCREEN_DAYS}
        made = await self.clerks.platform.post("/console/v1/screen-links", body, headers=self.clerks.first)
        return str(made.body["url"])
