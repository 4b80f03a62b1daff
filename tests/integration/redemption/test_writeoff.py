"""A voucher is written off once, and every refusal has its word and its place."""

import secrets
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.clients.terminal import Refused, TerminalClient
from shared.clock import ManualClock, rfc3339
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.tills import Bureau, signed
from tests.support.vouchers import HOLDER_MASKED, HeldVoucher, end, held_voucher, published


@pytest.fixture(scope="module")
async def institution(staff: Bureau, campaign: CampaignRef) -> str:
    return await staff.institution(campaign)


@pytest.fixture(scope="module")
async def till(staff: Bureau, institution: str) -> TerminalClient:
    return await staff.till(institution)


async def rows(kit: Kit, statement: str, **values: object) -> list[dict[str, Any]]:
    async with kit.database.snapshot() as tx:
        return [dict(row) for row in (await tx.execute(text(statement), values)).mappings()]


async def refusal(till: TerminalClient, voucher: str, bill_fen: int | None = None, **more: Any) -> str:  # noqa: ANN401 - passed on
    """The code that a write-off is refused with; verifying gives the same word as its reason."""
    with pytest.raises(Refused) as refused:
        await till.redeem(voucher, bill_fen, **more)
    if not more:
        looked = await till.verify(voucher, bill_fen)
        assert (looked.redeemable, looked.reason, looked.applied_fen) == (False, refused.value.code, None)
        assert looked.holder_masked is None
    return refused.value.code


@pytest.mark.parametrize(
    ("used", "amounts"),
    [
        (("general_50", 12_000), (5_000, 7_000)),
        (("general_50", 5_000), (5_000, 0)),
        (("general_50", 1), (1, 0)),
        (("checkup", None), (30_000, 0)),
        (("checkup", 45_000), (30_000, 0)),
        (("checkup", 0), (30_000, 0)),
    ],
)
async def test_amounts(
    kit: Kit,
    campaign: CampaignRef,
    till: TerminalClient,
    used: tuple[str, int | None],
    amounts: tuple[int, int],
) -> None:
    """What a voucher pays of a bill, and what the customer still owes."""
    (voucher_type, bill_fen), (applied_fen, payable_fen) = used, amounts
    voucher = await held_voucher(kit, campaign, voucher_type)
    looked = await till.verify(voucher.code, bill_fen)
    assert (looked.redeemable, looked.reason, looked.applied_fen) == (True, None, applied_fen)
    done = await till.redeem(voucher.code, bill_fen)
    assert (done.status, done.voucher_type) == ("redeemed", voucher_type)
    assert (done.applied_fen, done.payable_fen) == (applied_fen, payable_fen)
    (row,) = await rows(kit, "SELECT * FROM redemption.redemption WHERE voucher_id = :id", id=voucher.id)
    assert sum(row["split_fen"]) == applied_fen
    assert (row["terminal_id"], row["source"], row["used_at"]) == (till.terminal_id, "online", None)


async def test_verifying_tells_what_a_till_shows_and_writes_nothing(
    kit: Kit, campaign: CampaignRef, till: TerminalClient
) -> None:
    voucher = await held_voucher(kit, campaign, "general_100")
    before = await rows(kit, "SELECT count(*) AS n FROM core.request")
    looked = await till.verify(voucher.token(kit))
    assert looked.redeemable
    assert (looked.voucher_type, looked.kind, looked.applied_fen) == ("general_100", "general", 10_000)
    assert looked.holder_masked == HOLDER_MASKED
    assert looked.valid_until == kit.clock.now() + timedelta(days=60)
    assert await rows(kit, "SELECT count(*) AS n FROM core.request") == before
    (row,) = await rows(kit, "SELECT state FROM core.voucher WHERE id = :id", id=voucher.id)
    assert row["state"] == "issued"


@pytest.mark.parametrize("spelling", ["code", "grouped", "small", "token"])
async def test_voucher_is_read_as_it_is_typed_or_scanned(
    kit: Kit, campaign: CampaignRef, till: TerminalClient, spelling: str
) -> None:
    voucher = await held_voucher(kit, campaign, "fitness")
    code = voucher.code
    grouped = "-".join(code[start : start + 4] for start in range(0, 16, 4))
    shown = {"code": code, "grouped": grouped, "small": code.lower(), "token": voucher.token(kit)}[spelling]
    assert (await till.redeem(shown)).status == "redeemed"


class TestRefusals:
    """In their order of precedence: each case also has every fault that comes after it."""

    @pytest.mark.parametrize(
        "voucher",
        ["", "1234", "0" * 16, "x" * 100_000, "消费券", "HV" + "A" * 52, "' OR 1=1 --", "\x00", "🎫" * 8],
    )
    async def test_what_cannot_be_a_code(self, till: TerminalClient, voucher: str) -> None:
        assert await refusal(till, voucher, 1_000) == "voucher_not_found"

    async def test_unknown_code_with_a_right_check_symbol(
        self, kit: Kit, campaign: CampaignRef, till: TerminalClient
    ) -> None:
        voucher = await held_voucher(kit, campaign)
        async with kit.database.transaction() as tx:
            await tx.execute(
                text("UPDATE core.voucher SET code_hash = :other WHERE id = :id"),
                {"other": secrets.token_bytes(16), "id": voucher.id},
            )
        assert await refusal(till, voucher.code, 1_000) == "voucher_not_found"

    async def test_order(self, kit: Kit, clock: ManualClock, campaign: CampaignRef, staff: Bureau) -> None:
        # A paused terminal of a paused institution that accepts nothing fitting looks at a dead voucher.
        institution = await staff.institution(campaign, accepts=("checkup",))
        eligible = await staff.institution(campaign)
        stranger, till = await staff.till(institution), await staff.till(eligible)
        voucher = await held_voucher(kit, campaign, "general_50")
        token = voucher.token(kit)
        for path in (f"/terminals/{stranger.terminal_id}", f"/institutions/{institution}"):
            assert (await staff.post(f"{path}/pause", {"reason": "检查"})).status_code == 200
        for path in (f"/terminals/{till.terminal_id}", f"/institutions/{eligible}"):
            assert (await staff.post(f"{path}/pause", {"reason": "检查"})).status_code == 200
        await end(kit, voucher, "revoked")
        clock.advance(days=61)
        assert await refusal(stranger, token, 1_000) == "institution_not_eligible"
        assert await refusal(till, token, 1_000) == "terminal_paused"
        assert (await staff.post(f"/terminals/{till.terminal_id}/resume", {"reason": "x"})).is_success
        assert await refusal(till, token, 1_000) == "institution_paused"
        assert (await staff.post(f"/institutions/{eligible}/resume", {"reason": "x"})).is_success
        assert await refusal(till, token, 1_000) == "voucher_revoked"
        await self.set(kit, voucher, "redeemed")
        assert await refusal(till, token, 1_000) == "already_redeemed"
        await self.set(kit, voucher, "issued", later=timedelta(days=100))
        assert await refusal(till, token, 1_000) == "not_yet_valid"
        await self.set(kit, voucher, "expired")
        assert await refusal(till, token, 1_000) == "voucher_expired"
        await self.set(kit, voucher, "issued")
        assert await refusal(till, token, 1_000) == "voucher_expired"
        await self.set(kit, voucher, "issued", until=timedelta(days=100))
        assert await refusal(till, token, 1_000) == "token_expired"
        assert (await till.redeem(voucher.code, 1_000)).applied_fen == 1_000

    async def set(
        self,
        kit: Kit,
        voucher: HeldVoucher,
        state: str,
        *,
        later: timedelta = timedelta(0),
        until: timedelta = timedelta(0),
    ) -> None:
        """Puts the voucher into a state directly, to look at one refusal by itself."""
        async with kit.database.transaction() as tx:
            await tx.execute(
                text("""
                    UPDATE core.voucher SET state = :state, valid_from = issued_at + :later,
                        valid_until = issued_at + interval '60 days' + :later + :until,
                        redeemed_at = CASE :state WHEN 'redeemed' THEN issued_at END
                    WHERE id = :id
                """),
                {"state": state, "later": later, "until": until, "id": voucher.id},
            )

    async def test_one_reason_is_enough(self, kit: Kit, campaign: CampaignRef, staff: Bureau) -> None:
        """A good voucher meets one fault at a time, and stays as it was."""
        voucher = await held_voucher(kit, campaign, "general_50")
        foreign = await published(kit, f"foreign-{secrets.token_hex(4)}")
        other_types = await staff.till(await staff.institution(campaign, accepts=("checkup", "general_100")))
        other_campaign = await staff.till(await staff.institution(foreign))
        institution = await staff.institution(campaign)
        till = await staff.till(institution)
        assert await refusal(other_types, voucher.code, 100) == "institution_not_eligible"
        assert await refusal(other_campaign, voucher.code, 100) == "institution_not_eligible"
        for path, word in (
            (f"/terminals/{till.terminal_id}", "terminal_paused"),
            (f"/institutions/{institution}", "institution_paused"),
        ):
            assert (await staff.post(f"{path}/pause", {"reason": "x"})).is_success
            assert await refusal(till, voucher.code, 100) == word
            assert (await staff.post(f"{path}/resume", {"reason": "x"})).is_success
        assert (await till.redeem(voucher.code, 100)).status == "redeemed"

    async def test_general_voucher_without_a_bill(
        self, kit: Kit, campaign: CampaignRef, till: TerminalClient, http: httpx.AsyncClient
    ) -> None:
        voucher = await held_voucher(kit, campaign)
        for bill in ({}, {"bill_fen": None}, {"bill_fen": 0}):
            body = {"request_no": secrets.token_hex(8), "voucher": voucher.code, **bill}
            answer = await signed(till, http, "POST", "/redemptions", body, kit=kit)
            assert answer.status_code == 422
            (fault,) = answer.json()["errors"]
            assert (answer.json()["code"], fault["loc"], fault["code"]) == (
                "invalid_request",
                "body.bill_fen",
                "bill_fen_required",
            )

    async def test_revoked_terminal_is_a_stranger(
        self, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
    ) -> None:
        till = await staff.till(institution)
        voucher = await held_voucher(kit, campaign)
        assert (await till.verify(voucher.code)).redeemable
        revoked = await staff.post(f"/terminals/{till.terminal_id}/revoke", {"reason": "遗失"})
        assert revoked.json() == {"terminal_id": till.terminal_id, "status": "revoked"}
        # Its key is still in this process' mind for a moment; the row already says no.
        with pytest.raises(Refused) as refused:
            await till.redeem(voucher.code, 100)
        assert refused.value.code == "bad_signature"

    @pytest.mark.parametrize(
        "bend",
        [
            {"request_no": "with space"},
            {"request_no": "line\n"},
            {"request_no": "x" * 33},
            {"request_no": ""},
            {"request_no": 7},
            {"voucher": 7},
            {"voucher": None},
            {"bill_fen": "100"},
            {"bill_fen": 1.5},
            {"bill_fen": -1},
            {"bill_fen": 10**20},
            {"used_at": "yesterday"},
            {"used_at": "2020-10-31T09:00:00"},
            {"used_at": 1604199600},
            {"surprise": True},
        ],
        ids=str,
    )
    async def test_malformed_body(
        self, kit: Kit, till: TerminalClient, http: httpx.AsyncClient, bend: dict[str, Any]
    ) -> None:
        body = {"request_no": "r1", "voucher": "x", "bill_fen": 100, **bend}
        answer = await signed(till, http, "POST", "/redemptions", body, kit=kit)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["errors"]

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'"text"', b"\xff", b'{"a":' * 5000])
    async def test_body_that_is_no_object(
        self, kit: Kit, till: TerminalClient, http: httpx.AsyncClient, content: bytes
    ) -> None:
        answer = await signed(till, http, "POST", "/redemptions", kit=kit, content=content)
        assert answer.status_code == 422


class TestRequestNumbers:
    async def test_same_number_same_body_is_answered_again(
        self, kit: Kit, campaign: CampaignRef, till: TerminalClient, http: httpx.AsyncClient
    ) -> None:
        voucher = await held_voucher(kit, campaign)
        body = {"request_no": secrets.token_hex(8), "voucher": voucher.code, "bill_fen": 3_000}
        first = await signed(till, http, "POST", "/redemptions", body, kit=kit)
        again = await signed(till, http, "POST", "/redemptions", body, kit=kit)
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        assert "Idempotent-Replay" not in first.headers
        assert again.headers["Idempotent-Replay"] == "true"
        (request,) = await rows(
            kit, "SELECT replays FROM core.request WHERE request_no = :no", no=body["request_no"]
        )
        assert request["replays"] == 1

    async def test_retry_with_the_token_after_the_first_one_is_the_same_request(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
    ) -> None:
        voucher = await held_voucher(kit, campaign)
        token = voucher.token(kit)
        first = await till.redeem(token, 500, request_no=(no := secrets.token_hex(8)))
        clock.advance(minutes=5)
        for shown in (token, voucher.token(kit), voucher.code):
            assert await till.redeem(shown, 500, request_no=no) == first

    @pytest.mark.parametrize("fault", ["bill", "voucher", "garbage"])
    async def test_same_number_other_body(
        self, kit: Kit, campaign: CampaignRef, till: TerminalClient, fault: str
    ) -> None:
        voucher, other = await held_voucher(kit, campaign), await held_voucher(kit, campaign)
        no = secrets.token_hex(8)
        await till.redeem(voucher.code, 500, request_no=no)
        shown, bill = {
            "bill": (voucher.code, 501),
            "voucher": (other.code, 500),
            "garbage": ("no code", 500),
        }[fault]
        assert await refusal(till, shown, bill, request_no=no) == "request_no_reused"
        assert (await till.verify(other.code, 500)).redeemable

    async def test_refused_request_leaves_its_number_free(
        self, kit: Kit, campaign: CampaignRef, till: TerminalClient
    ) -> None:
        voucher, no = await held_voucher(kit, campaign), secrets.token_hex(8)
        assert await refusal(till, "not a code", 500, request_no=no) == "voucher_not_found"
        assert await rows(kit, "SELECT 1 FROM core.request WHERE request_no = :no", no=no) == []
        assert (await till.redeem(voucher.code, 500, request_no=no)).request_no == no

    async def test_numbers_belong_to_their_terminal(
        self, kit: Kit, campaign: CampaignRef, till: TerminalClient, staff: Bureau, institution: str
    ) -> None:
        other = await staff.till(institution)
        one, two = await held_voucher(kit, campaign), await held_voucher(kit, campaign)
        no = secrets.token_hex(8)
        first = await till.redeem(one.code, 500, request_no=no)
        second = await other.redeem(two.code, 500, request_no=no)
        assert first.id != second.id

    async def test_paused_terminal_still_gets_its_first_answer(
        self, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
    ) -> None:
        till = await staff.till(institution)
        voucher, no = await held_voucher(kit, campaign), secrets.token_hex(8)
        first = await till.redeem(voucher.code, 500, request_no=no)
        assert (await staff.post(f"/terminals/{till.terminal_id}/pause", {"reason": "x"})).is_success
        assert await till.redeem(voucher.code, 500, request_no=no) == first


class TestLostAnswers:
    async def test_found_with_its_present_status(
        self, kit: Kit, campaign: CampaignRef, till: TerminalClient
    ) -> None:
        voucher = await held_voucher(kit, campaign)
        done = await till.redeem(voucher.code, 700)
        found = await till.find(done.request_no)
        assert found is not None
        assert (found.id, found.status, found.applied_fen) == (done.id, "redeemed", 700)
        assert found.redeemed_at == done.redeemed_at
        await till.reverse(done.request_no, "顾客取消")
        found = await till.find(done.request_no)
        assert found is not None
        assert (found.id, found.status) == (done.id, "reversed")
        # The repeated write-off is answered as it was the first time.
        assert await till.redeem(voucher.code, 700, request_no=done.request_no) == done

    async def test_unknown_number(self, kit: Kit, till: TerminalClient, http: httpx.AsyncClient) -> None:
        answer = await signed(till, http, "GET", "/redemptions?request_no=nobody", kit=kit)
        assert (answer.status_code, answer.json()["code"]) == (404, "request_unknown")

    async def test_asking_counts_as_a_repetition(
        self, kit: Kit, campaign: CampaignRef, till: TerminalClient
    ) -> None:
        done = await till.redeem((await held_voucher(kit, campaign)).code, 700)
        await till.find(done.request_no)
        (request,) = await rows(
            kit, "SELECT replays FROM core.request WHERE request_no = :no", no=done.request_no
        )
        assert request["replays"] == 1

    @pytest.mark.parametrize("query", ["", "?request_no=", "?request_no=a%20b"])
    async def test_malformed_number(
        self, kit: Kit, till: TerminalClient, http: httpx.AsyncClient, query: str
    ) -> None:
        answer = await signed(till, http, "GET", f"/redemptions{query}", kit=kit)
        assert answer.status_code == 422


class TestTimeOfUse:
    async def test_decides_validity(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
    ) -> None:
        voucher = await held_voucher(kit, campaign)
        clock.advance(days=60, hours=70)
        assert await refusal(till, voucher.code, 500) == "voucher_expired"
        used_at = clock.now() - timedelta(hours=71)
        done = await till.redeem(voucher.code, 500, used_at=used_at)
        assert done.redeemed_at == used_at

    async def test_before_the_voucher_was_issued(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
    ) -> None:
        voucher = await held_voucher(kit, campaign)
        used_at = clock.now() - timedelta(minutes=1)
        assert await refusal(till, voucher.code, 500, used_at=used_at) == "not_yet_valid"

    async def test_more_than_72_hours_back(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
    ) -> None:
        voucher = await held_voucher(kit, campaign)
        clock.advance(days=4)
        for hours in (73, 24 * 365 * 1_900):
            used_at = clock.now() - timedelta(hours=hours)
            assert await refusal(till, voucher.code, 500, used_at=used_at) == "too_late"

    async def test_in_the_future(
        self,
        kit: Kit,
        clock: ManualClock,
        campaign: CampaignRef,
        till: TerminalClient,
        http: httpx.AsyncClient,
    ) -> None:
        voucher = await held_voucher(kit, campaign)
        body = {
            "request_no": "future",
            "voucher": voucher.code,
            "bill_fen": 500,
            "used_at": rfc3339(clock.now() + timedelta(minutes=6)),
        }
        answer = await signed(till, http, "POST", "/redemptions", body, kit=kit)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["code"] == "used_at_in_future"

    async def test_of_a_clock_that_is_a_little_ahead_counts_as_now(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
    ) -> None:
        voucher, no = await held_voucher(kit, campaign), secrets.token_hex(8)
        told = clock.now() + timedelta(minutes=4)
        done = await till.redeem(voucher.code, 500, used_at=told, request_no=no)
        assert done.redeemed_at == clock.now()
        clock.advance(seconds=30)
        assert await till.redeem(voucher.code, 500, used_at=told, request_no=no) == done

    async def test_retry_after_the_72_hours_gets_the_first_answer(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
    ) -> None:
        voucher, no, used_at = await held_voucher(kit, campaign), secrets.token_hex(8), clock.now()
        clock.advance(hours=71)
        done = await till.redeem(voucher.code, 500, used_at=used_at, request_no=no)
        clock.advance(hours=2)
        assert await till.redeem(voucher.code, 500, used_at=used_at, request_no=no) == done
        assert await till.redeem(voucher.code, 500, request_no=no) == done
        other = used_at + timedelta(minutes=1)
        assert await refusal(till, voucher.code, 500, used_at=other, request_no=no) == "request_no_reused"


async def test_write_off_announces_itself(kit: Kit, campaign: CampaignRef, till: TerminalClient) -> None:
    voucher = await held_voucher(kit, campaign)
    done = await till.redeem(voucher.code, 700)
    waiting = await rows(
        kit,
        "SELECT queue, kind, payload FROM core.outbox WHERE payload::text LIKE :a OR payload::text LIKE :b",
        a=f"%{voucher.id.hex}%",
        b=f"%{done.id}%",
    )
    assert sorted((row["queue"], row["kind"], set(row["payload"])) for row in waiting) == [
        ("issuance", "issuance.voucher_redeemed", {"voucher_id"}),
        ("redemption", "redemption.redemption_counted", {"redemption_id"}),
    ]
