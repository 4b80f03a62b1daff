"""Approval of institutions, type by type, where a campaign's definition asks for it."""

import secrets
from typing import Any

import httpx
import pytest

from shared.clients.terminal import Refused
from shared.kit import Kit
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef
from tests.support.campaigns import publish_campaign
from tests.support.tills import Bureau, bureau
from tests.support.vouchers import held_voucher, published


@pytest.fixture(scope="module")
async def strict(kit: Kit) -> CampaignRef:
    return await published(kit, f"strict-{secrets.token_hex(4)}", institution_approval=True)


@pytest.fixture(scope="module")
async def other(http: httpx.AsyncClient, kit: Kit) -> Bureau:
    return await bureau(http, kit)


async def entered(staff: Bureau, campaign: CampaignRef, *accepts: str) -> dict[str, Any]:
    body = {
        "name": f"示例·{secrets.token_hex(4)}",
        "category": "shop",
        "accepts": list(accepts),
        "campaign": campaign.slug,
    }
    made = await staff.post("/institutions", body)
    assert made.status_code == 201
    answer: dict[str, Any] = made.json()
    return answer


async def shown(staff: Bureau, campaign: CampaignRef, institution: str) -> list[str]:
    """The types that the public directory tells."""
    items = (await staff.get("/institutions", campaign=campaign.slug, limit="200")).json()["items"]
    return next((item["accepts"] for item in items if item["id"] == institution), [])


async def test_type_is_accepted_only_after_two_people_let_it(
    kit: Kit, strict: CampaignRef, staff: Bureau, other: Bureau
) -> None:
    made = await entered(staff, strict, "fitness", "general_50")
    till = await staff.till(made["id"])
    voucher = await held_voucher(kit, strict, "fitness")
    with pytest.raises(Refused) as refused:
        await till.redeem(voucher.code)
    assert (refused.value.status, refused.value.code) == (403, "institution_not_eligible")
    assert await shown(staff, strict, made["id"]) == []
    own = await staff.post(f"/changes/{made['change_id']}/approve", {})
    assert own.json()["code"] == "same_person"
    assert (await other.post(f"/changes/{made['change_id']}/approve", {})).status_code == 200
    assert (await till.redeem(voucher.code)).status == "redeemed"
    assert await shown(staff, strict, made["id"]) == ["fitness", "general_50"]


async def test_rejected_types_can_be_proposed_in_part(
    strict: CampaignRef, staff: Bureau, other: Bureau
) -> None:
    made = await entered(staff, strict, "fitness", "general_50")
    await other.post(f"/changes/{made['change_id']}/reject", {"reason": "资料不全"})
    part = {
        "campaign": strict.slug,
        "institutions": [{"institution_id": made["id"], "voucher_types": ["general_50", "checkup"]}],
        "reason": "已补齐",
    }
    proposed = await staff.post("/institutions/admissions", part)
    assert proposed.status_code == 202
    assert (await other.post(f"/changes/{proposed.json()['change_id']}/approve", {})).status_code == 200
    record = (await staff.get(f"/institutions/{made['id']}")).json()
    assert record["memberships"] == [
        {"campaign": strict.slug, "accepts": ["general_50"], "awaiting": ["fitness"]}
    ]
    again = await staff.post("/institutions/admissions", part)
    assert (again.status_code, again.json()["code"]) == (409, "not_awaiting_approval")


async def test_change_that_comes_second_no_longer_fits(
    strict: CampaignRef, staff: Bureau, other: Bureau
) -> None:
    made = await entered(staff, strict, "fitness")
    same = {
        "campaign": strict.slug,
        "institutions": [{"institution_id": made["id"], "voucher_types": ["fitness"]}],
        "reason": "x",
    }
    second = (await staff.post("/institutions/admissions", same)).json()["change_id"]
    assert (await other.post(f"/changes/{made['change_id']}/approve", {})).status_code == 200
    late = await other.post(f"/changes/{second}/approve", {})
    assert (late.status_code, late.json()["code"]) == (409, "no_longer_fits")


async def test_edit_keeps_what_was_approved_and_asks_for_the_rest(
    strict: CampaignRef, staff: Bureau, other: Bureau
) -> None:
    made = await entered(staff, strict, "fitness", "checkup")
    await other.post(f"/changes/{made['change_id']}/approve", {})
    edit = {"campaign": strict.slug, "accepts": ["fitness", "general_100"], "reason": "x"}
    path = f"/redemption/v1/institutions/{made['id']}"
    edited = await staff.http.patch(path, json=edit, headers=staff.headers)
    assert edited.status_code == 200
    assert await shown(staff, strict, made["id"]) == ["fitness"]
    await other.post(f"/changes/{edited.json()['change_id']}/approve", {})
    assert await shown(staff, strict, made["id"]) == ["fitness", "general_100"]


async def test_imported_list_waits_as_one_change(strict: CampaignRef, staff: Bureau, other: Bureau) -> None:
    name = secrets.token_hex(4)
    rows = [f"示例·{name}{n},shop,fitness" for n in range(3)]
    answer = await staff.http.post(
        "/redemption/v1/institutions/import",
        params={"campaign": strict.slug},
        files={"file": ("list.csv", "\n".join(["名称,类别,受理券种", *rows]).encode())},
        headers=staff.headers,
    )
    assert answer.json()["accepted"] == 3
    assert (await staff.get("/institutions", campaign=strict.slug, q=name)).json()["items"] == []
    await other.post(f"/changes/{answer.json()['change_id']}/approve", {})
    listed = (await staff.get("/institutions", campaign=strict.slug, q=name)).json()["items"]
    assert [item["accepts"] for item in listed] == [["fitness"]] * 3


async def test_without_the_option_nothing_waits(campaign: CampaignRef, staff: Bureau) -> None:
    made = await entered(staff, campaign, "fitness")
    assert "change_id" not in made
    assert await shown(staff, campaign, made["id"]) == ["fitness"]


async def test_definition_says_whether_a_campaign_asks(kit: Kit) -> None:
    for asked in (True, False):
        made = await publish_campaign(kit, institution_approval=asked)
        async with kit.database.snapshot() as tx:
            assert (await catalogue.campaign_by_slug(tx, made.slug)).institution_approval is asked
