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


async def test_what_was_used_first_comes_first_whatever_the_order_of_the_upload(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, staff: Bureau
) -> None:
    """Six at different minutes, one of them revoked: the four earliest sound ones, in every order."""
    institution = await staff.institution(campaign)
    for order in ((5, 4, 3, 2, 1, 0), (2, 5, 0, 3, 1, 4), (0, 1, 2, 3, 4, 5)):
        till = await staff.till(institution)
        vouchers = await held_vouchers(kit, campaign, "general_50", 6)
        await end(kit, vouchers[1], "revoked")
        opened = clock.now()
        clock.advance(minutes=10)
        sent = [
            OfflineItem(f"{number}-{secrets.token_hex(6)}", one.code, opened + timedelta(minutes=number), 100)
            for number, one in enumerate(vouchers)
        ]
        results = await upload(till, [sent[place] for place in order])
        outcomes = dict(zip(order, told(results), strict=True))
        assert [outcomes[number] for number in range(6)] == [
            "redeemed",
            "voucher_revoked",
            "redeemed",
            "redeemed",
            "redeemed",
            "offline_cap",
        ]
        again = await upload(till, sent)
        taken = ["duplicate", "refused", "duplicate", "duplicate", "duplicate", "refused"]
        assert [result.outcome for result in again] == taken


async def test_one_that_was_too_great_at_its_time_does_not_lose_its_place_to_a_later_one(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
) -> None:
    """The first is refused anyway: the second, for which it left no room, comes before the third."""
    vouchers = await held_vouchers(kit, campaign, "general_100", 3)
    await end(kit, vouchers[0], "revoked")
    opened = clock.now()
    clock.advance(minutes=10)
    bad, second, third = [
        OfflineItem(secrets.token_hex(8), one.code, opened + timedelta(minutes=minute), bill)
        for minute, (one, bill) in enumerate(zip(vouchers, (9_000, 10_000, 6_000), strict=True))
    ]
    assert told(await upload(till, [third, second, bad])) == ["offline_cap", "redeemed", "voucher_revoked"]


async def test_voucher_that_stands_twice_was_used_by_the_earlier_one(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
) -> None:
    (one,) = await held_vouchers(kit, campaign, "general_50", 1)
    clock.advance(minutes=10)
    later, earlier = [
        OfflineItem(secrets.token_hex(8), one.code, clock.now() - timedelta(minutes=minutes), 100)
        for minutes in (1, 5)
    ]
    results = await upload(till, [later, earlier])
    assert [result.outcome for result in results] == ["conflict", "redeemed"]
