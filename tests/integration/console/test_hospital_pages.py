"""A hospital's own pages: its figures, its files, its departments' codes, its appeals; nobody else's."""

import asyncio
import io
import re
import secrets
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from PIL import Image

from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.pages import console_with_quota, form_of, signed_in, text_of
from tests.support.people import signed_in_staff
from tests.support.printed import codes_in, sheet
from tests.support.quota import Programme, bureau_of, issued

PAGE = "/console/hospital"
SUB_CODES = f"{PAGE}/sub-codes"
# The only places in which an address could name somebody else's row.
FOREIGN = ("/files/qr.svg?scene={scene}", "/files/poster-a4.pdf?scene={scene}", "/trace?event_id=e-2")


@dataclass(frozen=True, slots=True)
class Ward:
    """The staff of hospital 甲, and of 丙 with 20 cards of August, of which 甲 has 3 of its quota of 600."""

    own: httpx.AsyncClient
    programme: Programme


@pytest.fixture(scope="module")
async def ward(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Ward]:
    async with console_with_quota(settings, clock) as client:
        bureau = await bureau_of(client, kit)
        programme = await bureau.programme(
            f"own-{secrets.token_hex(4)}", total=1000, title="电子健康卡发卡任务", ends_on="2020-12-31"
        )
        cards = [issued(programme, "甲", n, n, "2020-08-10") for n in (1, 3, 4)]
        cards += [issued(programme, "丙", 2, 2, "2020-08-10")]
        cards += [issued(programme, "丙", n, n, "2020-08-11") for n in range(100, 119)]
        assert set(await programme.send(*cards)) == {"counted"}
        await bureau.approved(f"{programme.path}/rankings/freeze", {"month": "2020-08"})
        await bureau.fold()
        own = await signed_in_staff(kit, Role.HOSPITAL, hospital_id=programme.id("甲"))
        client.cookies.clear()
        yield Ward(signed_in(client, own), programme)


class TestOwnPage:
    async def test_shows_the_hospital_s_own_figures_and_rank(self, ward: Ward) -> None:
        first = await ward.own.get("/console")
        assert (first.status_code, first.headers["location"]) == (303, PAGE)
        page = await ward.own.get(PAGE)
        shown = text_of(page)
        for fact in ("甲", "电子健康卡发卡任务", "任务数 600 还差 597", "完成率 0.5%", "2020-12-31"):
            assert fact in shown, shown
        assert re.search(r"2020-08：第 \d 名", shown)
        for part in ("其中有效 3", "逐月发卡与名次", "2020-08 3 3 0.5%", "科室与人员码", "归属申诉"):
            assert part in shown, shown
        assert f"/quota/v1/s/{ward.programme.scene('甲')}" in shown

    async def test_nothing_of_others_stands_on_it(self, ward: Ward) -> None:
        for path in (PAGE, SUB_CODES, f"{PAGE}/trace"):
            page = (await ward.own.get(path)).text
            for other in ("乙", "丙"):
                assert ward.programme.scene(other) not in page
                assert ward.programme.id(other) not in page
                assert f">{other}<" not in page

    async def test_english_is_there_by_a_switch(self, ward: Ward) -> None:
        page = await ward.own.get(PAGE, headers={"Accept-Language": "en"})
        assert "Cards issued" in page.text
        assert "Published rank" in page.text


class TestFiles:
    async def test_are_those_of_the_own_code(self, ward: Ward) -> None:
        address = f"/quota/v1/s/{ward.programme.scene('甲')}"
        picture = await ward.own.get(f"{PAGE}/files/qr.png")
        assert picture.headers["content-type"] == "image/png"
        drawn = Image.open(io.BytesIO(picture.content))
        assert round(drawn.info["dpi"][0]) == 300
        assert [code.endswith(address) for code in codes_in(drawn)] == [True]
        assert (await ward.own.get(f"{PAGE}/files/qr.svg")).content.startswith(b"<?xml")
        for name, width in (("poster-a4.pdf", 210), ("poster-banner.pdf", 800)):
            answer = await ward.own.get(f"{PAGE}/files/{name}")
            assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
            printed = sheet(answer.content)
            assert printed.width_mm == width
            assert [code.endswith(address) for code in printed.codes] == [True]

    async def test_printed_codes_lead_to_where_people_reach_the_platform(self, ward: Ward) -> None:
        (address,) = sheet((await ward.own.get(f"{PAGE}/files/poster-a4.pdf")).content).codes
        assert address.startswith("http://hv.test/quota/v1/s/")

    async def test_all_of_them_come_in_one_archive(self, ward: Ward) -> None:
        await new_sub_code(ward, "档案科", "department")
        answer = await ward.own.get(f"{PAGE}/files/all.zip")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            names = archive.namelist()
            folders = {name.split("/")[0] for name in names if "/" in name}
            assert folders == {"0001_甲"}
            assert any("科室_档案科/poster-a4.pdf" in name for name in names)

    @pytest.mark.parametrize("name", ["qr.gif", "poster.pdf", "..%2Fcodes", "codes"])
    async def test_no_other_name_leads_anywhere(self, ward: Ward, name: str) -> None:
        assert (await ward.own.get(f"{PAGE}/files/{name}")).status_code == 404


class TestBorders:
    @pytest.mark.parametrize("path", FOREIGN)
    async def test_another_hospital_s_ids_in_the_address_show_nothing(self, ward: Ward, path: str) -> None:
        programme = ward.programme
        refused = await ward.own.get(PAGE + path.format(scene=programme.scene("丙")))
        assert refused.status_code in {403, 404}
        assert refused.headers["content-type"].startswith("text/html")
        for secret in ("丙", programme.id("丙")):
            assert secret not in text_of(refused)

    async def test_another_hospital_s_sub_code_cannot_be_retired(
        self, ward: Ward, kit: Kit, settings: Settings, clock: ManualClock
    ) -> None:
        scene = ward.programme.scene("丙")
        form = form_of(await ward.own.get(SUB_CODES))
        for code in (scene, ward.programme.scene("甲"), "%2E%2E"):
            refused = await ward.own.post(
                f"{SUB_CODES}/{code}/retire", data={**form, "reason": "试一试", "request_no": ""}
            )
            assert refused.status_code == 404
        async with console_with_quota(settings, clock) as client:
            other = signed_in(
                client, await signed_in_staff(kit, Role.HOSPITAL, hospital_id=ward.programme.id("丙"))
            )
            assert scene in (await other.get(PAGE)).text

    @pytest.mark.parametrize("path", ["", "/sub-codes", "/trace", "/files/qr.svg", "/files/all.zip"])
    @pytest.mark.parametrize("role", [Role.ADMIN, Role.AUDITOR, Role.INSTITUTION])
    async def test_these_pages_are_for_hospitals(
        self, settings: Settings, clock: ManualClock, kit: Kit, role: Role, path: str
    ) -> None:
        async with console_with_quota(settings, clock) as client:
            headers = await signed_in_staff(kit, role, institution_id="i1")
            assert (await signed_in(client, headers).get(PAGE + path)).status_code == 403

    @pytest.mark.parametrize(
        "path", ["/quota/codes", "/quota/codes/all.zip?programme=x", "/quota/codes/h/qr.svg", "/integrity"]
    )
    async def test_the_bureau_s_pages_are_not_theirs(self, ward: Ward, path: str) -> None:
        assert (await ward.own.get(f"/console{path}")).status_code == 403

    async def test_a_hospital_that_is_in_no_programme_is_told_so(
        self, settings: Settings, clock: ManualClock, kit: Kit
    ) -> None:
        async with console_with_quota(settings, clock) as client:
            headers = await signed_in_staff(kit, Role.HOSPITAL, hospital_id="hos_nowhere")
            page = await signed_in(client, headers).get(PAGE)
            assert page.status_code == 404
            assert "没有找到" in page.text


async def new_sub_code(ward: Ward, label: str, kind: str, **changed: str) -> httpx.Response:
    form = form_of(await ward.own.get(SUB_CODES))
    return await ward.own.post(SUB_CODES, data={**form, "label": label, "kind": kind, **changed})


class TestSubCodes:
    async def test_are_made_printed_and_retired(self, ward: Ward) -> None:
        made = await new_sub_code(ward, "儿科", "department")
        assert (made.status_code, made.headers["location"]) == (303, f"{SUB_CODES}?done=made")
        page = await ward.own.get(made.headers["location"])
        assert "已新建" in page.text
        (scene,) = re.findall(r"儿科.*?/files/qr\.png\?scene=([0-9A-Z]{12})", page.text, re.DOTALL)[:1]
        printed = sheet((await ward.own.get(f"{PAGE}/files/poster-a4.pdf?scene={scene}")).content)
        assert "儿科" in printed.text
        assert [code.endswith(scene) for code in printed.codes] == [True]
        form = {**form_of(page), "reason": "科室合并"}
        retired = await ward.own.post(f"{SUB_CODES}/{scene}/retire", data=form)
        assert retired.headers["location"] == f"{SUB_CODES}?done=retired"
        after = text_of(await ward.own.get(SUB_CODES))
        assert "科室合并" in after

    async def test_a_form_that_is_sent_twice_makes_one_code(self, ward: Ward) -> None:
        form = {**form_of(await ward.own.get(SUB_CODES)), "label": "骨科", "kind": "department"}
        answers = await asyncio.gather(*(ward.own.post(SUB_CODES, data=form) for _ in range(3)))
        assert [answer.status_code for answer in answers] == [303, 303, 303]
        assert (await ward.own.get(SUB_CODES)).text.count(">骨科<") == 1

    @pytest.mark.parametrize(
        ("label", "kind", "status", "sentence"),
        [
            ("药剂科", "department", 409, "sub_code_label_taken"),
            ("李护士 13800001234", "staff", 422, "名称中不得含手机号码或证件号码"),
            ("", "channel", 422, "invalid_request"),
            ("门诊", "kitchen", 422, "invalid_request"),
        ],
    )
    async def test_a_refusal_is_said_above_the_form(
        self, ward: Ward, label: str, kind: str, status: int, sentence: str
    ) -> None:
        if status == 409:
            await new_sub_code(ward, label, kind)
        page = await new_sub_code(ward, label, kind)
        assert page.status_code == status
        assert sentence in page.text
        assert f'value="{label}"' in page.text

    async def test_a_form_of_elsewhere_is_refused(self, ward: Ward) -> None:
        refused = await new_sub_code(ward, "别处", "channel", form_token="0" * 64)
        assert refused.status_code == 403


class TestTrace:
    async def test_says_why_an_own_event_counts(self, ward: Ward) -> None:
        page = await ward.own.get(f"{PAGE}/trace?event_id=e-1")
        shown = text_of(page)
        assert "持卡人最先通过该院二维码领卡" in shown
        assert "计入医院 甲" in shown

    @pytest.mark.parametrize(("event_id", "status", "code"), [
        ("e-nobody", 404, "event_unknown"), ("e-2", 403, "forbidden"), ("a/../b", 404, "event_unknown"),
    ])  # fmt: skip
    async def test_an_event_that_is_not_theirs_is_refused_on_the_page(
        self, ward: Ward, event_id: str, status: int, code: str
    ) -> None:
        page = await ward.own.get(f"{PAGE}/trace", params={"event_id": event_id})
        assert page.status_code == status
        assert code in page.text
        assert f'value="{event_id}"' in page.text


class TestAppeals:
    async def appealed(self, ward: Ward, event_id: str, **changed: str) -> httpx.Response:
        form = form_of(await ward.own.get(f"{PAGE}/trace?event_id=e-3"))
        data = {**form, "event_id": event_id, "reason": "持卡人在本院申领", **changed}
        return await ward.own.post(f"{PAGE}/appeals", data=data)

    async def test_an_appeal_is_lodged_once_and_seen_by_the_hospital(self, ward: Ward) -> None:
        lodged = await self.appealed(ward, "e-3")
        assert lodged.headers["location"] == f"{PAGE}/trace?event_id=e-3&done=lodged"
        page = await ward.own.get(lodged.headers["location"])
        assert "申诉已提交" in page.text
        assert "待答复" in page.text
        again = await self.appealed(ward, "e-3")
        assert (again.status_code, "appeal_open" in again.text) == (409, True)
        assert 'value="持卡人在本院申领"' in again.text

    @pytest.mark.parametrize(
        ("event_id", "changed", "status"),
        [
            ("e-2", {}, 403),
            ("e-nobody", {}, 404),
            ("e-4", {"reason": ""}, 422),
            ("e-4", {"form_token": "0" * 64}, 403),
        ],
    )
    async def test_no_appeal_about_what_is_not_theirs(
        self, ward: Ward, event_id: str, changed: dict[str, str], status: int
    ) -> None:
        assert (await self.appealed(ward, event_id, **changed)).status_code == status


async def test_the_bureau_has_every_hospital_s_files(
    settings: Settings, clock: ManualClock, kit: Kit, ward: Ward
) -> None:
    async with console_with_quota(settings, clock) as client:
        clerk = signed_in(client, await signed_in_staff(kit, Role.AUDITOR))
        page = await clerk.get("/console/quota/codes")
        for name in ("甲", "乙", "丙"):
            assert ward.programme.scene(name) in page.text
        files = f"/console/quota/codes/{ward.programme.id('丙')}"
        (address,) = sheet((await clerk.get(f"{files}/poster-a4.pdf")).content).codes
        assert address.endswith(ward.programme.scene("丙"))
        assert (await clerk.get(f"{files}/qr.gif")).status_code == 404
        assert (await clerk.get("/console/quota/codes/hos_none/qr.svg")).status_code == 404
        unknown = await clerk.get("/console/quota/codes?programme=none")
        assert unknown.status_code == 404
        path = f"/console/quota/codes/all.zip?programme={ward.programme.slug}"
        with zipfile.ZipFile(io.BytesIO((await clerk.get(path)).content)) as archive:
            assert len(archive.namelist()) == 1 + 3 * 4
