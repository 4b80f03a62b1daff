"""A long story of write-offs, reversals, runs, corrections and payments in random order: nothing is lost."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.clients.terminal import Redemption, Refused, TerminalClient
from shared.clock import ManualClock, local_day
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.settlements import Books, books
from tests.support.tills import Bureau
from tests.support.vouchers import HeldVoucher, held_vouchers, published

CONCERNED = {check.name for check in sql_checks() if check.file.startswith(("core_", "redemption_"))}
STEPS = 60
BILLS = (101, 3_333, 4_999, 20_000)


@dataclass(slots=True)
class Model:
    """What must be true, kept by hand: each write-off is free, settled or corrected."""

    free: list[Redemption] = field(default_factory=list)
    settled: list[Redemption] = field(default_factory=list)
    waiting: list[Redemption] = field(default_factory=list)
    total_fen: int = 0
    paid_fen: int = 0


@dataclass(slots=True)
class Story:
    desk: Books
    campaign: CampaignRef
    clock: ManualClock
    tills: list[TerminalClient]
    vouchers: list[HeldVoucher]
    rng: random.Random
    model: Model = field(default_factory=Model)

    async def redeem(self) -> None:
        till = self.rng.choice(self.tills)
        voucher = self.vouchers.pop()
        bill = self.rng.choice(BILLS) if voucher.voucher_type == "general_50" else None
        self.model.free.append(await till.redeem(voucher.code, bill))

    async def reverse(self) -> None:
        """Free ones can be reversed, settled ones never."""
        done = self.rng.choice([*self.model.free, *self.model.settled])
        for till in self.tills:
            found = await till.find(done.request_no)
            if found is None:
                continue
            if done in self.model.free:
                await till.reverse(done.request_no, "x")
                self.model.free.remove(done)
            else:
                with pytest.raises(Refused, match="already_settled"):
                    await till.reverse(done.request_no, "x")
            return

    async def settle(self) -> None:
        day = local_day(self.clock.now(), "Asia/Shanghai").isoformat()
        result = await self.desk.settle(self.campaign, day, day)
        amount = sum(one.applied_fen for one in self.model.free)
        amount -= sum(one.applied_fen for one in self.model.waiting)
        assert (result["count"], result["corrections"], result["amount_fen"]) == (
            len(self.model.free),
            len(self.model.waiting),
            amount,
        )
        self.model.total_fen += amount
        self.model.settled += self.model.free
        self.model.free, self.model.waiting = [], []

    async def correct(self) -> None:
        if not self.model.settled:
            return
        done = self.model.settled.pop(self.rng.randrange(len(self.model.settled)))
        await self.desk.correct(done.id)
        self.model.waiting.append(done)

    async def pay(self) -> None:
        drafts = await self.all("draft")
        if not drafts:
            return
        # The oldest first, as whoever takes back must wait for what was paid.
        one = drafts[-1]
        await self.desk.pay(one)
        self.model.paid_fen += one["amount_fen"]

    async def next_day(self) -> None:
        """The day before is covered by a run of its own first."""
        await self.settle()
        self.clock.advance(days=1)

    async def all(self, status: str) -> list[dict[str, Any]]:
        found = await self.desk.bureau.get(
            "/settlements", campaign=self.campaign.slug, status=status, limit="200"
        )
        return list(found.json()["items"])


@pytest.mark.parametrize("seed", [1])
async def test_money_is_conserved_over_a_long_story(
    kit: Kit, clock: ManualClock, staff: Bureau, seed: int
) -> None:
    campaign = await published(kit, f"story-{seed}")
    rng = random.Random(seed)
    tills = [await staff.till(await staff.institution(campaign)) for _ in range(3)]
    vouchers = [
        *await held_vouchers(kit, campaign, "general_50", 60),
        *await held_vouchers(kit, campaign, "fitness", 60),
    ]
    rng.shuffle(vouchers)
    story = Story(await books(kit, staff), campaign, clock, tills, vouchers, rng)
    steps: list[Callable[[], Awaitable[None]]] = [story.redeem] * 6
    steps += [story.reverse, story.settle, story.correct, story.correct, story.pay, story.pay, story.next_day]
    await story.redeem()
    for _ in range(STEPS):
        step = rng.choice(steps)
        if step == story.reverse and not (story.model.free or story.model.settled):
            continue
        await step()

    model = story.model
    paid = sum(one["amount_fen"] for one in await story.all("paid"))
    draft = sum(one["amount_fen"] for one in await story.all("draft"))
    assert paid == model.paid_fen
    assert draft + paid == model.total_fen
    settled_fen = sum(one.applied_fen for one in model.settled) + sum(
        one.applied_fen for one in model.waiting
    )
    assert model.total_fen == settled_fen, f"seed {seed}"
    report = await recompute(kit)
    assert [check for check in report.checks if not check.ok and check.name in CONCERNED] == []
