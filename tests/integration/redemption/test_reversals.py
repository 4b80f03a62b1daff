"""A write-off is undone by its number, once, also when nobody knows whether it arrived."""

import secrets
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.clients.terminal import Refused, TerminalClient
from shared.clock import ManualClock
from shared.ids import new_id, parse_hot_id
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.tills import Bureau, signed
from tests.support.vouchers import held_voucher


@dataclass(frozen=True, slots=True)
class Shop:
    """An institution with two tills, and the money that its write-offs moved."""

    kit: Kit
    campaign: CampaignRef
    staff: Bureau
    institution: str
    till: TerminalClient
    other: TerminalClient

    async def voucher(self, voucher_type: str = "general_50") -> str:
        return (await held_voucher(self.kit, self.campaign, voucher_type)).code

    async def balance(self, account: str) -> list[int]:
        """Per payer, of the whole campaign."""
        statement = text("""
            SELECT coalesce(core.amounts_sum(CASE WHEN credit = :account THEN amounts_fen
                ELSE ARRAY(SELECT -x FROM unnest(amounts_fen) WITH ORDINALITY AS u (x, i) ORDER BY i) END),
                ARRAY[0, 0, 0, 0])
            FROM core.ledger_transfer
            WHERE campaign_id = :campaign AND :account IN (debit, credit)
        """)
        values = {"campaign": self.campaign.id, "account": account}
        async with self.kit.database.snapshot() as tx:
            return list((await tx.execute(statement, values)).scalar_one())

    async def rows(self, statement: str, **values: object) -> list[dict[str, Any]]:
        async with self.kit.database.snapshot() as tx:
            return [dict(row) for row in (await tx.execute(text(statement), values)).mappings()]


@pytest.fixture(scope="module")
async def shop(kit: Kit, campaign: CampaignRef, staff: Bureau) -> Shop:
    institution = await staff.institution(campaign)
    tills = [await staff.till(institution) for _ in range(2)]
    return Shop(kit, campaign, staff, institution, *tills)


async def refusal(till: TerminalClient, original: str, **more: Any) -> str:  # noqa: ANN401 - passed on
    with pytest.raises(Refused) as refused:
        await till.reverse(original, "x", **more)
    assert refused.value.status == 409
    return refused.value.code


@pytest.mark.parametrize(
    ("voucher_type", "bill"), [("general_50", 1_234), ("general_50", 9_999), ("checkup", None)]
)
async def test_reversed_voucher_can_be_redeemed_again_and_the_money_comes_back(
    shop: Shop, voucher_type: str, bill: int | None
) -> None:
    code = await shop.voucher(voucher_type)
    accounts = ("available", "committed", "payable")
    before = [await shop.balance(account) for account in accounts]
    done = await shop.till.redeem(code, bill)
    assert [await shop.balance(account) for account in accounts] != before
    undone = await shop.till.reverse(done.request_no, "顾客取消")
    assert (undone.status, undone.redemption_id) == ("reversed", done.id)
    assert [await shop.balance(account) for account in accounts] == before
    again = await shop.till.redeem(code, bill)
    assert again.id != done.id
    (row,) = await shop.rows(
        "SELECT * FROM redemption.reversal WHERE redemption_id = :id", id=parse_hot_id(done.id).uuid
    )
    assert (row["reason"], row["actor"], row["outcome"]) == (
        "顾客取消",
        f"terminal:{shop.till.terminal_id}",
        "reversed",
    )


async def test_reversed_voucher_does_not_live_longer(shop: Shop, clock: ManualClock) -> None:
    code = await shop.voucher()
    done = await shop.till.redeem(code, 100)
    clock.advance(days=61)
    assert (await shop.till.reverse(done.request_no, "x")).status == "reversed"
    assert (await shop.till.verify(code, 100)).reason == "voucher_expired"


async def test_repetition_is_answered_again(shop: Shop, http: httpx.AsyncClient) -> None:
    done = await shop.till.redeem(await shop.voucher(), 100)
    body = {"request_no": secrets.token_hex(8), "original_request_no": done.request_no, "reason": "x"}
    first = await signed(shop.till, http, "POST", "/reversals", body, kit=shop.kit)
    again = await signed(shop.till, http, "POST", "/reversals", body, kit=shop.kit)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replay"] == "true"


async def test_second_reversal_is_refused(shop: Shop) -> None:
    done = await shop.till.redeem(await shop.voucher(), 100)
    await shop.till.reverse(done.request_no, "x")
    no = secrets.token_hex(8)
    assert await refusal(shop.till, done.request_no, request_no=no) == "already_reversed"
    assert await shop.rows("SELECT 1 FROM core.request WHERE request_no = :no", no=no) == []


async def test_number_with_another_body(shop: Shop) -> None:
    first = await shop.till.redeem(await shop.voucher(), 100)
    other = await shop.till.redeem(await shop.voucher(), 100)
    undone = await shop.till.reverse(first.request_no, "x")
    assert await refusal(shop.till, other.request_no, request_no=undone.request_no) == "request_no_reused"
    assert (await shop.till.find(other.request_no)) is not None


async def test_settled_write_off_is_for_staff_to_correct(shop: Shop) -> None:
    done = await shop.till.redeem(await shop.voucher(), 100)
    async with shop.kit.database.transaction() as tx:
        await tx.execute(
            text("UPDATE redemption.redemption SET settlement_id = :settlement WHERE id = :id"),
            {"settlement": new_id(), "id": parse_hot_id(done.id).uuid},
        )
    assert await refusal(shop.till, done.request_no) == "already_settled"
    found = await shop.till.find(done.request_no)
    assert found is not None
    assert found.status == "redeemed"


async def test_paused_terminal_may_reverse(shop: Shop) -> None:
    till = await shop.staff.till(shop.institution)
    done = await till.redeem(await shop.voucher(), 100)
    await shop.staff.post(f"/terminals/{till.terminal_id}/pause", {"reason": "x"})
    assert (await till.reverse(done.request_no, "x")).status == "reversed"


@pytest.mark.parametrize("reason", ["", None, 7, "x" * 501])
async def test_malformed_reason(shop: Shop, http: httpx.AsyncClient, reason: object) -> None:
    body = {"request_no": "r", "original_request_no": "o", "reason": reason}
    answer = await signed(shop.till, http, "POST", "/reversals", body, kit=shop.kit)
    assert answer.status_code == 422


async def test_text_that_cannot_be_stored(shop: Shop, http: httpx.AsyncClient) -> None:
    body = {"request_no": "r", "original_request_no": "o", "reason": "a\x00b"}
    answer = await signed(shop.till, http, "POST", "/reversals", body, kit=shop.kit)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "character_invalid")


class TestAnotherTerminal:
    async def test_of_the_institution_may_reverse(self, shop: Shop) -> None:
        done = await shop.till.redeem(await shop.voucher(), 100)
        undone = await shop.other.reverse(done.request_no, "x")
        assert undone.redemption_id == done.id
        assert await refusal(shop.till, done.request_no) == "already_reversed"

    async def test_of_another_institution_may_not(self, shop: Shop) -> None:
        stranger = await shop.staff.till(await shop.staff.institution(shop.campaign))
        done = await shop.till.redeem(await shop.voucher(), 100)
        assert (await stranger.reverse(done.request_no, "x")).status == "blocked"
        found = await shop.till.find(done.request_no)
        assert found is not None
        assert found.status == "redeemed"

    async def test_own_number_comes_first(self, shop: Shop) -> None:
        no = secrets.token_hex(8)
        mine = await shop.till.redeem(await shop.voucher(), 100, request_no=no)
        theirs = await shop.other.redeem(await shop.voucher(), 200, request_no=no)
        undone = await shop.other.reverse(no, "x")
        assert undone.redemption_id == theirs.id
        found = await shop.till.find(no)
        assert found is not None
        assert (found.id, found.status) == (mine.id, "redeemed")
        # Its own was reversed: the other terminal's is not taken in its place.
        assert await refusal(shop.other, no) == "already_reversed"

    async def test_several_live_ones_have_to_be_told_apart(self, shop: Shop) -> None:
        third, no = await shop.staff.till(shop.institution), secrets.token_hex(8)
        await shop.till.redeem(await shop.voucher(), 100, request_no=no)
        wanted = await shop.other.redeem(await shop.voucher(), 200, request_no=no)
        assert await refusal(third, no) == "original_ambiguous"
        undone = await third.reverse(no, "x", original_terminal_id=shop.other.terminal_id)
        assert undone.redemption_id == wanted.id
        # Now exactly one live one is left.
        assert (await third.reverse(no, "x")).status == "reversed"


class TestNeverSeen:
    async def test_original_is_refused_for_good(self, shop: Shop) -> None:
        code, no = await shop.voucher(), secrets.token_hex(8)
        blocked = await shop.till.reverse(no, "没有应答")
        assert (blocked.status, blocked.redemption_id) == ("blocked", None)
        for till in (shop.till, shop.other):
            with pytest.raises(Refused) as refused:
                await till.redeem(code, 100, request_no=no)
            assert refused.value.code == "reversed_before_arrival"
            found = await till.find(no)
            assert found is not None
            assert (found.status, found.id, found.applied_fen) == ("blocked", None, None)
        assert (await shop.till.verify(code, 100)).redeemable
        assert (await shop.till.redeem(code, 100)).status == "redeemed"

    async def test_repetition_and_a_second_reversal(self, shop: Shop) -> None:
        no, own = secrets.token_hex(8), secrets.token_hex(8)
        first = await shop.till.reverse(no, "x", request_no=own)
        assert await shop.till.reverse(no, "x", request_no=own) == first
        assert (await shop.other.reverse(no, "x")).status == "blocked"

    async def test_refused_original_was_never_seen(self, shop: Shop) -> None:
        no = secrets.token_hex(8)
        with pytest.raises(Refused):
            await shop.till.redeem("no code", 100, request_no=no)
        assert (await shop.till.reverse(no, "x")).status == "blocked"

    async def test_named_terminal_only_is_blocked(self, shop: Shop) -> None:
        code, no = await shop.voucher(), secrets.token_hex(8)
        named = shop.other.terminal_id
        assert (await shop.till.reverse(no, "x", original_terminal_id=named)).status == "blocked"
        with pytest.raises(Refused):
            await shop.other.redeem(code, 100, request_no=no)
        assert (await shop.till.redeem(code, 100, request_no=no)).status == "redeemed"

    async def test_block_leaves_its_history(self, shop: Shop) -> None:
        no = secrets.token_hex(8)
        await shop.till.reverse(no, "没有应答")
        (row,) = await shop.rows("SELECT * FROM redemption.reversal WHERE original_request_no = :no", no=no)
        assert (row["outcome"], row["reason"], row["redemption_id"]) == ("blocked", "没有应答", None)


@pytest.mark.parametrize(
    "statement", ["UPDATE redemption.reversal SET reason = ''", "DELETE FROM redemption.reversal"]
)
async def test_history_cannot_be_changed(shop: Shop, statement: str) -> None:
    with pytest.raises(Exception, match="append-only"):
        async with shop.kit.database.transaction() as tx:
            await tx.execute(text(statement))


async def test_write_off_cannot_be_deleted(shop: Shop) -> None:
    with pytest.raises(Exception, match="append-only"):
        async with shop.kit.database.transaction() as tx:
            await tx.execute(text("DELETE FROM redemption.redemption"))
