"""Honghe, days later: the first week's write-offs are settled, mostly paid, and compared with a list."""

import asyncio
import csv
import io
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bench.scenarios.story import Stage, Story
from bench.simulator.clerks import Clerks, sign_in
from bench.simulator.crowd import at_once
from bench.simulator.platform import Platform

_POLL_SECONDS = 0.2
_JOB_POLLS_MAX = 300
_CONCURRENT = 6
# The largest are paid; of the others one is confirmed, one disputed, and nobody has looked at the rest.
_PAID_MAX = 8
_UNPAID = ("confirmed", "disputed")
_ACCOUNTS = 3
_API = "/redemption/v1"


@dataclass(frozen=True, slots=True)
class HongheSettlement:
    platform: Platform
    clerks: Clerks
    campaign: str
    stage: Stage
    story: Story

    async def play(
        self, first: date, last: date, *, institutions: Mapping[str, int], applied_fen: Mapping[str, int]
    ) -> None:
        """Settles those days; `institutions` are their live write-offs, `applied_fen` what they came to."""
        advance = self.stage("结算 settlement", len(institutions) + 2)
        result = await self._settle(first, last)
        advance(1)
        settlements = sorted(await self._listed(), key=lambda one: -one["amount_fen"])
        await self._accounts(settlements[:_ACCOUNTS])
        fates = self._fates(len(settlements))
        paid = [one for one, fate in zip(settlements, fates, strict=True) if fate == "paid"]

        async def end(pair: tuple[dict[str, Any], str]) -> None:
            await self._end(*pair)
            advance(1)

        await at_once(zip(settlements, fates, strict=True), end, concurrent=_CONCURRENT)
        check = self.story.check
        check("settled write-offs", sum(institutions.values()), result["count"])
        check(
            "settled by institution",
            dict(institutions),
            {one["institution_id"]: one["count"] for one in settlements},
        )
        check("settled, summed over the payers (fen)", sum(applied_fen.values()), _summed(settlements))
        listed = await self._listed()
        check(
            "paid (fen)",
            sum(applied_fen[one["institution_id"]] for one in paid),
            sum(one["amount_fen"] for one in listed if one["status"] == "paid"),
        )
        busiest = max(paid, key=lambda one: one["count"])
        await self._reconcile(busiest, first, last)
        await self._correct(busiest)
        await self._print(busiest)
        advance(1)

    @staticmethod
    def _fates(count: int) -> list[str]:
        """At least one is paid, however few there are."""
        paid = max(1, min(_PAID_MAX, count - len(_UNPAID) - 1))
        return [*["paid"] * paid, *_UNPAID, *["draft"] * count][:count]

    async def _end(self, settlement: Mapping[str, Any], fate: str) -> None:
        if fate == "draft":
            return
        own = await self._person_of(settlement["institution_id"])
        path = f"{_API}/settlements/{settlement['id']}"
        if fate == "disputed":
            note = {"note": "（演示）我机构账上多一笔，请核对 11 月 3 日的核销"}
            await self.platform.post(f"{path}/dispute", note, headers=own)
            return
        await self.platform.post(f"{path}/confirm", {}, headers=own)
        pay = f"settlements/{settlement['id']}/pay"
        if fate == "paid":
            await self.clerks.approved("redemption", pay, {})
        else:
            await self.clerks.proposed("redemption", pay, {"reason": "（演示）请财务复核后付款"})

    async def _settle(self, first: date, last: date) -> dict[str, Any]:
        body = {"campaign": self.campaign, "from": first.isoformat(), "to": last.isoformat()}
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

    async def _accounts(self, settlements: Sequence[Mapping[str, Any]]) -> None:
        """Where institutions are paid: the last of these accounts still waits for a second person."""
        for number, one in enumerate(settlements):
            path = f"institutions/{one['institution_id']}/payee-accounts"
            body = {
                "account_name": f"示例机构{number + 1}（演示）",
                "bank_name": "示例银行红河支行（演示）",
                "account_number": f"62220000000000{number + 1:04d}",
                "reason": "（演示）开户许可证已核对",
            }
            propose = self.clerks.proposed if number == _ACCOUNTS - 1 else self.clerks.approved
            await propose("redemption", path, body)

    async def _person_of(self, institution_id: str) -> dict[str, str]:
        """A person of the institution signs in."""
        username, password = f"ins-{secrets.token_hex(4)}", f"Zx9-{secrets.token_urlsafe(16)}"
        person = {
            "username": username,
            "password": password,
            "roles": ["institution"],
            "institution_id": institution_id,
        }
        await self.platform.post("/console/v1/staff", person, headers=self.clerks.first)
        return await sign_in(self.platform, username, password)

    async def _reconcile(self, settlement: Mapping[str, Any], first: date, last: date) -> None:
        """The institution's own list: one amount is another, and one line nobody here knows."""
        listed = await self.platform.get(
            f"{_API}/write-offs?campaign={self.campaign}&institution_id={settlement['institution_id']}"
            f"&from={first}&to={last}&status=redeemed&limit=200",
            headers=self.clerks.first,
        )
        rows = [[one["request_no"], f"{one['applied_fen'] / 100:.2f}"] for one in listed["items"]]
        rows[0][1] = "1.00"
        rows.append(["DEMO-UNKNOWN-1", "50.00"])
        text = io.StringIO()
        csv.writer(text).writerows([["请求号", "抵扣金额（元）"], *rows])
        compared = await self.platform.upload(
            f"{_API}/reconciliations",
            name="institution.csv",
            content=text.getvalue().encode("utf-8-sig"),
            headers=self.clerks.first,
            fields={
                "institution_id": str(settlement["institution_id"]),
                "from": first.isoformat(),
                "to": last.isoformat(),
            },
        )
        counts = compared.body["counts"]
        self.story.check(
            "reconciliation: agree, differ, only theirs",
            (len(rows) - 2, 1, 1),
            (counts["matched"], counts["different"], counts["only_theirs"]),
        )

    async def _correct(self, settlement: Mapping[str, Any]) -> None:
        """A settled write-off that was wrong; taking it back waits for a second person."""
        items = await self.platform.get(
            f"{_API}/settlements/{settlement['id']}/items?limit=1", headers=self.clerks.first
        )
        path = f"redemptions/{items['items'][0]['redemption_id']}/corrections"
        await self.clerks.proposed("redemption", path, {"reason": "（演示）机构核对后发现重复核销"})

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
