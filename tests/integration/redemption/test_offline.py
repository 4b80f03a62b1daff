"""What a till did without a line is taken in item by item, once, and its day can be compared."""

import secrets
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.clients.terminal import OfflineItem, Refused, TerminalClient
from shared.clock import ManualClock
from shared.ids import HotId
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.tills import Bureau, signed
from tests.support.vouchers import end, held_voucher, held_vouchers


@pytest.fixture(scope="module")
async def institution(staff: Bureau, campaign: CampaignRef) -> str:
    return await staff.institution(campaign, accepts=("checkup", "general_50"))


@pytest.fixture(scope="module")
async def till(staff: Bureau, institution: str) -> TerminalClient:
    return await staff.till(institution)


def number() -> str:
    return secrets.token_hex(8)


async def cases(kit: Kit, reference: str) -> list[dict[str, Any]]:
    async with kit.database.snapshot() as tx:
        found = await tx.execute(
            text("SELECT * FROM redemption.risk_case WHERE reference LIKE :reference"),
            {"reference": f"%/{reference}"},
        )
        return [dict(row) for row in found.mappings()]


async def test_an_upload_that_meets_the_revocation_of_its_terminal_is_refused_whole_and_can_come_again(
    kit: Kit, campaign: CampaignRef, till: TerminalClient
) -> None:
    """The signature was checked with keys that this process still remembers."""
    voucher, batch_no = await held_voucher(kit, campaign, "checkup"), number()
    items = [OfflineItem(number(), voucher.code, kit.clock.now())]
    await till.find(number())
    key = await _with_key(kit, till, None)
    with pytest.raises(Refused) as refused:
        await till.upload(batch_no, items)
    assert (refused.value.status, refused.value.code) == (401, "bad_signature")
    await _with_key(kit, till, key)
    assert [result.outcome for result in (await till.upload(batch_no, items)).results] == ["redeemed"]


async def _with_key(kit: Kit, till: TerminalClient, sealed: bytes | None) -> bytes:
    """Revokes the terminal (no key) or makes it what it was; returns the key that it had."""
    async with kit.database.transaction() as tx:
        had = await tx.execute(
            text("SELECT key_sealed FROM redemption.terminal WHERE id = :id"), {"id": till.terminal_id}
        )
        await tx.execute(
            text("UPDATE redemption.terminal SET status = :status, key_sealed = :sealed WHERE id = :id"),
            {"status": "active" if sealed else "revoked", "sealed": sealed, "id": till.terminal_id},
        )
        return bytes(had.scalar_one() or b"")


async def test_one_bad_item_harms_no_other(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient, staff: Bureau
) -> None:
    good, general, elsewhere, revoked, late, fitness = [
        await held_voucher(kit, campaign, kind)
        for kind in ("checkup", "general_50", "checkup", "checkup", "checkup", "fitness")
    ]
    other = await staff.till(await staff.institution(campaign))
    taken = await other.redeem(elsewhere.code)
    await end(kit, revoked, "revoked")
    clock.advance(days=4)
    now = clock.now()
    hour_ago = now - timedelta(hours=1)
    items = [
        OfflineItem(number(), good.code, hour_ago),
        OfflineItem(number(), "not a code", hour_ago),
        OfflineItem(number(), fitness.code, hour_ago),
        OfflineItem(number(), general.code, hour_ago),
        OfflineItem(conflicting := number(), elsewhere.code, hour_ago),
        OfflineItem(number(), revoked.code, hour_ago),
        OfflineItem(number(), late.code, now - timedelta(hours=73)),
        OfflineItem(number(), late.code, now + timedelta(hours=1)),
        OfflineItem("bad number!", late.code, hour_ago),
        OfflineItem(number(), general.code, hour_ago, bill_fen=-5),
        OfflineItem(number(), general.code, hour_ago, bill_fen=7_000),
    ]
    batch_no = number()
    done = await till.upload(batch_no, items)
    assert done.batch_no == batch_no
    assert [result.request_no for result in done.results] == [item.request_no for item in items]
    assert [(result.outcome, result.reason) for result in done.results] == [
        ("redeemed", None),
        ("refused", "voucher_not_found"),
        ("refused", "institution_not_eligible"),
        ("refused", "bill_fen_required"),
        ("conflict", "already_redeemed"),
        ("refused", "voucher_revoked"),
        ("refused", "too_late"),
        ("refused", "used_at_in_future"),
        ("refused", "invalid_request"),
        ("refused", "invalid_request"),
        ("redeemed", None),
    ]
    assert [result.redemption_id is not None for result in done.results] == [
        result.outcome == "redeemed" for result in done.results
    ]
    found = await till.find(items[0].request_no)
    assert found is not None
    assert (found.id, found.redeemed_at) == (done.results[0].redemption_id, hour_ago)
    (case,) = await cases(kit, conflicting)
    assert (case["kind"], case["status"], case["terminal_id"]) == (
        "offline_conflict",
        "open",
        till.terminal_id,
    )
    assert case["evidence"]["voucher_id"] == str(HotId(elsewhere.bucket, elsewhere.id))
    assert case["evidence"]["used_by"]["redemption_id"] == taken.id
    assert case["evidence"]["used_by"]["institution_id"] == other.institution_id


async def test_same_batch_is_answered_again(
    kit: Kit, campaign: CampaignRef, till: TerminalClient, http: httpx.AsyncClient
) -> None:
    voucher = await held_voucher(kit, campaign, "checkup")
    item = {"request_no": number(), "voucher": voucher.code, "used_at": kit.clock.now().isoformat()}
    body = {"batch_no": number(), "items": [item]}
    first = await signed(till, http, "POST", "/batches", body, kit=kit)
    again = await signed(till, http, "POST", "/batches", body, kit=kit)
    assert (first.status_code, again.status_code) == (200, 200)
    assert "Idempotent-Replay" not in first.headers
    assert again.headers["Idempotent-Replay"] == "true"
    assert first.json() == again.json()
    assert again.json()["results"][0]["outcome"] == "redeemed"
    other = {**body, "items": [{**item, "voucher": "x"}]}
    refused = await signed(till, http, "POST", "/batches", other, kit=kit)
    assert (refused.status_code, refused.json()["code"]) == (409, "request_no_reused")


async def test_known_numbers(kit: Kit, campaign: CampaignRef, till: TerminalClient) -> None:
    now = kit.clock.now()
    online, offline, other = await held_vouchers(kit, campaign, "checkup", 3)
    first = await till.redeem(online.code)
    uploaded = await till.upload(number(), [OfflineItem(kept := number(), offline.code, now)])
    items = [
        OfflineItem(first.request_no, online.code, now),
        OfflineItem(kept, offline.code, now),
        OfflineItem(kept, offline.code, now - timedelta(minutes=1)),
        OfflineItem(first.request_no, other.code, now),
    ]
    done = await till.upload(number(), items)
    assert [(result.outcome, result.reason, result.redemption_id) for result in done.results] == [
        ("duplicate", None, first.id),
        ("duplicate", None, uploaded.results[0].redemption_id),
        ("refused", "request_no_reused", None),
        ("refused", "request_no_reused", None),
    ]


async def test_number_that_stands_twice_in_an_upload(
    kit: Kit, campaign: CampaignRef, till: TerminalClient
) -> None:
    voucher, other = await held_vouchers(kit, campaign, "checkup", 2)
    now, no = kit.clock.now(), number()
    items = [
        OfflineItem(no, voucher.code, now),
        OfflineItem(no, voucher.code, now),
        OfflineItem(no, other.code, now),
    ]
    done = await till.upload(number(), items)
    assert [(result.outcome, result.reason) for result in done.results] == [
        ("redeemed", None),
        ("duplicate", None),
        ("refused", "request_no_reused"),
    ]
    assert done.results[0].redemption_id == done.results[1].redemption_id


async def test_voucher_that_stands_twice_in_an_upload(
    kit: Kit, campaign: CampaignRef, till: TerminalClient
) -> None:
    voucher, now = await held_voucher(kit, campaign, "checkup"), kit.clock.now()
    items = [OfflineItem(number(), voucher.code, now) for _ in range(3)]
    done = await till.upload(number(), items)
    assert sorted(result.outcome for result in done.results) == ["conflict", "conflict", "redeemed"]


async def test_reported_conflict_opens_one_case(
    kit: Kit, campaign: CampaignRef, till: TerminalClient
) -> None:
    voucher = await held_voucher(kit, campaign, "checkup")
    await till.redeem(voucher.code)
    item = OfflineItem(number(), voucher.code, kit.clock.now())
    for _ in range(2):
        done = await till.upload(number(), [item])
        assert done.results[0].outcome == "conflict"
    assert len(await cases(kit, item.request_no)) == 1


async def test_original_that_was_reversed_before_it_arrived(
    kit: Kit, campaign: CampaignRef, till: TerminalClient
) -> None:
    voucher, no = await held_voucher(kit, campaign, "checkup"), number()
    await till.reverse(no, "x")
    done = await till.upload(number(), [OfflineItem(no, voucher.code, kit.clock.now())])
    assert (done.results[0].outcome, done.results[0].reason) == ("refused", "reversed_before_arrival")


async def test_voucher_that_expired_since_it_was_used(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
) -> None:
    voucher = await held_voucher(kit, campaign, "checkup")
    clock.advance(days=59, hours=23)
    used_at = clock.now()
    clock.advance(hours=70)
    done = await till.upload(number(), [OfflineItem(number(), voucher.code, used_at)])
    assert done.results[0].outcome == "redeemed"


async def test_paused_terminal_is_refused_item_by_item(
    kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    till = await staff.till(institution)
    voucher = await held_voucher(kit, campaign, "checkup")
    await staff.post(f"/terminals/{till.terminal_id}/pause", {"reason": "x"})
    done = await till.upload(number(), [OfflineItem(number(), voucher.code, kit.clock.now())])
    assert (done.results[0].outcome, done.results[0].reason) == ("refused", "terminal_paused")


async def test_five_hundred_items_at_once(kit: Kit, campaign: CampaignRef, till: TerminalClient) -> None:
    now = kit.clock.now()
    vouchers = await held_vouchers(kit, campaign, "checkup", 500)
    done = await till.upload(number(), [OfflineItem(number(), one.code, now) for one in vouchers])
    assert {result.outcome for result in done.results} == {"redeemed"}


@pytest.mark.parametrize(
    "bend",
    [
        {"batch_no": "bad number!"},
        {"batch_no": None},
        {"items": []},
        {"items": [{"request_no": "r", "voucher": "x", "used_at": "2020-10-31T09:00:00+08:00"}] * 501},
        {"items": [{"request_no": "r", "voucher": "x"}]},
        {"items": [{"request_no": "r", "voucher": "x", "used_at": "2020-10-31T09:00:00"}]},
        {"items": [{"request_no": 1, "voucher": "x", "used_at": "2020-10-31T09:00:00+08:00"}]},
        {"items": [{"request_no": "r", "voucher": "x", "used_at": "2020-10-31T09:00:00+08:00", "x": 1}]},
        {"surprise": 1},
    ],
    ids=range(9),
)
async def test_malformed_upload(
    kit: Kit, till: TerminalClient, http: httpx.AsyncClient, bend: dict[str, Any]
) -> None:
    item = {"request_no": "r", "voucher": "x", "used_at": "2020-10-31T09:00:00+08:00"}
    body = {"batch_no": number(), "items": [item], **bend}
    answer = await signed(till, http, "POST", "/batches", body, kit=kit)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["loc"].startswith("body")


class TestDayClose:
    async def test_live_write_offs_of_the_day_count(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, staff: Bureau, institution: str
    ) -> None:
        till, other = await staff.till(institution), await staff.till(institution)
        # 20:00 in China: two hours later it is another day there, while it is the same one in UTC.
        clock.set(datetime.fromisoformat("2021-03-01T20:00:00+08:00"))
        codes = [one.code for one in await held_vouchers(kit, campaign, "general_50", 5)]
        kept = await till.redeem(codes[0], 3_000)
        undone = await till.redeem(codes[1], 4_000)
        await till.reverse(undone.request_no, "x")
        await other.redeem(codes[2], 5_000)
        clock.advance(hours=5)
        next_day = await till.redeem(codes[3], 1_000)
        late = await till.redeem(codes[4], 2_000, used_at=clock.now() - timedelta(hours=4, minutes=30))

        matched = await till.close_day(date(2021, 3, 1), count=2, applied_fen=5_000)
        assert (matched.matched, matched.server.count, matched.server.applied_fen) == (True, 2, 5_000)
        assert matched.items is None
        differs = await till.close_day(date(2021, 3, 1), count=2, applied_fen=9_000)
        assert not differs.matched
        assert differs.items is not None
        assert [(line.id, line.request_no, line.applied_fen) for line in differs.items] == [
            (kept.id, kept.request_no, 3_000),
            (late.id, late.request_no, 2_000),
        ]
        following = await till.close_day(date(2021, 3, 2), count=0, applied_fen=0)
        assert following.items is not None
        assert [line.id for line in following.items] == [next_day.id]
        nothing = await till.close_day(date(2021, 3, 3), count=0, applied_fen=0)
        assert nothing.matched

    @pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2021-02-30", "yesterday", 7, None])
    async def test_malformed_day(
        self, kit: Kit, till: TerminalClient, http: httpx.AsyncClient, day: object
    ) -> None:
        body = {"date": day, "count": 0, "applied_fen": 0}
        answer = await signed(till, http, "POST", "/terminals/day-close", body, kit=kit)
        assert answer.status_code == 422
