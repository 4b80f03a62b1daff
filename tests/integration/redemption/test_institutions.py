"""The directory: entered one by one or from a list, warned about, filtered, paused."""

import io
import secrets
from collections.abc import Sequence
from typing import Any

import httpx
import pytest
import xlsxwriter
from sqlalchemy import text

from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.people import signed_in_staff
from tests.support.tills import Bureau
from tests.support.vouchers import held_voucher, published

HEADER = ("名称", "类别", "县市", "是否公立", "地址", "统一社会信用代码", "受理券种")
GOOD_CODE = "Y1532599DEM000014U"


def body(campaign: CampaignRef, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {
        "name": "示例·蒙自市第一体检医院",
        "category": "checkup_hospital",
        "accepts": ["checkup"],
        "campaign": campaign.slug,
        **more,
    }


class TestEntering:
    async def test_all_fields(self, campaign: CampaignRef, staff: Bureau) -> None:
        more = {"county": "蒙自市", "public": True, "address": "示例路1号", "credit_code": GOOD_CODE}
        made = await staff.post("/institutions", body(campaign, **more))
        assert made.status_code == 201
        assert made.json()["warnings"] == []
        found = (await staff.get("/institutions", q="示例路1号")).json()["items"]
        assert {
            "id": made.json()["id"],
            "name": "示例·蒙自市第一体检医院",
            "category": "checkup_hospital",
            "county": "蒙自市",
            "public": True,
            "address": "示例路1号",
            "hours": None,
            "accepts": ["checkup"],
            "status": "active",
        } in found

    @pytest.mark.parametrize(
        ("code", "fault"),
        [
            ("Y1532599DEM000014X", "check_digit"),
            ("Y1532599DEM00001", "length"),
            ("Y1532599DEI000014U", "characters"),
            ("y1532599dem000014u", "characters"),
        ],
    )
    async def test_wrong_credit_code_is_a_warning(
        self, campaign: CampaignRef, staff: Bureau, code: str, fault: str
    ) -> None:
        made = await staff.post("/institutions", body(campaign, credit_code=code))
        assert made.status_code == 201
        (warning,) = made.json()["warnings"]
        assert (warning["loc"], warning["code"]) == ("body.credit_code", fault)

    async def test_type_that_the_campaign_does_not_have(self, campaign: CampaignRef, staff: Bureau) -> None:
        made = await staff.post("/institutions", body(campaign, accepts=["checkup", "cash", "gold"]))
        assert (made.status_code, made.json()["code"]) == (422, "invalid_request")
        assert [(fault["loc"], fault["code"]) for fault in made.json()["errors"]] == [
            ("body.accepts.1", "voucher_type_unknown"),
            ("body.accepts.2", "voucher_type_unknown"),
        ]

    async def test_unknown_campaign(self, campaign: CampaignRef, staff: Bureau) -> None:
        made = await staff.post("/institutions", {**body(campaign), "campaign": "nobody"})
        assert (made.status_code, made.json()["code"]) == (404, "not_found")

    async def test_same_number_enters_it_once(self, campaign: CampaignRef, staff: Bureau) -> None:
        one = body(campaign, name="示例·一次", request_no=secrets.token_hex(8))
        first, again = await staff.post("/institutions", one), await staff.post("/institutions", one)
        assert (first.status_code, again.status_code, again.json()) == (201, 200, first.json())
        assert len((await staff.get("/institutions", q="示例·一次")).json()["items"]) == 1
        other = await staff.post("/institutions", {**one, "county": "个旧市"})
        assert (other.status_code, other.json()["code"]) == (409, "request_no_reused")

    @pytest.mark.parametrize(
        "bend",
        [
            {"name": ""},
            {"name": "  "},
            {"name": "x" * 201},
            {"category": None},
            {"accepts": []},
            {"accepts": "checkup"},
            {"public": "yes"},
            {"surprise": 1},
            {"name": "a\x00b"},
        ],
        ids=str,
    )
    async def test_malformed(self, campaign: CampaignRef, staff: Bureau, bend: dict[str, Any]) -> None:
        answer = await staff.post("/institutions", {**body(campaign), **bend})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")

    async def test_who_may(self, http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef) -> None:
        path = "/redemption/v1/institutions"
        assert (await http.post(path, json=body(campaign))).status_code == 401
        for role, status in ((Role.AUDITOR, 403), (Role.ADMIN, 201)):
            headers = await signed_in_staff(kit, role)
            assert (await http.post(path, json=body(campaign), headers=headers)).status_code == status


@pytest.fixture(scope="module")
async def town(kit: Kit, staff: Bureau) -> CampaignRef:
    """A campaign of its own with five institutions."""
    campaign = await published(kit, f"town-{secrets.token_hex(4)}")
    for number, (county, accepts) in enumerate(
        [
            ("蒙自市", ["checkup"]),
            ("蒙自市", ["general_50", "general_100"]),
            ("个旧市", ["general_100"]),
            ("个旧市", ["fitness", "checkup"]),
            ("开远市", ["fitness"]),
        ]
    ):
        made = await staff.post(
            "/institutions",
            body(campaign, name=f"示例·{number}号100%_店", county=county, accepts=accepts),
        )
        assert made.status_code == 201
    return campaign


class TestDirectory:
    @pytest.mark.parametrize(
        ("filters", "numbers"),
        [
            ({}, [0, 1, 2, 3, 4]),
            ({"voucher_type": "checkup"}, [0, 3]),
            ({"voucher_type": "nothing"}, []),
            ({"county": "蒙自市"}, [0, 1]),
            ({"county": "个旧市", "voucher_type": "general_100"}, [2]),
            ({"q": "3号"}, [3]),
            ({"q": "100%_"}, [0, 1, 2, 3, 4]),
            ({"q": "1%0"}, []),
        ],
        ids=str,
    )
    async def test_filters(
        self, http: httpx.AsyncClient, town: CampaignRef, filters: dict[str, str], numbers: list[int]
    ) -> None:
        answer = await http.get("/redemption/v1/institutions", params={"campaign": town.slug, **filters})
        assert answer.status_code == 200
        items = answer.json()["items"]
        assert [int(item["name"].removeprefix("示例·")[0]) for item in items] == numbers
        assert answer.json()["next_cursor"] is None

    async def test_accepts_everything_it_accepts_also_when_filtered(
        self, http: httpx.AsyncClient, town: CampaignRef
    ) -> None:
        params = {"campaign": town.slug, "voucher_type": "fitness", "county": "个旧市"}
        (item,) = (await http.get("/redemption/v1/institutions", params=params)).json()["items"]
        assert item["accepts"] == ["checkup", "fitness"]

    async def test_pages(self, http: httpx.AsyncClient, town: CampaignRef) -> None:
        seen: list[str] = []
        cursor: dict[str, str] = {}
        for expected in (2, 2, 1):
            params = {"campaign": town.slug, "limit": "2", **cursor}
            page = (await http.get("/redemption/v1/institutions", params=params)).json()
            assert len(page["items"]) == expected
            seen += [item["name"] for item in page["items"]]
            cursor = {} if page["next_cursor"] is None else {"cursor": page["next_cursor"]}
        assert not cursor
        assert seen == sorted(set(seen))

    @pytest.mark.parametrize(
        "params",
        [{"limit": "0"}, {"limit": "201"}, {"cursor": "x"}, {"cursor": "WzFd"}, {"q": "x" * 201}],
        ids=str,
    )
    async def test_malformed(self, http: httpx.AsyncClient, params: dict[str, str]) -> None:
        assert (await http.get("/redemption/v1/institutions", params=params)).status_code == 422


def csv(rows: Sequence[Sequence[str]]) -> bytes:
    return "\n".join(",".join(row) for row in (HEADER, *rows)).encode("utf-8-sig")


def xlsx(rows: Sequence[Sequence[object]]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate((HEADER, *rows)):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


class TestImport:
    @pytest.fixture
    async def fresh(self, kit: Kit) -> CampaignRef:
        return await published(kit, f"import-{secrets.token_hex(4)}")

    async def upload(
        self, staff: Bureau, campaign: CampaignRef, content: bytes, *, dry_run: bool = False
    ) -> dict[str, Any]:
        answer = await staff.http.post(
            "/redemption/v1/institutions/import",
            params={"campaign": campaign.slug, "dry_run": str(dry_run).lower()},
            files={"file": ("list.xlsx", content)},
            headers=staff.headers,
        )
        assert answer.status_code == 200, answer.text
        report: dict[str, Any] = answer.json()
        assert report["rows"] == report["accepted"] + report["rejected"] + report["duplicates"]
        return report

    async def listed(self, staff: Bureau, campaign: CampaignRef) -> dict[str, dict[str, Any]]:
        page = (await staff.get("/institutions", campaign=campaign.slug)).json()
        return {item["name"]: item for item in page["items"]}

    async def test_rows_are_judged_one_by_one(self, staff: Bureau, fresh: CampaignRef) -> None:
        report = await self.upload(
            staff,
            fresh,
            xlsx(
                [
                    ("示例·甲", "hospital", "蒙自市", "是", "一路1号", "", "健康体检券、fitness"),
                    ("示例·乙", "shop", "", "", "", "", "general_50"),
                    ("", "shop", "", "", "", "", "general_50"),
                    ("示例·丙", "shop", "", "也许", "", "", "现金券"),
                    ("示例·乙", "shop", "", "", "", "", "general_50"),
                ]
            ),
        )
        counts = {name: report[name] for name in ("rows", "accepted", "rejected", "duplicates", "updated")}
        assert counts == {"rows": 5, "accepted": 2, "rejected": 2, "duplicates": 1, "updated": 0}
        assert [(error["row"], error["column"]) for error in report["errors"]] == [
            (4, "名称"),
            (5, "受理券种"),
            (5, "是否公立"),
        ]
        listed = await self.listed(staff, fresh)
        assert listed.keys() == {"示例·甲", "示例·乙"}
        first = listed["示例·甲"]
        assert (first["public"], first["county"], first["accepts"]) == (
            True,
            "蒙自市",
            ["checkup", "fitness"],
        )

    async def test_doubtful_credit_code_is_a_warning_of_its_row(
        self, staff: Bureau, fresh: CampaignRef
    ) -> None:
        rows = [
            ("示例·戊", "hospital", "", "", "", "Y1532599DEM000014U", "fitness"),
            ("示例·己", "shop", "", "", "", "91110000600037341L", "fitness"),
            ("示例·庚", "shop", "", "", "", "123", "fitness"),
        ]
        for dry_run in (True, False):
            report = await self.upload(staff, fresh, xlsx(rows), dry_run=dry_run)
            assert (report["accepted"], report["errors"]) == (3, [])
            assert [(one["row"], one["column"]) for one in report["warnings"]] == [(4, "统一社会信用代码")]

    async def test_dry_run_changes_nothing(self, staff: Bureau, fresh: CampaignRef) -> None:
        content = csv([("示例·丁", "shop", "", "", "", "", "general_50")])
        report = await self.upload(staff, fresh, content, dry_run=True)
        assert (report["accepted"], report["dry_run"], report["already_imported"]) == (1, True, False)
        assert await self.listed(staff, fresh) == {}
        report = await self.upload(staff, fresh, content)
        assert (report["accepted"], report["already_imported"]) == (1, False)

    async def test_same_file_twice(self, staff: Bureau, fresh: CampaignRef) -> None:
        content = csv([(f"示例·{fresh.slug}{n}", "shop", "", "", "", "", "general_50") for n in range(5)])
        await self.upload(staff, fresh, content)
        report = await self.upload(staff, fresh, content)
        assert (report["already_imported"], report["accepted"], report["duplicates"]) == (True, 0, 5)
        assert len(await self.listed(staff, fresh)) == 5

    async def test_known_institution_is_updated(self, staff: Bureau, fresh: CampaignRef) -> None:
        name = f"示例·{fresh.slug}"
        await self.upload(staff, fresh, csv([(name, "shop", "蒙自市", "否", "一路1号", "", "general_50")]))
        before = (await self.listed(staff, fresh))[name]
        report = await self.upload(staff, fresh, csv([(name, "shop", "", "", "二路2号", "", "general_100")]))
        assert (report["accepted"], report["updated"]) == (1, 1)
        after = (await self.listed(staff, fresh))[name]
        assert after == {**before, "address": "二路2号", "accepts": ["general_100"]}

    async def test_institution_of_another_campaign_joins_this_one(
        self, kit: Kit, staff: Bureau, fresh: CampaignRef
    ) -> None:
        other = await published(kit, f"other-{secrets.token_hex(4)}")
        code = f"Y{secrets.token_hex(8).upper()}0"
        row = (f"示例·{fresh.slug}", "shop", "", "", "", code, "general_50")
        await self.upload(staff, fresh, csv([row]))
        report = await self.upload(staff, other, csv([("示例·改了名", *row[1:])]))
        assert (report["accepted"], report["updated"]) == (1, 1)
        (here,), (there,) = [
            [item["id"] for item in (await self.listed(staff, campaign)).values()]
            for campaign in (fresh, other)
        ]
        assert here == there

    async def test_namesakes_have_to_be_told_apart(self, staff: Bureau, fresh: CampaignRef) -> None:
        name = f"示例·{fresh.slug}"
        for county in ("蒙自市", "个旧市"):
            await staff.post("/institutions", body(fresh, name=name, county=county, accepts=["general_50"]))
        report = await self.upload(staff, fresh, csv([(name, "shop", "", "", "", "", "general_100")]))
        assert (report["rejected"], report["errors"][0]["row"]) == (1, 2)
        report = await self.upload(staff, fresh, csv([(name, "shop", "个旧市", "", "", "", "general_100")]))
        assert report["updated"] == 1

    @pytest.mark.parametrize("content", [b"", b"\x00\x01", "名称,类别\n甲,店".encode(), b"PK\x03\x04broken"])
    async def test_file_that_is_no_such_list(self, staff: Bureau, fresh: CampaignRef, content: bytes) -> None:
        answer = await staff.http.post(
            "/redemption/v1/institutions/import",
            params={"campaign": fresh.slug},
            files={"file": ("list.csv", content)},
            headers=staff.headers,
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert answer.json()["errors"][0]["loc"] == "file"

    async def test_template_is_understood(self, staff: Bureau, fresh: CampaignRef) -> None:
        answer = await staff.get("/institutions/template.xlsx")
        assert answer.status_code == 200
        assert len(read_rows(answer.content)) == 2
        report = await self.upload(staff, fresh, answer.content)
        assert (report["accepted"] + report["duplicates"], report["errors"]) == (1, [])

    async def test_imported_institution_redeems(self, kit: Kit, staff: Bureau, fresh: CampaignRef) -> None:
        name = f"示例·{fresh.slug}"
        await self.upload(staff, fresh, csv([(name, "shop", "", "", "", "", "general_50")]))
        till = await staff.till((await self.listed(staff, fresh))[name]["id"])
        voucher = await held_voucher(kit, fresh, "general_50")
        assert (await till.redeem(voucher.code, 100)).status == "redeemed"


class TestPause:
    async def test_and_resume(self, campaign: CampaignRef, staff: Bureau) -> None:
        institution = await staff.institution(campaign, name="示例·暂停")
        paused = await staff.post(f"/institutions/{institution}/pause", {"reason": "检查"})
        assert (paused.status_code, paused.json()) == (200, {"id": institution, "status": "paused"})
        (item,) = (await staff.get("/institutions", q="示例·暂停")).json()["items"]
        assert item["status"] == "paused"
        resumed = await staff.post(f"/institutions/{institution}/resume", {"reason": "检查完毕"})
        assert resumed.json()["status"] == "active"

    async def test_is_audited(self, kit: Kit, campaign: CampaignRef, staff: Bureau) -> None:
        institution = await staff.institution(campaign)
        await staff.post(f"/institutions/{institution}/pause", {"reason": "检查"})
        async with kit.database.snapshot() as tx:
            found = await tx.execute(
                text("SELECT action, after FROM core.audit_entry WHERE object = :object ORDER BY seq"),
                {"object": f"institution:{institution}"},
            )
            entries = [tuple(entry) for entry in found]
        assert [action for action, _ in entries] == ["institution.create", "institution.pause"]
        assert entries[-1][1] == {"status": "paused", "reason": "检查"}

    async def test_unknown_institution(self, staff: Bureau) -> None:
        for action in ("pause", "resume"):
            answer = await staff.post(f"/institutions/ins_nobody/{action}", {"reason": "x"})
            assert answer.status_code == 404

    async def test_who_may(
        self, http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, staff: Bureau
    ) -> None:
        institution = await staff.institution(campaign)
        path = f"/redemption/v1/institutions/{institution}/pause"
        assert (await http.post(path, json={"reason": "x"})).status_code == 401
        for role in (Role.AUDITOR, Role.INSTITUTION):
            headers = await signed_in_staff(kit, role, institution_id=institution)
            assert (await http.post(path, json={"reason": "x"}, headers=headers)).status_code == 403
