"""Honghe: a morning of the campaign by a few hundred people, from the quiz to the till and back."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bench.scenarios.honghe_plan import wishes
from bench.scenarios.honghe_settlement import HongheSettlement
from bench.scenarios.story import Stage, Story
from bench.simulator.cashiers import Till, activated
from bench.simulator.citizens import AnswerKey, Citizen
from bench.simulator.clerks import Clerks
from bench.simulator.platform import Platform

_SEED = 20201101
_CITIZENS = 300
_PASS_SHARE = 0.6
_CONCURRENT = 16
# Two of three vouchers are used this morning, every fifth of them is reversed and half of those used again.
_USED_SHARE = 0.67
_REVERSED_EACH = 5
_BILLS_FEN = (3_280, 5_000, 8_850, 12_600)
# Longer than it takes an issued voucher's notice to be due; the clock only moves forward.
_AFTER_OPENING = timedelta(minutes=5)


@dataclass(slots=True)
class _Wallet:
    citizen: Citizen
    voucher: dict[str, Any]


@dataclass(slots=True)
class _Counts:
    """What the people of this story did, counted by themselves."""

    passed: int = 0
    won: int = 0
    redeemed: int = 0
    reversed: int = 0
    applied_fen: int = 0
    issued: Counter[str] = field(default_factory=Counter)
    # institution id → live write-offs
    institutions: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class HongheStory:
    platform: Platform
    clerks: Clerks
    definition: Mapping[str, Any]
    questions: Sequence[dict[str, Any]]
    directory: Sequence[dict[str, Any]]
    stage: Stage
    story: Story
    institution_ids: list[str] = field(default_factory=list)

    @property
    def slug(self) -> str:
        return str(self.definition["slug"])

    async def load(self) -> None:
        advance = self.stage("红河消费券活动 Honghe campaign", len(self.directory) + 1)
        await self.clerks.load_campaign(dict(self.definition), self.questions)
        advance(1)
        self.institution_ids = await self.clerks.load_institutions(self.slug, self.directory, advance)

    async def play(self) -> None:
        """Opens the phase by the clock and lets people take part, win, choose and use their vouchers."""
        opens = datetime.fromisoformat(self.definition["phases"][0]["opens_at"])
        await self.clerks.move_clock(opens + _AFTER_OPENING)
        counts = _Counts()
        wallets = await self._take_part(counts)
        tills = await self._open_tills({wallet.voucher["voucher_type"] for wallet in wallets})
        await self._use(wallets, tills, counts)
        await self._check(counts)
        settlement = HongheSettlement(self.platform, self.clerks, self.slug, self.stage, self.story)
        await settlement.play(
            opens.date().isoformat(),
            institutions=_nonzero(counts.institutions),
            applied_fen=counts.applied_fen,
        )

    async def _take_part(self, counts: _Counts) -> list[_Wallet]:
        key = AnswerKey(self.questions)
        types = [voucher_type["key"] for voucher_type in self.definition["voucher_types"]]
        even = dict.fromkeys(types, 1)
        advance = self.stage("答题 → 抽奖 → 领券 quiz → draw → claim", _CITIZENS)
        numbers = iter(range(1_000_000, 1_000_000 + _CITIZENS))
        wallets: list[_Wallet] = []

        async def worker() -> None:
            for number in numbers:
                rng = Random(f"{_SEED}/{number}")
                citizen = Citizen(self.platform, number)
                await citizen.sign_in()
                await citizen.bind_identity()
                should_pass = rng.random() < _PASS_SHARE
                await citizen.take_quiz(self.slug, key, should_pass=should_pass, rng=rng)
                counts.passed += should_pass
                drawn = await citizen.draw(self.slug) if should_pass else None
                if drawn is not None and drawn["won"]:
                    counts.won += 1
                    voucher = await citizen.claim(drawn["award"]["id"], wishes(rng, even, types))
                    counts.issued[voucher["voucher_type"]] += 1
                    wallets.append(_Wallet(citizen, voucher))
                advance(1)

        async with asyncio.TaskGroup() as group:
            for _ in range(_CONCURRENT):
                group.create_task(worker())
        return sorted(wallets, key=lambda wallet: wallet.citizen.number)

    async def _open_tills(self, types: set[str]) -> dict[str, Till]:
        """One activated terminal for each voucher type in use, at the first institution that accepts it."""
        advance = self.stage("开通终端 terminals", len(types))
        now = await self.clerks.clock()
        tills: dict[str, Till] = {}
        for voucher_type in sorted(types):
            place = next(i for i, entry in enumerate(self.directory) if voucher_type in entry["accepts"])
            code = await self.clerks.activation_code(self.institution_ids[place], "收银台 1")
            tills[voucher_type] = await activated(
                self.platform, code, device_id=f"demo-{voucher_type}", now=lambda: now
            )
            advance(1)
        return tills

    async def _use(self, wallets: Sequence[_Wallet], tills: Mapping[str, Till], counts: _Counts) -> None:
        rng = Random(_SEED)
        used = wallets[: round(len(wallets) * _USED_SHARE)]
        advance = self.stage("核销与冲正 write-off and reversal", len(used))
        for place, wallet in enumerate(used):
            till = tills[wallet.voucher["voucher_type"]]
            bill = rng.choice(_BILLS_FEN) if wallet.voucher["kind"] == "general" else None
            # Half show the QR, half read out the digits.
            shown = await wallet.citizen.token(wallet.voucher["id"]) if place % 2 else wallet.voucher["code"]
            asked = await till.verify(shown, bill)
            if not asked.redeemable:
                raise AssertionError(f"a fresh voucher is refused: {asked}")
            await self._redeem(till, shown, bill, counts)
            if place % _REVERSED_EACH == 0:
                await self._reverse_last(till, counts)
                if place % (2 * _REVERSED_EACH) == 0:
                    await self._redeem(till, wallet.voucher["code"], bill, counts)
            advance(1)

    @staticmethod
    async def _redeem(till: Till, shown: str, bill: int | None, counts: _Counts) -> None:
        done = await till.redeem(shown, bill)
        till.done.append(done)
        counts.redeemed += 1
        counts.applied_fen += done.applied_fen
        counts.institutions[till.institution_id] += 1

    @staticmethod
    async def _reverse_last(till: Till, counts: _Counts) -> None:
        last = till.done.pop()
        await till.reverse(last.request_no, "顾客取消 customer changed their mind")
        counts.redeemed -= 1
        counts.reversed += 1
        counts.applied_fen -= last.applied_fen
        counts.institutions[till.institution_id] -= 1

    async def _check(self, counts: _Counts) -> None:
        query = f"metrics?campaign={self.slug}"
        issuance = await self.platform.get(f"/issuance/v1/{query}", headers=self.clerks.first)
        redemption = await self.platform.get(f"/redemption/v1/{query}", headers=self.clerks.first)
        check = self.story.check
        check("quiz attempts", _CITIZENS, issuance["attempts"])
        check("passed", counts.passed, issuance["passed"])
        check("draws", counts.passed, issuance["draws"])
        check("wins", counts.won, issuance["wins"])
        check("vouchers issued by type", dict(counts.issued), _nonzero(issuance["issued_by_type"]))
        check("redeemed", counts.redeemed, redemption["redeemed"])
        check("reversed", counts.reversed, redemption["reversed"])
        check("applied (fen)", counts.applied_fen, redemption["applied_fen"])
        by_source = redemption["by_funding_source"]
        check("applied, summed over the payers (fen)", counts.applied_fen, sum(by_source.values()))
        by_institution = {
            item["institution_id"]: item["count"] for item in redemption["by_institution"] if item["count"]
        }
        check("write-offs by institution", _nonzero(counts.institutions), by_institution)


def _nonzero(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
