"""A terminal's life: prepared, activated once, its key rotated, paused, revoked."""

import secrets
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.redemption.app import create_app
from shared.clients.terminal import Refused, TerminalClient
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.tills import Bureau, signed
from tests.support.vouchers import held_voucher


@pytest.fixture(scope="module")
async def institution(staff: Bureau, campaign: CampaignRef) -> str:
    return await staff.institution(campaign)


async def verifies(till: TerminalClient, kit: Kit, key: str) -> int:
    """The status of a call that is signed with this key."""
    answer = await signed(
        till,
        till._http,
        "POST",
        "/redemptions/verify",
        {"voucher": "x"},
        kit=kit,
        key=key,
    )
    return answer.status_code


class TestActivation:
    async def test_turns_a_device_into_the_terminal(
        self, http: httpx.AsyncClient, staff: Bureau, institution: str
    ) -> None:
        made = await staff.post(f"/institutions/{institution}/terminals", {"label": "前台1号"})
        assert made.status_code == 201
        terminal_id, code = made.json()["terminal_id"], made.json()["activation_code"]
        body = {"activation_code": code.lower().replace("-", " "), "device_id": "POS-7"}
        activated = await http.post("/redemption/v1/terminals/activate", json=body)
        assert activated.status_code == 201
        assert activated.json().keys() == {"terminal_id", "terminal_key", "institution_id"}
        assert activated.json()["terminal_id"] == terminal_id
        assert activated.json()["institution_id"] == institution
        listed = (await staff.get(f"/institutions/{institution}/terminals")).json()["items"]
        (item,) = [one for one in listed if one["terminal_id"] == terminal_id]
        assert (item["status"], item["device_id"], item["label"]) == ("active", "POS-7", "前台1号")

    async def test_code_works_once(self, http: httpx.AsyncClient, staff: Bureau, institution: str) -> None:
        code = await staff.activation_code(institution)
        await TerminalClient.activate(http, code, "first")
        with pytest.raises(Refused) as refused:
            await TerminalClient.activate(http, code, "second")
        assert (refused.value.status, refused.value.code) == (404, "activation_code_unknown")

    async def test_code_expires(
        self, http: httpx.AsyncClient, clock: ManualClock, staff: Bureau, institution: str
    ) -> None:
        code = await staff.activation_code(institution)
        clock.advance(days=7)
        with pytest.raises(Refused) as refused:
            await TerminalClient.activate(http, code, "device")
        assert refused.value.code == "activation_code_unknown"

    @pytest.mark.parametrize("code", ["", "0000-0000-0000", "x" * 200, "激活码", "\x00" * 12])
    async def test_unknown_code(self, http: httpx.AsyncClient, code: str) -> None:
        with pytest.raises(Refused) as refused:
            await TerminalClient.activate(http, code, "device")
        assert (refused.value.status, refused.value.code) == (404, "activation_code_unknown")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"activation_code": "x"},
            {"activation_code": "x", "device_id": ""},
            {"activation_code": "x", "device_id": "d" * 129},
            {"activation_code": 1, "device_id": "d"},
            {"activation_code": "x", "device_id": "d", "request_no": "r"},
        ],
        ids=range(6),
    )
    async def test_malformed(self, http: httpx.AsyncClient, body: dict[str, Any]) -> None:
        answer = await http.post("/redemption/v1/terminals/activate", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")

    async def test_guessing_is_slowed_down(self, settings: Settings, clock: ManualClock) -> None:
        limited = settings.model_copy(update={"rate_limits": "on"})
        async with serving(redemption=create_app(limited, clock=clock)) as client:
            body = {"activation_code": "0000-0000-0000", "device_id": "d"}
            path = "/redemption/v1/terminals/activate"
            answers = [await client.post(path, json=body) for _ in range(61)]
        assert {answer.status_code for answer in answers[:60]} == {404}
        assert (answers[60].status_code, answers[60].json()["code"]) == (429, "too_many_requests")
        assert int(answers[60].headers["Retry-After"]) > 0

    async def test_code_and_key_are_not_stored_in_clear(
        self, kit: Kit, staff: Bureau, institution: str
    ) -> None:
        code = await staff.activation_code(institution)
        till = await staff.till(institution)
        async with kit.database.snapshot() as tx:
            stored = (await tx.execute(text("SELECT t::text FROM redemption.terminal t"))).scalars().all()
            audited = (await tx.execute(text("SELECT e::text FROM core.audit_entry e"))).scalars().all()
        for secret in (code, code.replace("-", ""), till.terminal_key):
            for kept in (*stored, *audited):
                assert secret not in kept
                assert secret.encode().hex() not in kept


class TestReissue:
    """A code that was lost or has expired, and the device that takes a broken one's place."""

    async def code(self, staff: Bureau, terminal_id: str, **more: object) -> httpx.Response:
        return await staff.post(f"/terminals/{terminal_id}/activation-code", {"reason": "遗失", **more})

    async def test_new_code_works_once_and_the_old_one_dies_at_once(
        self, http: httpx.AsyncClient, staff: Bureau, institution: str
    ) -> None:
        made = (await staff.post(f"/institutions/{institution}/terminals", {"label": "x"})).json()
        again = await self.code(staff, made["terminal_id"])
        assert again.status_code == 201
        assert again.json().keys() == made.keys()
        assert again.json()["terminal_id"] == made["terminal_id"]
        code = again.json()["activation_code"]
        with pytest.raises(Refused) as refused:
            await TerminalClient.activate(http, made["activation_code"], "old")
        assert refused.value.code == "activation_code_unknown"
        till = await TerminalClient.activate(http, code, "new", now=staff.kit.clock.now)
        assert till.terminal_id == made["terminal_id"]
        with pytest.raises(Refused):
            await TerminalClient.activate(http, code, "second")

    async def test_expired_code_gets_a_new_week(
        self, http: httpx.AsyncClient, clock: ManualClock, staff: Bureau, institution: str
    ) -> None:
        made = (await staff.post(f"/institutions/{institution}/terminals", {"label": "x"})).json()
        clock.advance(days=8)
        with pytest.raises(Refused):
            await TerminalClient.activate(http, made["activation_code"], "d")
        again = (await self.code(staff, made["terminal_id"])).json()
        clock.advance(days=6, hours=23)
        till = await TerminalClient.activate(http, again["activation_code"], "d", now=clock.now)
        assert not (await till.verify("x")).redeemable

    async def test_device_that_takes_a_broken_ones_place(
        self, http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
    ) -> None:
        broken = await staff.till(institution)
        first, second = await held_voucher(kit, campaign), await held_voucher(kit, campaign)
        done = await broken.redeem(first.code, 100, request_no="of-the-broken-one")
        again = await self.code(staff, broken.terminal_id)
        # In this process its key is still remembered: the row decides, so it dies at once all the same.
        body = {"request_no": "after", "voucher": second.code, "bill_fen": 100}
        for path, content in (("/redemptions", body), ("/redemptions/verify", {"voucher": second.code})):
            dead = await signed(broken, http, "POST", path, content, kit=kit)
            assert (dead.status_code, dead.json()["code"]) == (401, "bad_signature")
        check_in = await signed(broken, http, "POST", "/terminals/check-in", {}, kit=kit)
        assert check_in.status_code == 401
        listed = (await staff.get(f"/institutions/{institution}/terminals")).json()["items"]
        (item,) = [one for one in listed if one["terminal_id"] == broken.terminal_id]
        assert item["status"] == "pending"
        till = await TerminalClient.activate(http, again.json()["activation_code"], "new", now=kit.clock.now)
        assert (till.terminal_id, till.terminal_key == broken.terminal_key) == (broken.terminal_id, False)
        # What the one before wrote off stays the terminal's own.
        found = await till.find("of-the-broken-one")
        assert found is not None
        assert found.id == done.id
        assert (await till.redeem(second.code, 100)).status == "redeemed"
        async with kit.database.snapshot() as tx:
            told = await tx.execute(
                text(
                    "SELECT before, after FROM core.audit_entry"
                    " WHERE object = :object AND action = 'terminal.reissue'"
                ),
                {"object": f"terminal:{till.terminal_id}"},
            )
            assert told.one() == ({"status": "active"}, {"status": "pending", "reason": "遗失"})

    async def test_request_number_makes_it_repeatable(self, staff: Bureau, institution: str) -> None:
        made = (await staff.post(f"/institutions/{institution}/terminals", {"label": "x"})).json()
        first = await self.code(staff, made["terminal_id"], request_no="again")
        repeated = await self.code(staff, made["terminal_id"], request_no="again")
        assert (first.status_code, repeated.status_code) == (201, 200)
        assert first.json() == repeated.json()

    async def test_paused_revoked_and_unknown_terminals_get_none(
        self, kit: Kit, staff: Bureau, institution: str
    ) -> None:
        till = await staff.till(institution)
        for action, refusal in (("pause", "resume_before_reissue"), ("revoke", "terminal_not_active")):
            await staff.post(f"/terminals/{till.terminal_id}/{action}", {"reason": "x"})
            answer = await self.code(staff, till.terminal_id)
            assert (answer.status_code, answer.json()["code"]) == (409, refusal)
        assert (await self.code(staff, "trm_nobody")).status_code == 404
        headers = await signed_in_staff(kit, Role.INSTITUTION, institution_id=institution)
        path = f"/redemption/v1/terminals/{till.terminal_id}/activation-code"
        answer = await staff.http.post(path, json={"reason": "x"}, headers=headers)
        assert answer.status_code == 403


class TestCheckIn:
    async def test_gives_a_new_key_and_the_time(
        self, http: httpx.AsyncClient, kit: Kit, clock: ManualClock, staff: Bureau, institution: str
    ) -> None:
        till = await staff.till(institution)
        old = till.terminal_key
        answer = await signed(till, http, "POST", "/terminals/check-in", {}, kit=kit)
        assert answer.status_code == 200
        assert answer.json()["server_time"].endswith("+08:00")
        new = answer.json()["terminal_key"]
        assert new != old
        assert [await verifies(till, kit, key) for key in (old, new)] == [200, 200]
        clock.advance(minutes=9, seconds=59)
        assert [await verifies(till, kit, key) for key in (old, new)] == [200, 200]
        clock.advance(seconds=1)
        assert [await verifies(till, kit, key) for key in (old, new)] == [401, 200]

    async def test_lost_answer_is_asked_for_again_with_the_key_before(
        self, http: httpx.AsyncClient, kit: Kit, clock: ManualClock, staff: Bureau, institution: str
    ) -> None:
        till = await staff.till(institution)
        old = till.terminal_key
        lost = await signed(till, http, "POST", "/terminals/check-in", {}, kit=kit, key=old)
        clock.advance(minutes=5)
        again = await signed(till, http, "POST", "/terminals/check-in", {}, kit=kit, key=old)
        assert again.json()["terminal_key"] == lost.json()["terminal_key"]
        clock.advance(minutes=5)
        late = await signed(till, http, "POST", "/terminals/check-in", {}, kit=kit, key=old)
        assert (late.status_code, late.json()["code"]) == (401, "bad_signature")

    async def test_client_goes_on_with_the_new_key(self, staff: Bureau, institution: str) -> None:
        till = await staff.till(institution)
        keys = [till.terminal_key, await till.check_in(), await till.check_in()]
        assert len(set(keys)) == 3
        assert not (await till.verify("x")).redeemable

    @pytest.mark.parametrize("body", [{"a": 1}, []])
    async def test_malformed(
        self, http: httpx.AsyncClient, kit: Kit, staff: Bureau, institution: str, body: object
    ) -> None:
        till = await staff.till(institution)
        answer = await signed(till, http, "POST", "/terminals/check-in", body, kit=kit)
        assert answer.status_code == 422


class TestPauseAndRevoke:
    async def test_pause_ends_with_resume(
        self, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
    ) -> None:
        till = await staff.till(institution)
        voucher = await held_voucher(kit, campaign)
        path = f"/terminals/{till.terminal_id}"
        paused = await staff.post(f"{path}/pause", {"reason": "盘点"})
        assert (paused.status_code, paused.json()["status"]) == (200, "paused")
        assert (await till.verify(voucher.code, 100)).reason == "terminal_paused"
        resumed = await staff.post(f"{path}/resume", {"reason": "盘点完毕"})
        assert (resumed.status_code, resumed.json()["status"]) == (200, "active")
        assert (await till.redeem(voucher.code, 100)).status == "redeemed"

    async def test_reason_and_both_states_are_in_the_audit_log(
        self, kit: Kit, staff: Bureau, institution: str
    ) -> None:
        till = await staff.till(institution)
        await staff.post(f"/terminals/{till.terminal_id}/pause", {"reason": "盘点"})
        async with kit.database.snapshot() as tx:
            entries = await tx.execute(
                text(
                    "SELECT action, before, after FROM core.audit_entry WHERE object = :object ORDER BY seq"
                ),
                {"object": f"terminal:{till.terminal_id}"},
            )
            told = [tuple(entry) for entry in entries]
        assert [action for action, _, _ in told] == ["terminal.make", "terminal.activate", "terminal.paused"]
        assert told[-1][1:] == ({"status": "active"}, {"status": "paused", "reason": "盘点"})

    async def test_request_number_makes_it_repeatable(self, staff: Bureau, institution: str) -> None:
        till = await staff.till(institution)
        path, body = f"/terminals/{till.terminal_id}/pause", {"reason": "x", "request_no": "p1"}
        first, again = await staff.post(path, body), await staff.post(path, body)
        assert (first.status_code, again.status_code, first.json()) == (200, 200, again.json())
        assert again.headers["Idempotent-Replay"] == "true"
        other = await staff.post(path, {**body, "reason": "y"})
        assert (other.status_code, other.json()["code"]) == (409, "request_no_reused")

    async def test_prepared_terminal_cannot_be_paused_but_revoked(
        self, http: httpx.AsyncClient, staff: Bureau, institution: str
    ) -> None:
        made = (await staff.post(f"/institutions/{institution}/terminals", {"label": "x"})).json()
        path = f"/terminals/{made['terminal_id']}"
        paused = await staff.post(f"{path}/pause", {"reason": "x"})
        assert (paused.status_code, paused.json()["code"]) == (409, "terminal_not_active")
        assert (await staff.post(f"{path}/revoke", {"reason": "x"})).is_success
        with pytest.raises(Refused):
            await TerminalClient.activate(http, made["activation_code"], "device")

    async def test_revoked_for_good(self, kit: Kit, staff: Bureau, institution: str) -> None:
        till = await staff.till(institution)
        path = f"/terminals/{till.terminal_id}"
        assert (await staff.post(f"{path}/revoke", {"reason": "遗失"})).is_success
        for action in ("resume", "pause", "revoke"):
            answer = await staff.post(f"{path}/{action}", {"reason": "x"})
            assert (answer.status_code, answer.json()["code"]) == (409, "terminal_not_active")
        answer = await signed(till, till._http, "POST", "/terminals/check-in", {}, kit=kit)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")

    async def test_unknown_terminal(self, staff: Bureau) -> None:
        for action in ("pause", "resume", "revoke"):
            answer = await staff.post(f"/terminals/trm_nobody/{action}", {"reason": "x"})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize(
        "body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": 1}, {"reason": "x" * 501}]
    )
    async def test_reason_is_wanted(self, staff: Bureau, body: dict[str, Any]) -> None:
        answer = await staff.post("/terminals/trm_nobody/pause", body)
        assert answer.status_code == 422


class TestStaff:
    async def test_terminal_of_an_unknown_institution(self, staff: Bureau) -> None:
        answer = await staff.post("/institutions/ins_nobody/terminals", {"label": "x"})
        assert answer.status_code == 404

    async def test_prepared_twice_with_one_number_is_one_terminal(
        self, staff: Bureau, institution: str
    ) -> None:
        path, body = (
            f"/institutions/{institution}/terminals",
            {"label": "x", "request_no": secrets.token_hex(8)},
        )
        first, again = await staff.post(path, body), await staff.post(path, body)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json() == again.json()

    @pytest.mark.parametrize("role", [Role.AUDITOR, Role.INSTITUTION, Role.HOSPITAL])
    async def test_who_may_not_write(
        self, http: httpx.AsyncClient, kit: Kit, institution: str, role: Role
    ) -> None:
        headers = await signed_in_staff(kit, role, institution_id=institution, hospital_id="h")
        for path in (f"/institutions/{institution}/terminals", "/terminals/trm_x/pause"):
            body = {"label": "x"} if path.endswith("terminals") else {"reason": "x"}
            answer = await http.post(f"/redemption/v1{path}", json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
            unsigned = await http.post(f"/redemption/v1{path}", json=body)
            assert (unsigned.status_code, unsigned.json()["code"]) == (401, "unauthenticated")

    async def test_institution_sees_its_own_terminals_only(
        self, http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
    ) -> None:
        other = await staff.institution(campaign)
        headers = await signed_in_staff(kit, Role.INSTITUTION, institution_id=institution)
        own = await http.get(f"/redemption/v1/institutions/{institution}/terminals", headers=headers)
        foreign = await http.get(f"/redemption/v1/institutions/{other}/terminals", headers=headers)
        assert (own.status_code, foreign.status_code) == (200, 403)
        assert (await staff.get("/institutions/ins_nobody/terminals")).status_code == 404
