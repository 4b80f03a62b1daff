"""Named operators: known to their terminals, recorded with what they did, refused when they are not known."""

import asyncio
import secrets
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.redemption.terminals.operations import Keyring
from shared.clients.terminal import TerminalClient
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
    await staff.post(f"/institutions/{institution}/operators/c01/end", {})
    await named(staff, institution, "c02")
    await asyncio.sleep(Keyring.LIFE_SECONDS + 0.1)
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
    ended = await staff.post(f"/institutions/{institution}/operators/c01/end", {})
    assert ended.status_code == 200
    await asyncio.sleep(Keyring.LIFE_SECONDS + 0.1)
    again = await sent(staff, kit, till, "/redemptions", body)
    assert (again.status_code, again.json()) == (200, first.json())
    late = await redeems(staff, kit, campaign, till, operator="c01")
    assert late.json()["code"] == "operator_unknown"
    twice = await staff.post(f"/institutions/{institution}/operators/c01/end", {})
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


async def test_refusals_of_the_list(campaign: CampaignRef, staff: Bureau, institution: str) -> None:
    foreign = await staff.till(await staff.institution(campaign))
    answer = await named(staff, institution, "c01", terminal_id=foreign.terminal_id)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "terminal_unknown")
    assert (await named(staff, "ins_nobody", "c01")).status_code == 404
    assert (await named(staff, institution, "c 1")).status_code == 422
    assert (await staff.post(f"/institutions/{institution}/operators/nobody/end", {})).status_code == 404
