"""Posters and the archive of all codes, read back as a printer and a camera see them."""

import asyncio
import csv
import io
import secrets
import time
import zipfile
from datetime import UTC, datetime

import httpx
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from services.quota.app import create_app
from shared.clock import ManualClock
from shared.documents.posters import A4, BANNER, Poster, Size, poster
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.printed import codes_in, sheet
from tests.support.quota import API, Bureau, Programme

LONG = "温州医科大学附属第一医院乐清国际医疗健康产业示范区妇女儿童保健与康复联合诊疗中心（北院区）"
SLOGAN = "一码在手，看病不愁"


@pytest.fixture(scope="module")
async def programme(bureau: Bureau) -> Programme:
    return await bureau.programme(
        f"posters-{secrets.token_hex(4)}",
        ("A", "甲医院", 600),
        ("A", LONG, 300),
        ("", "丙/医院", 100),
        title="乐清市2020年电子健康卡发卡任务",
        slogan=SLOGAN,
        landing_url="https://card.example.org/apply?from={scene}",
    )


async def fetched(bureau: Bureau, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    answer = await bureau.client.get(f"{API}/{path}", headers=headers or bureau.operator)
    assert answer.status_code == 200, answer.text
    return answer


class TestPoster:
    @pytest.mark.parametrize("name", ["甲医院", LONG])
    @pytest.mark.parametrize(("query", "size"), [("", A4), ("?format=a4", A4), ("?format=banner", BANNER)])
    async def test_says_whose_it_is_and_leads_to_the_landing_address(
        self, bureau: Bureau, programme: Programme, name: str, query: str, size: Size
    ) -> None:
        answer = await fetched(bureau, f"hospitals/{programme.id(name)}/poster.pdf{query}")
        assert answer.headers["content-type"] == "application/pdf"
        seen = sheet(answer.content)
        assert (seen.width_mm, seen.height_mm) == (size.width_mm, size.height_mm)
        for text in (name, SLOGAN, "乐清市2020年电子健康卡发卡任务"):
            assert text in seen.text
        (address,) = seen.codes
        assert address == f"http://hv.test{API}/s/{programme.scene(name)}"
        scanned = await bureau.client.get(address.removeprefix("http://hv.test"))
        assert scanned.headers["location"] == f"https://card.example.org/apply?from={programme.scene(name)}"

    async def test_shows_the_code_in_use(self, bureau: Bureau, programme: Programme) -> None:
        path = f"hospitals/{programme.id('丙/医院')}"
        made = await bureau.post(f"{path}/codes/{programme.scene('丙/医院')}/replace", {"reason": "海报破损"})
        (address,) = sheet((await fetched(bureau, f"{path}/poster.pdf")).content).codes
        assert address.endswith(made["scene"])

    async def test_a_hospital_prints_its_own_only(self, bureau: Bureau, programme: Programme) -> None:
        own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("甲医院"))
        for name, status in (("甲医院", 200), (LONG, 403)):
            address = f"{API}/hospitals/{programme.id(name)}/poster.pdf"
            assert (await bureau.client.get(address, headers=own)).status_code == status
        unknown = f"{API}/hospitals/hos_none/poster.pdf"
        assert (await bureau.client.get(unknown, headers=own)).status_code == 403
        assert (await bureau.client.get(unknown, headers=bureau.operator)).status_code == 404
        assert (await bureau.client.get(unknown)).status_code == 401
        odd = await bureau.client.get(f"{unknown}?format=a3", headers=bureau.operator)
        assert odd.status_code == 422

    async def test_a_demonstration_is_marked(
        self, bureau: Bureau, programme: Programme, settings: Settings, clock: ManualClock
    ) -> None:
        path = f"{API}/hospitals/{programme.id('甲医院')}/poster.pdf"
        for demo in (True, False):
            chosen = settings.model_copy(update={"demo": demo})
            async with serving(quota=create_app(chosen, clock=clock)) as client:
                answer = await client.get(path, headers=bureau.operator)
            assert ("演示数据" in sheet(answer.content).text) is demo

    def test_a_quarter_of_the_middle_may_be_lost(self) -> None:
        content = Poster("t", "n", "s", "https://card.example.org/quota/v1/s/0123456789AB", "c")
        document = poster(content, A4, at=datetime(2026, 1, 1, tzinfo=UTC))
        picture = pypdfium2.PdfDocument(document)[0].render(scale=2).to_pil()
        middle_x, middle_y = picture.width / 2, picture.height * 0.335 + 60 * picture.height / 297
        torn = 18 * picture.width / 210
        ImageDraw.Draw(picture).rectangle(
            (middle_x - torn, middle_y - torn, middle_x + torn, middle_y + torn), fill="white"
        )
        assert codes_in(picture) == [content.address]


class TestPicture:
    @pytest.mark.parametrize("dpi", [72, 300, 1200])
    async def test_is_eight_centimetres_wide_at_its_resolution(
        self, bureau: Bureau, programme: Programme, dpi: int
    ) -> None:
        answer = await fetched(bureau, f"hospitals/{programme.id('甲医院')}/qr.png?dpi={dpi}")
        picture = Image.open(io.BytesIO(answer.content))
        assert round(picture.info["dpi"][0]) == dpi
        assert 80 <= picture.width / dpi * 25.4 < 100
        assert codes_in(picture) == [f"http://hv.test{API}/s/{programme.scene('甲医院')}"]

    @pytest.mark.parametrize("query", ["dpi=71", "dpi=1201", "scale=0", "scale=61"])
    async def test_stays_within_its_bounds(self, bureau: Bureau, programme: Programme, query: str) -> None:
        address = f"{API}/hospitals/{programme.id('甲医院')}/qr.png?{query}"
        assert (await bureau.client.get(address, headers=bureau.operator)).status_code == 422


class TestArchive:
    async def test_holds_every_hospital_s_files_and_their_list(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        answer = await fetched(bureau, f"{programme.path}/qr.zip")
        assert answer.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            listed = archive.read("二维码清单.csv")
            assert listed.startswith(b"\xef\xbb\xbf")
            rows = list(csv.DictReader(io.StringIO(listed.decode("utf-8-sig"))))
            assert [row["医院"] for row in rows] == ["甲医院", LONG, "丙/医院"]
            names = {"二维码清单.csv"}
            for row in rows:
                kinds = ("qr.svg", "qr.png", "poster-a4.pdf", "poster-banner.pdf")
                names |= {f"{row['文件夹']}/{kind}" for kind in kinds}
                address = f"http://hv.test{API}/s/{row['编码']}"
                assert row["链接"] == address
                picture = Image.open(io.BytesIO(archive.read(f"{row['文件夹']}/qr.png")))
                assert codes_in(picture) == [address]
                printed = sheet(archive.read(f"{row['文件夹']}/poster-a4.pdf"))
                assert printed.codes == [address]
                assert row["医院"] in printed.text
            assert set(archive.namelist()) == names

    async def test_a_hospital_gets_its_own_files_only(
        self, bureau: Bureau, programme: Programme, kit: Kit
    ) -> None:
        own = await signed_in_staff(kit, Role.HOSPITAL, hospital_id=programme.id("甲医院"))
        answer = await fetched(bureau, f"{programme.path}/qr.zip", own)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            folders = {name.split("/")[0] for name in archive.namelist() if "/" in name}
        assert folders == {"0001_甲医院"}
        foreign = await signed_in_staff(kit, Role.HOSPITAL, hospital_id="hos_other")
        refused = await bureau.client.get(f"{API}/{programme.path}/qr.zip", headers=foreign)
        assert refused.status_code == 403
        unknown = await bureau.client.get(f"{API}/programmes/none/qr.zip", headers=bureau.operator)
        assert unknown.status_code == 404

    async def test_a_programme_without_hospitals_has_an_empty_list(self, bureau: Bureau) -> None:
        slug = f"empty-{secrets.token_hex(4)}"
        await bureau.post(
            "programmes", {"slug": slug, "title": "空", "target_cards": 1, "timezone": "Asia/Shanghai"}
        )
        answer = await fetched(bureau, f"programmes/{slug}/qr.zip")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.namelist() == ["二维码清单.csv"]

    async def test_thirty_seven_hospitals_are_quick_and_others_are_answered_meanwhile(
        self, bureau: Bureau
    ) -> None:
        rows = [("A", f"第{number}医院", 10) for number in range(37)]
        many = await bureau.programme(f"many-{secrets.token_hex(4)}", *rows)
        started = time.monotonic()
        making = asyncio.create_task(fetched(bureau, f"{many.path}/qr.zip"))
        waits = []
        while not making.done():
            asked = time.monotonic()
            await bureau.client.get(f"{API}/s/{many.scene('第0医院')}")
            waits.append(time.monotonic() - asked)
            await asyncio.sleep(0.05)
        with zipfile.ZipFile(io.BytesIO((await making).content)) as archive:
            assert len(archive.namelist()) == 1 + 4 * 37
        assert time.monotonic() - started < 30
        assert len(waits) > 3
        assert max(waits) < 2


class TestSubCodesInTheArchive:
    async def test_stand_below_their_hospital_when_they_are_asked_for(self, bureau: Bureau) -> None:
        made = await bureau.programme(f"sub-{secrets.token_hex(4)}", ("A", "甲医院", 6), ("A", "乙医院", 4))
        labels = [("department", "儿科/门诊"), ("staff", "工号0012")]
        scenes = [
            (await bureau.post(f"hospitals/{made.id('甲医院')}/codes", {"kind": kind, "label": label}))[
                "scene"
            ]
            for kind, label in labels
        ]
        retired = await bureau.post(
            f"hospitals/{made.id('乙医院')}/codes", {"kind": "channel", "label": "停用的"}
        )
        await bureau.post(
            f"hospitals/{made.id('乙医院')}/codes/{retired['scene']}/retire", {"reason": "不用"}, status=200
        )
        plain = await fetched(bureau, f"{made.path}/qr.zip")
        whole = await fetched(bureau, f"{made.path}/qr.zip?sub_codes=true")
        with zipfile.ZipFile(io.BytesIO(plain.content)) as archive:
            assert len(archive.namelist()) == 1 + 2 * 4
        with zipfile.ZipFile(io.BytesIO(whole.content)) as archive:
            assert len(archive.namelist()) == 1 + 4 * 4
            rows = list(csv.DictReader(io.StringIO(archive.read("二维码清单.csv").decode("utf-8-sig"))))
            assert [(row["医院"], row["类别"], row["名称"]) for row in rows] == [
                ("甲医院", "本院", ""),
                ("甲医院", "科室", "儿科/门诊"),
                ("甲医院", "人员", "工号0012"),
                ("乙医院", "本院", ""),
            ]
            assert [row["编码"] for row in rows[1:3]] == scenes
            assert rows[1]["文件夹"] == "0001_甲医院/001_科室_儿科_门诊"
            printed = sheet(archive.read(f"{rows[1]['文件夹']}/poster-a4.pdf"))
            assert printed.codes == [rows[1]["链接"]]
            assert "儿科/门诊" in printed.text
