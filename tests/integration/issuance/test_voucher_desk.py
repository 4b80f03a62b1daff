"""Staff find vouchers, and revoke them by a change."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.issuance.wiring import build
from services.issuance.worker import parts
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.integrity.operations import recompute
from shared.kit import Kit
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.held import Held, another, held_voucher, redeem, refused, rows, run
from tests.support.people import signed_in_staff

pytestmark = pytest.mark.usefixtures("clock_returns")

URL = "/issuance/v1/vouchers"
UNKNOWN = "00" + "0" * 32
STOCK = (
    "SELECT s.put_in, s.remaining, s.issued, s.returned, p.left_to_award FROM issuance.phase_stock s"
    " JOIN issuance.award_pool p USING (phase_id) WHERE s.phase_id = :phase AND s.voucher_type = 'fitness'"
)
MOVES = (
    "SELECT kind, debit, credit, amounts_fen, actor FROM core.ledger_transfer"
    " WHERE voucher_id = :id ORDER BY at, kind"
)


async def proposed(desk: Desk, held: Held, **more: Any) -> httpx.Response:  # noqa: ANN401 - parts of the body
    return await desk.propose(f"{URL}/{held.id}/revoke", {"reason": "发放有误", **more})


async def search(desk: Desk, **params: str) -> dict[str, Any]:
    answer = await desk.client.get(URL, params=params, headers=desk.one)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


async def test_a_revoked_voucher_gives_its_value_back_to_each_payer_and_its_piece_to_the_stock(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    held = await held_voucher(desk.client, kit, clock)
    phase = held.campaign.phases[0]
    assert tuple((await rows(kit, STOCK, phase=phase))[0]) == (20, 19, 1, 0, 99)
    change = await proposed(desk, held)
    assert change.status_code == 202
    assert (await held.hands.get(f"/me/vouchers/{held.id}")).json()["status"] == "issued"
    assert (await desk.approve(change)).json()["status"] == "applied"

    assert (await held.hands.get(f"/me/vouchers/{held.id}")).json()["status"] == "revoked"
    issue, revoke = await rows(kit, MOVES, id=held.address.uuid)
    assert (issue.kind, revoke.kind) == ("issue", "revoke")
    assert (revoke.debit, revoke.credit, revoke.amounts_fen) == ("committed", "available", issue.amounts_fen)
    assert revoke.actor == f"change:{change.json()['change_id']}"
    assert tuple((await rows(kit, STOCK, phase=phase))[0]) == (20, 20, 1, 1, 100)
    # Another may have the piece; what the holder won still counts for the holder.
    assert (await another(held.hands, held.campaign)).voucher["status"] == "issued"
    await drain(kit, parts(build(kit)))
    told = (await held.hands.get("/me/notices")).json()["items"]
    [notice] = [item for item in told if item["kind"] == "revoked"]
    assert notice["voucher_id"] == held.id
    assert notice["text"].endswith("原因：发放有误")
    report = await recompute(kit)
    assert [check.name for check in report.checks if not check.ok] == []


async def test_a_voucher_used_meanwhile_keeps_the_change_pending_and_nothing_moves(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    held = await held_voucher(desk.client, kit, clock)
    change = await proposed(desk, held)
    assert await redeem(kit, held.address)
    before = await rows(kit, STOCK, phase=held.campaign.phases[0])
    answer = await desk.approve(change)
    refused(answer, 409, "no_longer_fits")
    assert answer.json()["detail"].endswith("该券已核销。")
    pending = await desk.client.get("/issuance/v1/changes?status=pending&limit=200", headers=desk.one)
    assert change.json()["change_id"] in {item["change_id"] for item in pending.json()["items"]}
    assert await rows(kit, STOCK, phase=held.campaign.phases[0]) == before
    refused(await proposed(desk, held), 409, "voucher_not_revocable")


async def test_a_second_revocation_finds_the_voucher_revoked(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    held = await held_voucher(desk.client, kit, clock)
    first, second = await proposed(desk, held), await proposed(desk, held)
    assert (await desk.approve(first)).status_code == 200
    answer = await desk.approve(second)
    refused(answer, 409, "no_longer_fits")
    assert answer.json()["detail"].endswith("该券已作废。")


async def test_a_revocation_is_proposed_once_by_staff_for_a_voucher_that_is_there(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    held = await held_voucher(desk.client, kit, clock)
    first = await proposed(desk, held, request_no="r1")
    again = await proposed(desk, held, request_no="r1")
    assert (again.status_code, again.json()) == (200, first.json())
    refused(await proposed(desk, held, request_no="r1", reason="别的原因"), 409, "request_no_reused")
    url = f"{URL}/{UNKNOWN}/revoke"
    body: dict[str, object] = {"reason": "发放有误"}
    refused(await desk.propose(url, body), 404, "not_found")
    refused(await desk.propose(f"{URL}/{held.id}/revoke", {"reason": ""}), 422, "invalid_request")
    auditor = await signed_in_staff(kit, Role.AUDITOR)
    refused(await desk.client.post(url, json=body, headers=auditor), 403, "forbidden")
    citizen = held.hands.person.headers
    refused(await desk.client.post(url, json=body, headers=citizen), 401, "unauthenticated")
    own = f"/issuance/v1/changes/{first.json()['change_id']}/approve"
    refused(await desk.client.post(own, json={}, headers=desk.one), 403, "same_person")


async def test_vouchers_are_found_by_campaign_holder_type_status_and_day_of_issue(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    one = await held_voucher(desk.client, kit, clock)
    clock.advance(seconds=1)
    two = await another(one.hands, one.campaign, "general_50")
    await run(
        kit, "UPDATE core.person SET name_masked = '张*' WHERE id = :id", id=one.hands.person.address.uuid
    )
    assert await redeem(kit, one.address)
    slug, holder = one.campaign.slug, str(one.hands.person.address)

    async def ids(**params: str) -> list[str]:
        return [item["id"] for item in (await search(desk, **params))["items"]]

    both = [two.id, one.id]
    assert await ids(campaign=slug) == both
    assert await ids(holder=holder) == both
    assert await ids(holder=holder, campaign=slug) == both
    assert await ids(holder=holder, campaign="another") == []
    assert await ids(campaign=slug, voucher_type="fitness") == [one.id]
    assert await ids(campaign=slug, status="redeemed") == [one.id]
    assert await ids(campaign=slug, status="issued") == [two.id]
    day = f"{clock.now() + timedelta(hours=8):%Y-%m-%d}"
    assert await ids(campaign=slug, issued_from=day, issued_to=day) == both
    assert await ids(campaign=slug, issued_to="2020-01-01") == []
    page = await search(desk, campaign=slug, limit="1")
    assert [item["id"] for item in page["items"]] == [two.id]
    rest = await search(desk, campaign=slug, limit="1", cursor=page["next_cursor"])
    assert ([item["id"] for item in rest["items"]], rest["next_cursor"]) == ([one.id], None)
    [item] = rest["items"]
    assert item["holder"] == {"person_id": holder, "name_masked": "张*"}
    assert "code" not in item
    # Past its time it is expired for staff too, before the job has come to it.
    clock.advance(days=61)
    assert await ids(campaign=slug, status="issued") == []
    assert await ids(campaign=slug, status="expired") == [two.id]
    unbounded = await desk.client.get(URL, headers=desk.one)
    refused(unbounded, 422, "invalid_request")
    assert unbounded.json()["errors"][0]["code"] == "campaign_or_holder"
    refused(await desk.client.get(URL, headers=one.hands.person.headers), 401, "unauthenticated")


async def test_a_voucher_is_looked_up_by_id_or_by_what_its_holder_shows(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    held = await held_voucher(desk.client, kit, clock)
    assert await redeem(kit, held.address)
    token = (await held.hands.get(f"/me/vouchers/{held.id}/token")).json()["token"]
    by_id = (await desk.client.get(f"{URL}/{held.id}", headers=desk.one)).json()
    assert [move["kind"] for move in by_id["history"]] == ["issue", "redeem"]
    assert by_id["status"] == "redeemed"
    for shown in (held.voucher["code"], held.voucher["code"].lower().replace("-", ""), token):
        found = await desk.client.post(f"{URL}/lookup", json={"code": shown}, headers=desk.one)
        assert found.json() == by_id
    for unknown in ("ABCD-EFGH", "0000-0000-0000-0000", held.voucher["code"][:-1]):
        answer = await desk.client.post(f"{URL}/lookup", json={"code": unknown}, headers=desk.one)
        refused(answer, 404, "not_found")
    refused(await desk.client.get(f"{URL}/{UNKNOWN}", headers=desk.one), 404, "not_found")
