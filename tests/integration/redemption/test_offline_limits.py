"""A terminal uploads no more of one day than its campaign allows; what does not fit is refused by itself."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from shared.clients.terminal import OfflineItem, OfflineResult, TerminalClient
from shared.clock import ManualClock
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef, TillRules
from tests.support.tills import Bureau
from tests.support.vouchers import end, held_vouchers, published


@pytest.fixture(scope="module")
async def campaign(kit: Kit) -> CampaignRef:
    rules = TillRules(offline_count_per_day=4, offline_fen_per_day=15_000)
    return await published(kit, "honghe-offline", tills=rules)


@pytest.fixture
async def till(staff: Bureau, campaign: CampaignRef) -> TerminalClient:
    return await staff.till(await staff.institution(campaign))


async def items(
    kit: Kit,
    campaign: CampaignRef,
    count: int,
    at: datetime,
    *,
    kind: str = "general_50",
    bill_fen: int = 100,
) -> list[OfflineItem]:
    vouchers = await held_vouchers(kit, campaign, kind, count)
    return [OfflineItem(secrets.token_hex(8), one.code, at, bill_fen) for one in vouchers]


async def upload(till: TerminalClient, sent: Sequence[OfflineItem]) -> list[OfflineResult]:
    return (await till.upload(secrets.token_hex(8), sent)).results


def told(results: Sequence[OfflineResult]) -> list[str]:
    return [result.reason or result.outcome for result in results]


async def test_count_of_a_day(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
) -> None:
    now = clock.now()
    sent = await items(kit, campaign, 6, now)
    assert told(await upload(till, sent)) == ["redeemed"] * 4 + ["offline_cap"] * 2
    # Sent again, what was taken is a repetition and the rest still does not fit.
    assert told(await upload(till, sent)) == ["duplicate"] * 4 + ["offline_cap"] * 2
    # What is undone makes room again.
    await till.reverse(sent[0].request_no, "x")
    assert told(await upload(till, sent[4:])) == ["redeemed", "offline_cap"]
    # Another day has a limit of its own, and online nothing is limited.
    clock.advance(days=1)
    assert told(await upload(till, await items(kit, campaign, 1, clock.now()))) == ["redeemed"]
    (one,) = await held_vouchers(kit, campaign, "general_50")
    assert (await till.redeem(one.code, 100)).status == "redeemed"


async def test_amount_of_a_day_is_what_is_applied(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
) -> None:
    now = clock.now()
    sent = [
        *await items(kit, campaign, 1, now, kind="general_100", bill_fen=50_000),
        *await items(kit, campaign, 1, now, bill_fen=5_001),
        *await items(kit, campaign, 1, now, bill_fen=1),
    ]
    assert told(await upload(till, sent)) == ["redeemed", "redeemed", "offline_cap"]


async def test_what_is_refused_anyway_takes_no_room(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
) -> None:
    now = clock.now()
    bad = await held_vouchers(kit, campaign, "general_50", 3)
    for one in bad:
        await end(kit, one, "revoked")
    sent = [
        *[OfflineItem(secrets.token_hex(8), one.code, now, 100) for one in bad],
        OfflineItem(secrets.token_hex(8), "no code", now, 100),
        *await items(kit, campaign, 5, now),
        *await items(kit, campaign, 1, now - timedelta(hours=80)),
    ]
    assert told(await upload(till, sent)) == [
        *["voucher_revoked"] * 3,
        "voucher_not_found",
        *["redeemed"] * 4,
        "offline_cap",
        "too_late",
    ]


async def test_limits_are_of_each_terminal(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient, staff: Bureau
) -> None:
    now = clock.now()
    other = await staff.till(till.institution_id)
    for one in (till, other):
        sent = await items(kit, campaign, 4, now)
        assert told(await upload(one, sent)) == ["redeemed"] * 4
