"""Vouchers' pages: found masked, seen in clear with a reason, revoked by a change."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from shared.clock import ManualClock
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.held import Held, held_voucher
from tests.support.pages import form_of, signed_in, text_of, whole_console
from tests.support.people import signed_in_staff

PAGE = "/console/vouchers"


@dataclass(frozen=True, slots=True)
class Desk:
    client: httpx.AsyncClient
    held: Held
    headers: dict[str, str]

    async def sent(self, path: str, **form: str) -> httpx.Response:
        page = await self.client.get(PAGE)
        return await self.client.post(f"{PAGE}/{path}", data={**form_of(page), **form})


@pytest.fixture(scope="module")
async def desk(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Desk]:
    async with whole_console(settings, clock) as client:
        held = await held_voucher(client, kit, clock)
        client.cookies.clear()
        headers = await signed_in_staff(kit, Role.OPERATOR)
        yield Desk(signed_in(client, headers), held, headers)


async def test_vouchers_are_found_by_filters_and_stand_in_a_workbook(desk: Desk) -> None:
    query = {"campaign": desk.held.campaign.slug, "status": "issued"}
    page = await desk.client.get(PAGE, params=query)
    assert (page.status_code, f"{PAGE}/{desk.held.id}" in page.text) == (200, True)
    assert "共 1 条" in text_of(page)
    none = text_of(await desk.client.get(PAGE, params={**query, "status": "revoked"}))
    assert "没有符合条件的消费券" in none
    answer = await desk.client.get(f"{PAGE}/export.xlsx", params=query)
    assert any(desk.held.id in row.cells for row in read_rows(answer.content))
    refused = await desk.client.get(PAGE, params={**query, "issued_from": "yesterday"})
    assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)


async def test_a_voucher_shows_what_moved_its_money(desk: Desk) -> None:
    shown = text_of(await desk.client.get(f"{PAGE}/{desk.held.id}"))
    assert "资金变动" in shown
    assert "发放" in shown


async def test_a_code_leads_to_its_voucher_and_stands_in_no_address(desk: Desk) -> None:
    code = str(desk.held.voucher["code"])
    found = await desk.sent("lookup", code=code)
    assert (found.status_code, found.headers["location"]) == (303, f"{PAGE}/{desk.held.id}")
    refused = await desk.sent("lookup", code="0000")
    assert refused.status_code >= 400
    assert 'role="alert"' in refused.text


async def test_a_look_in_clear_needs_a_reason_and_is_audited(desk: Desk) -> None:
    refused = await desk.sent(f"{desk.held.id}/reveal", reason="x")
    assert (refused.status_code, 'role="alert"' in refused.text) == (422, True)
    shown = await desk.sent(f"{desk.held.id}/reveal", reason="核实领取争议", fields="both")
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "no-store")
    assert "本次查看已记入审计日志" in shown.text
    looks = (await desk.client.get("/issuance/v1/reveals", headers=desk.headers)).json()["items"]
    assert looks[0]["reason"] == "核实领取争议"


async def test_a_voucher_is_revoked_by_a_change(desk: Desk) -> None:
    refused = await desk.sent(f"{desk.held.id}/revoke", reason=" ")
    assert refused.status_code == 422
    done = await desk.sent(f"{desk.held.id}/revoke", reason="发放有误")
    assert done.headers["location"].startswith("/console/changes?done=proposed#c-")
    assert "作废消费券" in text_of(await desk.client.get("/console/changes"))


async def test_auditors_see_vouchers_and_never_more(desk: Desk, kit: Kit) -> None:
    desk.client.cookies.clear()
    signed_in(desk.client, await signed_in_staff(kit, Role.AUDITOR))
    page = await desk.client.get(f"{PAGE}/{desk.held.id}")
    assert (page.status_code, "/reveal" in page.text, "/revoke" in page.text) == (200, False, False)
    assert (await desk.sent(f"{desk.held.id}/reveal", reason="核实领取争议")).status_code == 403
    desk.client.cookies.clear()
    signed_in(desk.client, await signed_in_staff(kit, Role.HOSPITAL, hospital_id="none"))
    for path in ("", f"/{desk.held.id}"):
        assert (await desk.client.get(f"{PAGE}{path}")).status_code == 403
