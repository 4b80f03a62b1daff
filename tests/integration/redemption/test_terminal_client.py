"""The client for POS vendors on a bad line: what it says happened once, what it gives up can be undone."""

import random
from collections import Counter
from datetime import timedelta

import httpx
import pytest
from typing_extensions import override

from shared.clients.terminal import OutcomeUnknown, Refused, TerminalClient
from shared.clock import ManualClock, local_day
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.tills import Bureau
from tests.support.vouchers import held_voucher, held_vouchers


class BadLine(httpx.AsyncBaseTransport):
    """Loses requests and answers, and sends some twice; `plan` says what happens to the next ones."""

    def __init__(self, through: httpx.AsyncBaseTransport) -> None:
        self._through = through
        self.plan: list[str] = []
        self.sent: Counter[str] = Counter()

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fate = self.plan.pop(0) if self.plan else "good"
        self.sent[fate] += 1
        if fate == "lost":
            raise httpx.ConnectError("the request never arrived")
        if fate == "busy":
            return httpx.Response(503, json={"code": "busy"}, headers={"Retry-After": "1"})
        if fate == "twice":
            await self._deliver(request)
        response = await self._deliver(request)
        if fate == "unanswered":
            raise httpx.ReadTimeout("the answer got lost")
        return response

    async def _deliver(self, request: httpx.Request) -> httpx.Response:
        response = await self._through.handle_async_request(request)
        await response.aread()
        return response


@pytest.fixture(scope="module")
async def institution(staff: Bureau, campaign: CampaignRef) -> str:
    return await staff.institution(campaign)


async def on_a_bad_line(staff: Bureau, institution: str, line: BadLine, clock: ManualClock) -> TerminalClient:
    good = await staff.till(institution)
    return TerminalClient(
        httpx.AsyncClient(transport=line, base_url="http://hv.test"),
        terminal_id=good.terminal_id,
        terminal_key=good.terminal_key,
        institution_id=institution,
        now=clock.now,
        attempts_max=3,
        pause_seconds=0,
    )


@pytest.fixture
async def line(http: httpx.AsyncClient) -> BadLine:
    return BadLine(http._transport)


@pytest.fixture
async def till(staff: Bureau, institution: str, line: BadLine, clock: ManualClock) -> TerminalClient:
    return await on_a_bad_line(staff, institution, line, clock)


@pytest.mark.parametrize(
    "plan",
    [
        ["unanswered"],
        ["lost", "lost"],
        ["unanswered", "unanswered"],
        ["twice"],
        ["busy", "unanswered"],
        ["lost", "busy"],
    ],
    ids=str,
)
async def test_write_off_happens_once(
    kit: Kit, campaign: CampaignRef, till: TerminalClient, line: BadLine, plan: list[str]
) -> None:
    voucher = await held_voucher(kit, campaign)
    line.plan = plan
    done = await till.redeem(voucher.code, 900)
    assert done.applied_fen == 900
    found = await till.find(done.request_no)
    assert found is not None
    assert (found.id, found.status) == (done.id, "redeemed")


async def test_what_stays_unknown_can_be_asked_for(
    kit: Kit, campaign: CampaignRef, till: TerminalClient, line: BadLine
) -> None:
    arrived, never = await held_vouchers(kit, campaign, "fitness", 2)
    for voucher, fate, known in ((arrived, "unanswered", True), (never, "lost", False)):
        line.plan = [fate] * 3
        with pytest.raises(OutcomeUnknown) as unknown:
            await till.redeem(voucher.code, request_no=f"unknown-{fate}")
        assert unknown.value.request_no == f"unknown-{fate}"
        assert (await till.find(f"unknown-{fate}") is not None) is known
        undone = await till.reverse(f"unknown-{fate}", "没有应答")
        assert undone.status == ("reversed" if known else "blocked")
        assert (await till.verify(voucher.code)).redeemable


async def test_clock_that_is_off_is_corrected(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    good = await staff.till(institution)
    till = TerminalClient(
        staff.http,
        terminal_id=good.terminal_id,
        terminal_key=good.terminal_key,
        institution_id=institution,
        now=lambda: clock.now() - timedelta(days=3),
        pause_seconds=0,
    )
    voucher = await held_voucher(kit, campaign)
    assert (await till.redeem(voucher.code, 100)).status == "redeemed"
    assert abs(till.offset - timedelta(days=3)) < timedelta(seconds=2)


async def test_refusal_is_not_sent_again(till: TerminalClient, line: BadLine) -> None:
    with pytest.raises(Refused) as refused:
        await till.redeem("no code", 100)
    assert (refused.value.status, refused.value.code) == (404, "voucher_not_found")
    assert "未找到" in refused.value.detail
    assert line.sent.total() == 1


async def test_a_day_on_a_bad_line_ends_in_agreement(
    kit: Kit, campaign: CampaignRef, till: TerminalClient, line: BadLine, clock: ManualClock
) -> None:
    """Whatever got lost: each voucher is either written off for the till, or free."""
    dice = random.Random(20201101)
    vouchers = await held_vouchers(kit, campaign, "fitness", 80)
    believed = []
    for number, voucher in enumerate(vouchers):
        line.plan = dice.choices(["good", "lost", "unanswered", "twice", "busy"], k=6)
        try:
            believed.append((voucher, await till.redeem(voucher.code, request_no=f"day-{number}")))
        except OutcomeUnknown:
            line.plan = []
            await till.reverse(f"day-{number}", "没有应答")
            assert (await till.verify(voucher.code)).redeemable
    line.plan = []
    assert 0 < len(believed) < 80
    for voucher, _ in believed:
        assert (await till.verify(voucher.code)).reason == "already_redeemed"
    total = sum(done.applied_fen for _, done in believed)
    day = local_day(clock.now(), campaign.timezone)
    closed = await till.close_day(day, count=len(believed), applied_fen=total)
    assert closed.matched
