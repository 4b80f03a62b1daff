"""Write-offs are looked up by whoever may see them, with what became of each."""

import secrets

import pytest

from shared.clients.terminal import TerminalClient
from shared.clock import local_day
from shared.identity.staff import Role
from shared.ids import HotId
from tests.support.cases import Scene
from tests.support.people import signed_in_staff
from tests.support.settlements import books
from tests.support.vouchers import held_voucher

LIST = "/write-offs"


async def used(scene: Scene, till: TerminalClient | None = None) -> tuple[str, str]:
    """A write-off's id and its voucher's."""
    voucher = await held_voucher(scene.kit, scene.campaign)
    done = await (till or scene.till).redeem(voucher.code, 6_001)
    return done.id, str(HotId(voucher.bucket, voucher.id))


async def listed(scene: Scene, **params: str) -> list[str]:
    found = await scene.staff.get(LIST, campaign=scene.campaign.slug, **params)
    assert found.status_code == 200, found.text
    return [item["id"] for item in found.json()["items"]]


async def test_found_by_voucher_terminal_day_and_state(scene: Scene) -> None:
    other = await scene.staff.till(scene.institution)
    (first, voucher), (second, _) = await used(scene), await used(scene, other)
    day = local_day(scene.clock.now(), "Asia/Shanghai").isoformat()
    assert sorted(await listed(scene)) == sorted([first, second])
    assert await listed(scene, terminal_id=other.terminal_id) == [second]
    assert await listed(scene, voucher_id=voucher) == [first]
    assert len(await listed(scene, institution_id=scene.institution, **{"from": day, "to": day})) == 2
    assert await listed(scene, to="2020-01-01") == []
    assert await listed(scene, status="reversed") == []
    assert await listed(scene, source="manual") == []


async def test_a_page_tells_how_many_fit_what_they_applied_and_where(scene: Scene) -> None:
    for _ in range(3):
        await used(scene)
    found = await scene.staff.get(LIST, campaign=scene.campaign.slug, limit="1")
    page = found.json()
    assert (len(page["items"]), page["total"], page["applied_fen"]) == (1, 3, 15_000)
    assert (page["items"][0]["terminal"], page["items"][0]["operator_label"]) == ("前台1号", None)
    none = (await scene.staff.get(LIST, campaign=scene.campaign.slug, to="2020-01-01")).json()
    assert (none["total"], none["applied_fen"]) == (0, 0)


async def test_pages_lead_on_without_gap_or_repetition(scene: Scene) -> None:
    made = []
    for _ in range(5):
        scene.clock.advance(seconds=1)
        made.append((await used(scene))[0])
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await scene.staff.get(LIST, campaign=scene.campaign.slug, limit="2", **cursor)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == made[::-1]


async def test_the_detail_tells_reversal_settlement_and_correction(scene: Scene) -> None:
    desk = await books(scene.kit, scene.staff)
    (undone, _), (settled, _) = await used(scene), await used(scene)
    request_no = (await scene.staff.get(f"{LIST}/{undone}")).json()["request_no"]
    await scene.till.reverse(request_no, "顾客取消")
    day = local_day(scene.clock.now(), "Asia/Shanghai").isoformat()
    await desk.settle(scene.campaign, day, day)
    first = (await scene.staff.get(f"{LIST}/{undone}")).json()
    assert (first["status"], first["reversal"]["reason"], first["settlement"]) == (
        "reversed",
        "顾客取消",
        None,
    )
    await desk.pay((await desk.of(scene.institution))[0])
    await desk.correct(settled)
    second = (await scene.staff.get(f"{LIST}/{settled}")).json()
    assert (second["settlement"]["from"], second["settlement"]["status"]) == (day, "paid")
    assert (second["correction"]["reason"], second["correction"]["settlement_id"]) == ("重复收费", None)
    assert sum(second["by_funding_source"].values()) == second["applied_fen"]
    assert "person" not in str(second)


async def test_holds_stand_in_the_detail(scene: Scene) -> None:
    done, _ = await used(scene)
    placed = await scene.staff.post(
        "/settlement-holds", {"institution_id": scene.institution, "reason": "核查中"}
    )
    assert placed.status_code == 201, placed.text
    (hold,) = (await scene.staff.get(f"{LIST}/{done}")).json()["holds"]
    assert (hold["whole_institution"], hold["reason"], hold["released_at"]) == (True, "核查中", None)


async def test_an_institution_sees_its_own_and_nobody_else_s(scene: Scene) -> None:
    own, voucher = await used(scene)
    stranger_id = await scene.staff.institution(scene.campaign)
    stranger = await signed_in_staff(scene.kit, Role.INSTITUTION, institution_id=stranger_id)
    at_home = await signed_in_staff(scene.kit, Role.INSTITUTION, institution_id=scene.institution)
    http = scene.staff.http
    path = f"/redemption/v1{LIST}"
    mine = await http.get(path, headers=at_home)
    assert [item["id"] for item in mine.json()["items"]] == [own]
    assert (await http.get(f"{path}/{own}", headers=at_home)).status_code == 200
    assert (await http.get(path, headers=stranger)).json()["items"] == []
    for query in (f"?voucher_id={voucher}", f"?terminal_id={scene.till.terminal_id}"):
        assert (await http.get(path + query, headers=stranger)).json()["items"] == []
    for foreign in (f"{path}/{own}", f"{path}?institution_id={scene.institution}"):
        refused = await http.get(foreign, headers=stranger)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("role", [Role.HOSPITAL])
async def test_nobody_else_looks_anything_up(scene: Scene, role: Role) -> None:
    headers = await signed_in_staff(scene.kit, role, hospital_id=f"hos_{secrets.token_hex(4)}")
    assert (await scene.staff.http.get(f"/redemption/v1{LIST}", headers=headers)).status_code == 403


@pytest.mark.parametrize("path", ["/nothing", "/00" + "0" * 32])
async def test_what_never_was_is_not_found(scene: Scene, path: str) -> None:
    assert (await scene.staff.get(LIST + path)).status_code == 404


async def test_institutions_are_listed_by_state_and_warn_of_their_credit_code(scene: Scene) -> None:
    gone = await scene.staff.institution(scene.campaign, credit_code="91532500MA00000000")
    assert (await scene.staff.post(f"/institutions/{gone}/close", {"reason": "退出"})).status_code == 200
    for status, expected in (("closed", [gone]), ("active", [scene.institution]), ("paused", [])):
        found = await scene.staff.get("/institutions", campaign=scene.campaign.slug, status=status)
        assert [one["id"] for one in found.json()["items"]] == expected
    (warning,) = (await scene.staff.get(f"/institutions/{gone}")).json()["warnings"]
    assert warning["loc"] == "body.credit_code"
