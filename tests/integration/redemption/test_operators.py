"""Named operators: known to their terminals, recorded with what they did, refused when they are not known."""

import json
import secrets
from datetime import date
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.clients.terminal import TerminalClient
from shared.clock import CHINA
from shared.identity.staff import Role
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.people import signed_in_staff
from tests.support.tills import Bureau, signed
from tests.support.vouchers import held_voucher


@pytest.fixture
async def institution(staff: Bureau, campaign: CampaignRef) -> str:
    return await staff.institution(campaign)


async def named(staff: Bureau, institution: str, code: str, **more: object) -> httpx.Response:
    return await staff.post(f"/institutions/{institution}/operators", {"code": code, "label": "前台", **more})


async def sent(
    staff: Bureau, kit: Kit, till: TerminalClient, path: str, body: dict[str, Any]
) -> httpx.Response:
    return await signed(till, staff.http, "POST", path, body, kit=kit)


async def redeems(
    staff: Bureau, kit: Kit, campaign: CampaignRef, till: TerminalClient, **more: object
) -> httpx.Response:
    voucher = await held_voucher(kit, campaign, "fitness")
    body = {"request_no": secrets.token_hex(8), "voucher": voucher.code, **more}
    return await sent(staff, kit, till, "/redemptions", body)


async def test_without_a_list_any_operator_is_recorded(
    kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    till = await staff.till(institution)
    done = await redeems(staff, kit, campaign, till, operator="anybody")
    assert done.status_code == 201
    path = f"/redemptions?request_no={done.json()['request_no']}"
    found = await signed(till, staff.http, "GET", path, kit=kit)
    assert found.json()["operator"] == "anybody"


async def test_list_refuses_strangers_and_lets_others_pass(
    kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    assert (await named(staff, institution, "c01")).status_code == 201
    till = await staff.till(institution)
    assert (await redeems(staff, kit, campaign, till, operator="c01")).status_code == 201
    assert (await redeems(staff, kit, campaign, till)).status_code == 201
    refused = await redeems(staff, kit, campaign, till, operator="c02")
    assert (refused.status_code, refused.json()["code"]) == (409, "operator_unknown")


async def test_list_of_one_terminal_is_its_own(
    kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    listed, free = await staff.till(institution), await staff.till(institution)
    assert (await named(staff, institution, "c01", terminal_id=listed.terminal_id)).status_code == 201
    for till, status in ((listed, 409), (free, 201)):
        assert (await redeems(staff, kit, campaign, till, operator="x")).status_code == status


async def test_operator_of_some_terminals_works_at_these_only(
    kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    first, second, third = [await staff.till(institution) for _ in range(3)]
    ids = [first.terminal_id, second.terminal_id]
    made = await named(staff, institution, "c01", terminal_ids=ids)
    assert (made.json()["terminal_ids"], made.json()["terminal_id"]) == (ids, None)
    await named(staff, institution, "c02", terminal_ids=[third.terminal_id])
    for till, status in ((first, 201), (second, 201), (third, 409)):
        assert (await redeems(staff, kit, campaign, till, operator="c01")).status_code == status
    path = f"/institutions/{institution}/operators/c01/terminals"
    moved = await staff.post(path, {"terminal_ids": [third.terminal_id], "reason": "换岗"})
    assert moved.json()["terminal_id"] == third.terminal_id
    # At once, in every process: the write-off reads the list itself.
    assert (await redeems(staff, kit, campaign, third, operator="c01")).status_code == 201
    everywhere = await staff.post(path, {"terminal_ids": [], "reason": "机动"})
    assert (everywhere.json()["terminal_ids"], everywhere.json()["terminal_id"]) == ([], None)
    assert (await redeems(staff, kit, campaign, first, operator="c01")).status_code == 201
    async with kit.database.snapshot() as tx:
        told = await tx.execute(
            text(
                "SELECT before ->> 'terminal_ids', after ->> 'reason' FROM core.audit_entry"
                " WHERE action = 'operator.assign' AND object = :what ORDER BY seq LIMIT 1"
            ),
            {"what": f"institution:{institution}"},
        )
        terminal_ids, reason = told.one()
    assert (json.loads(terminal_ids), reason) == (ids, "换岗")


async def test_terminal_tells_its_cashiers(
    http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    till, other = await staff.till(institution), await staff.till(institution)
    empty = await signed(till, http, "GET", "/terminals/operators", kit=kit)
    assert (empty.status_code, empty.json()) == (200, {"required": False, "items": []})
    await named(staff, institution, "c02", label="李")
    await named(staff, institution, "c01", label="王", terminal_ids=[till.terminal_id])
    await named(staff, institution, "c03", label="赵")
    await staff.post(f"/institutions/{institution}/operators/c03/end", {"reason": "离职"})
    own = await signed(till, http, "GET", "/terminals/operators", kit=kit)
    both = [{"code": "c01", "label": "王"}, {"code": "c02", "label": "李"}]
    assert own.json() == {"required": False, "items": both}
    assert [one.label for one in (await till.operators()).items] == ["王", "李"]
    seen = await staff.get(f"/terminals/{other.terminal_id}/operators")
    assert seen.json()["items"] == both[1:]
    assert (await staff.get("/terminals/trm_000000000000/operators")).status_code == 404
    stranger = await signed_in_staff(kit, Role.INSTITUTION, institution_id=await staff.institution(campaign))
    path = f"/redemption/v1/terminals/{other.terminal_id}/operators"
    assert (await http.get(path, headers=stranger)).status_code == 403
    again = await signed(till, http, "GET", "/terminals/operators", kit=kit, nonce="n-1-of-operators")
    assert again.status_code == 200
    replayed = await signed(till, http, "GET", "/terminals/operators", kit=kit, nonce="n-1-of-operators")
    assert (replayed.status_code, replayed.json()["code"]) == (401, "replayed")


class TestRequired:
    """An institution that writes nothing off without a listed operator."""

    async def switched(self, staff: Bureau, institution: str, *, required: bool = True) -> httpx.Response:
        body = {"required": required, "reason": "内部管理"}
        return await staff.post(f"/institutions/{institution}/operator-rule", body)

    async def test_missing_and_unknown_operators_are_refused_by_name(
        self, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
    ) -> None:
        till, bare = await staff.till(institution), await staff.till(institution)
        before = await redeems(staff, kit, campaign, till)
        assert before.status_code == 201
        await named(staff, institution, "c01", terminal_ids=[till.terminal_id])
        done = await self.switched(staff, institution)
        assert done.json() == {
            "institution_id": institution,
            "required": True,
            "terminals_without_operators": [bare.terminal_id],
        }
        missing = await redeems(staff, kit, campaign, till)
        assert (missing.status_code, missing.json()["code"]) == (409, "operator_required")
        for till_, operator in ((till, "c02"), (bare, "c01"), (bare, "anybody")):
            answer = await redeems(staff, kit, campaign, till_, operator=operator)
            assert (answer.status_code, answer.json()["code"]) == (409, "operator_unknown")
        assert (await redeems(staff, kit, campaign, till, operator="c01")).status_code == 201
        await self.switched(staff, institution, required=False)
        assert (await redeems(staff, kit, campaign, bare)).status_code == 201

    async def test_number_of_a_refused_request_is_free_and_its_voucher_too(
        self, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
    ) -> None:
        till = await staff.till(institution)
        await named(staff, institution, "c01")
        await self.switched(staff, institution)
        voucher = await held_voucher(kit, campaign, "fitness")
        body = {"request_no": "same", "voucher": voucher.code}
        assert (await sent(staff, kit, till, "/redemptions", body)).status_code == 409
        done = await sent(staff, kit, till, "/redemptions", {**body, "operator": "c01"})
        assert done.status_code == 201
        # A repetition is answered whatever the rule says since.
        await staff.post(f"/institutions/{institution}/operators/c01/end", {"reason": "离职"})
        again = await sent(staff, kit, till, "/redemptions", {**body, "operator": "c01"})
        assert (again.status_code, again.json()) == (200, done.json())

    async def test_what_a_stranger_may_learn_comes_first_and_the_pause_after(
        self, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
    ) -> None:
        till = await staff.till(institution)
        await self.switched(staff, institution)
        unknown = await sent(staff, kit, till, "/redemptions", {"request_no": "u", "voucher": "123"})
        assert unknown.json()["code"] == "voucher_not_found"
        general = await held_voucher(kit, campaign, "general_50")
        bill = await sent(staff, kit, till, "/redemptions", {"request_no": "g", "voucher": general.code})
        assert bill.json()["errors"][0]["code"] == "bill_fen_required"
        await staff.post(f"/terminals/{till.terminal_id}/pause", {"reason": "x"})
        assert (await redeems(staff, kit, campaign, till)).json()["code"] == "operator_required"
        # A look asks for nobody.
        voucher = await held_voucher(kit, campaign, "fitness")
        seen = await sent(staff, kit, till, "/redemptions/verify", {"voucher": voucher.code})
        assert seen.json()["reason"] == "terminal_paused"

    async def test_till_reverses_without_one_but_not_with_a_stranger(
        self, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
    ) -> None:
        till = await staff.till(institution)
        await named(staff, institution, "c01")
        await self.switched(staff, institution)
        done = await redeems(staff, kit, campaign, till, operator="c01")
        body = {"original_request_no": done.json()["request_no"], "reason": "无应答"}
        strange = await sent(staff, kit, till, "/reversals", {**body, "request_no": "r1", "operator": "x"})
        assert strange.json()["code"] == "operator_unknown"
        # The refused number is free again.
        plain = await sent(staff, kit, till, "/reversals", {**body, "request_no": "r1"})
        assert (plain.status_code, plain.json()["status"]) == (201, "reversed")

    async def test_offline_items_are_judged_alike(
        self, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
    ) -> None:
        till = await staff.till(institution)
        await named(staff, institution, "c01")
        await self.switched(staff, institution)
        items = [
            {
                "request_no": f"q{number}",
                "voucher": (await held_voucher(kit, campaign, "fitness")).code,
                "used_at": kit.clock.now().isoformat(),
                **more,
            }
            for number, more in enumerate(({}, {"operator": "c01"}, {"operator": "c9"}))
        ]
        answer = await sent(staff, kit, till, "/batches", {"batch_no": "b1", "items": items})
        told = [(one["outcome"], one["reason"]) for one in answer.json()["results"]]
        assert told == [
            ("refused", "operator_required"),
            ("redeemed", None),
            ("refused", "operator_unknown"),
        ]

    async def test_who_may_switch_it(
        self, http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
    ) -> None:
        elsewhere = await staff.institution(campaign)
        own = await signed_in_staff(kit, Role.INSTITUTION, institution_id=institution)
        auditor = await signed_in_staff(kit, Role.AUDITOR)
        body = {"required": True, "reason": "x"}
        for where, headers, status in (
            (institution, own, 200),
            (elsewhere, own, 403),
            (institution, auditor, 403),
        ):
            path = f"/redemption/v1/institutions/{where}/operator-rule"
            assert (await http.post(path, json=body, headers=headers)).status_code == status
        listed = await staff.get(f"/institutions/{institution}/operators")
        assert listed.json()["required"] is True
        assert (await self.switched(staff, "ins_nobody")).status_code == 404


async def test_day_close_tells_totals_by_operator(
    kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    till = await staff.till(institution)
    day = kit.clock.now().astimezone(CHINA).date().isoformat()
    body = {"date": day, "count": 0, "applied_fen": 0}
    await redeems(staff, kit, campaign, till)
    plain = (await sent(staff, kit, till, "/terminals/day-close", body)).json()
    assert "operators" not in plain
    assert "operator" not in plain["items"][0]
    for operator in ("c02", "c01", "c02"):
        await redeems(staff, kit, campaign, till, operator=operator)
    body |= {"count": 4, "applied_fen": 20_000}
    closed = (await sent(staff, kit, till, "/terminals/day-close", body)).json()
    assert closed["matched"] is True
    assert closed["operators"] == [
        {"operator": "c01", "count": 1, "applied_fen": 5_000},
        {"operator": "c02", "count": 2, "applied_fen": 10_000},
        {"operator": None, "count": 1, "applied_fen": 5_000},
    ]
    read = await till.close_day(date.fromisoformat(day), count=4, applied_fen=20_000)
    assert read.operators is not None
    assert [(one.operator, one.count) for one in read.operators] == [("c01", 1), ("c02", 2), (None, 1)]


async def test_reversal_is_refused_for_strangers_and_remembers_who(
    kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    await named(staff, institution, "c01")
    till = await staff.till(institution)
    done = await redeems(staff, kit, campaign, till)
    body = {"original_request_no": done.json()["request_no"], "reason": "退"}
    refused = await sent(staff, kit, till, "/reversals", {**body, "request_no": "v1", "operator": "c09"})
    assert (refused.status_code, refused.json()["code"]) == (409, "operator_unknown")
    one = {**body, "request_no": "v2", "operator": "c01"}
    assert (await sent(staff, kit, till, "/reversals", one)).status_code == 201
    async with kit.database.snapshot() as tx:
        who = await tx.execute(
            text("SELECT operator FROM redemption.reversal WHERE institution_id = :id"), {"id": institution}
        )
        assert who.scalars().all() == ["c01"]
    await staff.post(f"/institutions/{institution}/operators/c01/end", {"reason": "离职"})
    await named(staff, institution, "c02")
    again = await sent(staff, kit, till, "/reversals", one)
    assert (again.status_code, again.headers["Idempotent-Replay"]) == (200, "true")


async def test_ended_operator_is_refused_but_a_repetition_is_answered(
    kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    await named(staff, institution, "c01")
    await named(staff, institution, "c02")
    till = await staff.till(institution)
    voucher = await held_voucher(kit, campaign, "fitness")
    body = {"request_no": "before", "voucher": voucher.code, "operator": "c01"}
    first = await sent(staff, kit, till, "/redemptions", body)
    ended = await staff.post(f"/institutions/{institution}/operators/c01/end", {"reason": "离职"})
    assert ended.status_code == 200
    again = await sent(staff, kit, till, "/redemptions", body)
    assert (again.status_code, again.json()) == (200, first.json())
    late = await redeems(staff, kit, campaign, till, operator="c01")
    assert late.json()["code"] == "operator_unknown"
    twice = await staff.post(f"/institutions/{institution}/operators/c01/end", {"reason": "离职"})
    assert (twice.status_code, twice.json()["code"]) == (409, "operator_ended")
    taken = await named(staff, institution, "c01")
    assert (taken.status_code, taken.json()["code"]) == (409, "operator_code_taken")


async def test_offline_item_of_a_stranger_harms_no_other(
    kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    await named(staff, institution, "c01")
    till = await staff.till(institution)
    items = []
    for number, operator in enumerate(("c01", "c02")):
        voucher = await held_voucher(kit, campaign, "fitness")
        used_at = kit.clock.now().isoformat()
        items.append(
            {"request_no": f"o{number}", "voucher": voucher.code, "used_at": used_at, "operator": operator}
        )
    answer = await sent(staff, kit, till, "/batches", {"batch_no": "b1", "items": items})
    told = [(one["outcome"], one["reason"]) for one in answer.json()["results"]]
    assert told == [("redeemed", None), ("refused", "operator_unknown")]


async def test_who_may_name_operators(
    http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    elsewhere = await staff.institution(campaign)
    own = await signed_in_staff(kit, Role.INSTITUTION, institution_id=institution)
    auditor = await signed_in_staff(kit, Role.AUDITOR)
    for where, headers, written, read in (
        (institution, own, 201, 200),
        (elsewhere, own, 403, 403),
        (institution, auditor, 403, 200),
    ):
        path = f"/redemption/v1/institutions/{where}/operators"
        body = {"code": secrets.token_hex(4), "label": "x"}
        assert (await http.post(path, json=body, headers=headers)).status_code == written
        assert (await http.get(path, headers=headers)).status_code == read


async def test_renamed_operator_keeps_the_code(
    kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    till = await staff.till(institution)
    await named(staff, institution, "c01", terminal_ids=[till.terminal_id])
    path = f"/institutions/{institution}/operators/c01/label"
    body = {"label": "收费窗口", "reason": "改称", "request_no": secrets.token_hex(8)}
    for _ in range(2):
        done = await staff.post(path, body)
        assert (done.status_code, done.json()["label"]) == (200, "收费窗口")
    assert done.json()["terminal_ids"] == [till.terminal_id]
    wrote_off = await redeems(staff, kit, campaign, till, operator="c01")
    (told,) = (await staff.get("/write-offs", institution_id=institution)).json()["items"]
    assert (told["request_no"], told["operator_label"]) == (wrote_off.json()["request_no"], "收费窗口")
    stranger = await signed_in_staff(kit, Role.INSTITUTION, institution_id=await staff.institution(campaign))
    other = {"label": "x", "reason": "x"}
    foreign = await staff.http.post(f"/redemption/v1{path}", json=other, headers=stranger)
    assert (foreign.status_code, foreign.json()["code"]) == (403, "forbidden")
    await staff.post(f"/institutions/{institution}/operators/c01/end", {"reason": "离职"})
    gone = await staff.post(path, other)
    assert (gone.status_code, gone.json()["code"]) == (409, "operator_ended")


async def test_refusals_of_the_list(campaign: CampaignRef, staff: Bureau, institution: str) -> None:
    foreign = await staff.till(await staff.institution(campaign))
    answer = await named(staff, institution, "c01", terminal_id=foreign.terminal_id)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "terminal_unknown")
    twice = await named(staff, institution, "c01", terminal_id="a", terminal_ids=["b"])
    assert twice.status_code == 422
    assert (await named(staff, "ins_nobody", "c01")).status_code == 404
    assert (await named(staff, institution, "c01")).status_code == 201
    path = f"/institutions/{institution}/operators"
    moved = await staff.post(f"{path}/c01/terminals", {"terminal_ids": [foreign.terminal_id], "reason": "x"})
    assert (moved.status_code, moved.json()["errors"][0]["code"]) == (422, "terminal_unknown")
    bodies: dict[str, dict[str, Any]] = {"terminals": {"terminal_ids": []}, "end": {}}
    for verb, body in bodies.items():
        unreasoned = await staff.post(f"{path}/c01/{verb}", body)
        assert unreasoned.status_code == 422
        assert (await staff.post(f"{path}/nobody/{verb}", {**body, "reason": "x"})).status_code == 404
    await staff.post(f"{path}/c01/end", {"reason": "离职"})
    late = await staff.post(f"{path}/c01/terminals", {"terminal_ids": [], "reason": "x"})
    assert (late.status_code, late.json()["code"]) == (409, "operator_ended")
    (item,) = (await staff.get(path)).json()["items"]
    assert item["end_reason"] == "离职"
    assert (await named(staff, institution, "c 1")).status_code == 422
    assert (
        await staff.post(f"/institutions/{institution}/operators/nobody/end", {"reason": "x"})
    ).status_code == 404
