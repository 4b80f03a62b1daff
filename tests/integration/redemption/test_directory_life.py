"""An institution's life: its hours, edits, history and end; lists undone as far as nobody used them."""

import asyncio
import secrets
from typing import Any

import httpx
import pytest

from services.redemption.app import create_app
from shared.clients.terminal import Refused, TerminalClient
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.tills import Bureau
from tests.support.vouchers import held_voucher, published

HOURS = {"mon": ["14:00-17:30", "08:00-12:00"], "sat": ["09:00-12:00"]}
KEPT_HOURS = {"mon": ["08:00-12:00", "14:00-17:30"], "sat": ["09:00-12:00"]}
HEADER = "名称,类别,县市,营业时间,受理券种"


@pytest.fixture
async def fresh(kit: Kit) -> CampaignRef:
    return await published(kit, f"life-{secrets.token_hex(4)}")


async def patched(staff: Bureau, institution: str, **told: object) -> httpx.Response:
    path = f"/redemption/v1/institutions/{institution}"
    return await staff.http.patch(path, json={"reason": "更正", **told}, headers=staff.headers)


async def uploaded(staff: Bureau, campaign: CampaignRef, *rows: str) -> dict[str, Any]:
    answer = await staff.http.post(
        "/redemption/v1/institutions/import",
        params={"campaign": campaign.slug},
        files={"file": ("list.csv", "\n".join([HEADER, *rows]).encode())},
        headers=staff.headers,
    )
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


async def listed(staff: Bureau, campaign: CampaignRef) -> dict[str, dict[str, Any]]:
    items = (await staff.get("/institutions", campaign=campaign.slug)).json()["items"]
    return {item["name"]: item for item in items}


async def undone(staff: Bureau, report: dict[str, Any]) -> httpx.Response:
    return await staff.post(f"/institutions/imports/{report['import_id']}/undo", {"reason": "导错了"})


class TestEditing:
    async def test_changes_what_is_told_and_keeps_history(self, staff: Bureau, fresh: CampaignRef) -> None:
        institution = await staff.institution(fresh, hours=HOURS, county="蒙自市", credit_code="x")
        answer = await patched(staff, institution, name="示例·改名", county=None)
        assert (answer.status_code, answer.json()["version"]) == (200, 2)
        assert answer.json()["warnings"][0]["code"] == "length"
        record = (await staff.get(f"/institutions/{institution}")).json()
        assert (record["name"], record["county"], record["hours"]) == ("示例·改名", None, KEPT_HOURS)
        items = (await staff.get(f"/institutions/{institution}/history")).json()["items"]
        assert [(one["version"], one["cause"]) for one in items] == [(2, "edit"), (1, "create")]
        assert items[0]["before"]["county"] == "蒙自市"
        assert items[0]["reason"] == "更正"
        page = await staff.get(f"/institutions/{institution}/history", limit="1")
        rest = await staff.get(f"/institutions/{institution}/history", cursor=page.json()["next_cursor"])
        assert [one["version"] for one in rest.json()["items"]] == [1]

    @pytest.mark.parametrize(
        "told",
        [
            {"name": None},
            {"accepts": ["fitness"]},
            {"campaign": "x"},
            {"hours": {"mon": ["17:00-08:00"]}},
            {"hours": {"someday": ["08:00-09:00"]}},
            {"hours": {}},
            {"reason": ""},
            {"status": "closed"},
        ],
        ids=str,
    )
    async def test_malformed(self, staff: Bureau, fresh: CampaignRef, told: dict[str, Any]) -> None:
        answer = await patched(staff, await staff.institution(fresh), **told)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")

    async def test_who_sees_and_who_edits(
        self, http: httpx.AsyncClient, kit: Kit, staff: Bureau, fresh: CampaignRef
    ) -> None:
        mine, foreign = await staff.institution(fresh), await staff.institution(fresh)
        own = await signed_in_staff(kit, Role.INSTITUTION, institution_id=mine)
        for where, status in ((mine, 200), (foreign, 403)):
            for path in ("", "/history"):
                url = f"/redemption/v1/institutions/{where}{path}"
                assert (await http.get(url, headers=own)).status_code == status
                assert (await http.get(url)).status_code == 401
        url = f"/redemption/v1/institutions/{mine}"
        refused = await http.patch(url, json={"reason": "x", "name": "y"}, headers=own)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert (await http.get("/redemption/v1/institutions/imports", headers=own)).status_code == 403
        assert (await staff.get("/institutions/ins_nobody")).status_code == 404


class TestClosing:
    async def test_for_good(self, kit: Kit, staff: Bureau, fresh: CampaignRef) -> None:
        institution = await staff.institution(fresh)
        till = await staff.till(institution)
        used, unused = await held_voucher(kit, fresh), await held_voucher(kit, fresh)
        done = await till.redeem(used.code, 900)
        closed = await staff.post(f"/institutions/{institution}/close", {"reason": "退出"})
        assert (closed.status_code, closed.json()["status"]) == (200, "closed")
        assert await listed(staff, fresh) == {}
        with pytest.raises(Refused) as refused:
            await till.redeem(unused.code, 900)
        assert refused.value.code == "institution_not_eligible"
        assert (await till.reverse(done.request_no, "退")).status == "reversed"
        for action in ("close", "pause", "resume"):
            again = await staff.post(f"/institutions/{institution}/{action}", {"reason": "x"})
            assert (again.status_code, again.json()["code"]) == (409, "institution_closed")
        assert (await patched(staff, institution, name="x")).json()["code"] == "institution_closed"
        assert (await staff.post(f"/institutions/{institution}/terminals", {"label": "x"})).status_code == 404


class TestDirectory:
    async def test_more_filters(self, http: httpx.AsyncClient, staff: Bureau, fresh: CampaignRef) -> None:
        for number, (category, public) in enumerate(
            [("hospital", True), ("hospital", False), ("shop", None)]
        ):
            await staff.institution(fresh, name=f"示例·{number}", category=category, public=public)
        for filters, expected in (
            ({"category": "hospital"}, ["示例·0", "示例·1"]),
            ({"public": "true"}, ["示例·0"]),
            ({"public": "false"}, ["示例·1"]),
        ):
            params = {"campaign": fresh.slug, **filters}
            answer = await http.get("/redemption/v1/institutions", params=params)
            assert [item["name"] for item in answer.json()["items"]] == expected

    async def test_published_category_is_known_by_its_name_and_the_list_tells_its_length(
        self, http: httpx.AsyncClient, staff: Bureau, fresh: CampaignRef
    ) -> None:
        for category in ("体检医院", "checkup_hospital", "药店"):
            await staff.institution(fresh, category=category)
        url, params = "/redemption/v1/institutions", {"campaign": fresh.slug, "limit": "1"}
        assert (await http.get(url, params=params)).json()["total"] == 3
        named = (await http.get(url, params={**params, "category": "体检医院"})).json()
        assert (named["total"], named["items"][0]["category"]) == (2, "checkup_hospital")
        assert (await http.get(url, params={**params, "voucher_type": "nothing"})).json()["total"] == 0

    async def test_may_be_kept_for_a_moment(
        self, http: httpx.AsyncClient, staff: Bureau, fresh: CampaignRef
    ) -> None:
        institution = await staff.institution(fresh)
        url, params = "/redemption/v1/institutions", {"campaign": fresh.slug}
        first = await http.get(url, params=params)
        assert first.headers["Cache-Control"] == "public, max-age=60"
        known = {"If-None-Match": first.headers["ETag"]}
        assert (await http.get(url, params=params, headers=known)).status_code == 304
        await staff.post(f"/institutions/{institution}/pause", {"reason": "x"})
        assert (await http.get(url, params=params, headers=known)).status_code == 200


class TestUndo:
    async def test_takes_back_what_nobody_used(self, staff: Bureau, fresh: CampaignRef) -> None:
        one, two = f"示例·{fresh.slug}甲", f"示例·{fresh.slug}乙"
        await uploaded(staff, fresh, f"{one},shop,蒙自市,8:00-18:00,fitness")
        before = await listed(staff, fresh)
        rows = (f"{one},clinic,,每天 9:00-17:00,general_50", f"{two},shop,,,fitness")
        report = await uploaded(staff, fresh, *rows)
        assert (report["accepted"], report["updated"]) == (2, 1)
        answer = await undone(staff, report)
        assert answer.status_code == 200
        assert {**answer.json(), "import_id": ""} == {
            "import_id": "",
            "removed": 1,
            "restored": 1,
            "kept": [],
        }
        assert await listed(staff, fresh) == before
        again = await undone(staff, report)
        assert (again.status_code, again.json()["code"]) == (409, "import_already_undone")
        repeated = await uploaded(staff, fresh, *rows)
        assert (repeated["already_imported"], repeated["accepted"]) == (False, 2)

    async def test_says_what_stays_and_why(self, kit: Kit, staff: Bureau, fresh: CampaignRef) -> None:
        names = {word: f"示例·{fresh.slug}{word}" for word in ("till", "edited", "staffed", "used", "free")}
        await uploaded(staff, fresh, f"{names['used']},shop,,,fitness")
        ids = {name: item["id"] for name, item in (await listed(staff, fresh)).items()}
        till = await staff.till(ids[names["used"]])
        report = await uploaded(staff, fresh, *[f"{name},clinic,,,fitness" for name in names.values()])
        ids = {name: item["id"] for name, item in (await listed(staff, fresh)).items()}
        await till.redeem((await held_voucher(kit, fresh, "fitness")).code)
        await staff.till(ids[names["till"]])
        await patched(staff, ids[names["edited"]], county="蒙自市")
        await signed_in_staff(kit, Role.INSTITUTION, institution_id=ids[names["staffed"]])
        answer = (await undone(staff, report)).json()
        assert {one["name"]: one["reason"] for one in answer["kept"]} == {
            names["till"]: "has_terminals",
            names["edited"]: "changed_since",
            names["staffed"]: "has_staff",
            names["used"]: "redeemed_since",
        }
        assert (answer["removed"], answer["restored"]) == (1, 0)
        assert names["free"] not in await listed(staff, fresh)
        history = (await staff.get(f"/institutions/{ids[names['free']]}/history")).json()["items"]
        assert [one["cause"] for one in history] == ["undo", "import"]

    async def test_institution_that_joined_by_the_list_leaves_again(
        self, kit: Kit, staff: Bureau, fresh: CampaignRef
    ) -> None:
        name, elsewhere = f"示例·{fresh.slug}", await published(kit, f"else-{secrets.token_hex(4)}")
        await uploaded(staff, elsewhere, f"{name},shop,,,fitness")
        report = await uploaded(staff, fresh, f"{name},shop,,,general_50")
        assert (await undone(staff, report)).json()["restored"] == 1
        assert await listed(staff, fresh) == {}
        assert (await listed(staff, elsewhere))[name]["accepts"] == ["fitness"]

    async def test_lists_are_told_newest_first(self, staff: Bureau, fresh: CampaignRef) -> None:
        reports = [await uploaded(staff, fresh, f"示例·{fresh.slug}{n},shop,,,fitness") for n in range(2)]
        await undone(staff, reports[0])
        items = (await staff.get("/institutions/imports", campaign=fresh.slug)).json()["items"]
        assert {one["id"]: one["undone_at"] is not None for one in items} == {
            reports[1]["import_id"]: False,
            reports[0]["import_id"]: True,
        }

    async def test_hours_that_nobody_can_read_are_a_fault_of_their_row(
        self, staff: Bureau, fresh: CampaignRef
    ) -> None:
        report = await uploaded(staff, fresh, "示例·甲,shop,,全天,fitness")
        assert [(one["row"], one["column"]) for one in report["errors"]] == [(2, "营业时间")]

    async def test_unknown_list(self, staff: Bureau) -> None:
        for import_id in ("nothing", "00000000-0000-0000-0000-000000000000"):
            answer = await staff.post(f"/institutions/imports/{import_id}/undo", {"reason": "x"})
            assert answer.status_code == 404


async def test_pause_and_revocation_bite_in_every_process(
    kit: Kit, settings: Settings, clock: ManualClock, staff: Bureau, fresh: CampaignRef
) -> None:
    """The other process has the terminal's key in mind; a pause needs no waiting, revoking two seconds."""
    institution = await staff.institution(fresh)
    till = await staff.till(institution)
    async with serving(redemption=create_app(settings, clock=clock)) as other:
        twin = TerminalClient(
            other,
            terminal_id=till.terminal_id,
            terminal_key=till.terminal_key,
            institution_id=institution,
            now=clock.now,
            pause_seconds=0,
        )
        for place, word in (
            (f"/terminals/{till.terminal_id}", "terminal_paused"),
            (f"/institutions/{institution}", "institution_paused"),
        ):
            assert (await twin.redeem((await held_voucher(kit, fresh)).code, 100)).status == "redeemed"
            await staff.post(f"{place}/pause", {"reason": "x"})
            with pytest.raises(Refused) as refused:
                await twin.redeem((await held_voucher(kit, fresh)).code, 100)
            assert refused.value.code == word
            await staff.post(f"{place}/resume", {"reason": "x"})
        voucher = await held_voucher(kit, fresh)
        assert (await twin.verify(voucher.code, 100)).redeemable
        await staff.post(f"/terminals/{till.terminal_id}/revoke", {"reason": "遗失"})
        # Writes nothing off from this moment on: the statement reads the terminal's row.
        with pytest.raises(Refused) as refused:
            await twin.redeem(voucher.code, 100)
        assert refused.value.code == "bad_signature"
        await asyncio.sleep(2.1)
        with pytest.raises(Refused) as refused:
            await twin.find("anything")
        assert refused.value.code == "bad_signature"
