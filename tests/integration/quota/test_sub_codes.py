"""Codes of departments, channels and staff: all count for their hospital, and the table adds up."""

import io
import secrets

import pytest
from PIL import Image

from services.quota.qrcodes.rules import make_scene
from services.quota.subcodes import operations
from shared.identity.staff import Role
from shared.ids import random_symbols
from tests.support.people import signed_in_staff
from tests.support.printed import codes_in, sheet
from tests.support.quota import API, Bureau, Json, Programme, event


@pytest.fixture
async def programme(bureau: Bureau) -> Programme:
    return await bureau.programme(f"sub-{secrets.token_hex(4)}", total=1000)


async def made(
    programme: Programme, hospital: str, label: str, kind: str = "department", **call: Json
) -> Json:
    path = f"hospitals/{programme.id(hospital)}/codes"
    return await programme.bureau.post(path, {"kind": kind, "label": label}, **call)


async def table(programme: Programme, hospital: str) -> Json:
    return await programme.bureau.get(f"hospitals/{programme.id(hospital)}/sub-codes")


async def counted(programme: Programme, hospital: str) -> dict[str, tuple[int, int, int]]:
    """(scans, issued, used) by label, of the hospital's own, of what has no code, and of all."""
    told = await table(programme, hospital)
    parts = {item["label"]: item for item in told["items"]}
    parts |= {name: told[name] for name in ("own", "uncoded", "total")}
    found = {name: (part["scans"], part["issued"], part["used"]) for name, part in parts.items()}
    columns = zip(*(part for name, part in found.items() if name != "total"), strict=True)
    assert tuple(map(sum, columns)) == found["total"]
    return found


class TestCounting:
    async def test_cards_of_a_sub_code_count_for_it_and_for_its_hospital(self, programme: Programme) -> None:
        inner = (await made(programme, "甲", "内科"))["scene"]
        channel = (await made(programme, "甲", "公众号", "channel"))["scene"]
        outcomes = await programme.send(
            event(1, scene=inner),
            event(2, scene=inner.lower()),
            event(3, scene=channel),
            event(4, scene=programme.scene("甲")),
            event(5, scene=programme.scene("乙")),
            event(6, "2020-08-11", kind="used", holder_ref="holder-1"),
        )
        assert set(outcomes) == {"counted"}
        await programme.bureau.client.get(f"{API}/s/{inner}")
        assert await counted(programme, "甲") == {
            "内科": (1, 2, 1),
            "公众号": (0, 1, 0),
            "own": (0, 1, 0),
            "uncoded": (0, 0, 0),
            "total": (1, 4, 1),
        }
        assert await programme.issued() == {"甲": 4, "乙": 1}

    async def test_a_replaced_and_a_retired_code_go_on_counting(self, programme: Programme) -> None:
        path = f"hospitals/{programme.id('甲')}/codes"
        bureau = programme.bureau
        first = (await made(programme, "甲", "内科"))["scene"]
        second = (await bureau.post(f"{path}/{first}/replace", {"reason": "破损"}))["scene"]
        await bureau.post(f"{path}/{second}/retire", {"reason": "撤科"}, status=200)
        old = programme.scene("甲")
        own = (await bureau.post(f"{path}/{old}/replace", {"reason": "破损"}))["scene"]
        await programme.send(*(event(n, scene=scene) for n, scene in enumerate((first, second, old, own))))
        assert await counted(programme, "甲") == {
            "内科": (0, 2, 0),
            "own": (0, 2, 0),
            "uncoded": (0, 0, 0),
            "total": (0, 4, 0),
        }
        (item,) = (await table(programme, "甲"))["items"]
        assert (item["scene"], item["url"], item["retired_reason"]) == (None, None, "撤科")
        assert item["replaced"] == [first, second]
        assert await programme.issued() == {"甲": 4}

    async def test_a_late_earlier_code_takes_the_card_with_its_use_and_its_end(
        self, programme: Programme
    ) -> None:
        inner = (await made(programme, "甲", "内科"))["scene"]
        outer = (await made(programme, "甲", "外科"))["scene"]
        await programme.send(
            event(1, "2020-08-10", scene=inner, holder_ref="p"),
            event(2, "2020-08-12", kind="used", holder_ref="p"),
        )
        await programme.send(event(3, "2020-08-09", scene=outer, holder_ref="p"))
        found = await counted(programme, "甲")
        assert (found["内科"], found["外科"]) == ((0, 0, 0), (0, 1, 1))
        await programme.send(event(4, "2020-08-13", kind="cancelled", holder_ref="p"))
        await programme.send(event(5, "2020-08-08", scene=inner, holder_ref="p"))
        found = await counted(programme, "甲")
        assert (found["内科"], found["外科"], found["total"]) == ((0, 0, 0),) * 3

    async def test_an_assigned_card_has_no_code(self, programme: Programme) -> None:
        await programme.send(event(f"a-{programme.slug}"))
        await programme.bureau.approved(
            f"{programme.path}/card-events/e-a-{programme.slug}/assign",
            {"hospital_id": programme.id("甲"), "reason": "申诉"},
        )
        found = await counted(programme, "甲")
        assert (found["own"], found["uncoded"], found["total"]) == ((0, 0, 0), (0, 1, 0), (0, 1, 0))


class TestMaking:
    async def test_a_repetition_answers_as_before(self, programme: Programme) -> None:
        path = f"hospitals/{programme.id('甲')}/codes"
        body = {"kind": "staff", "label": "工号 20231", "request_no": f"r-{secrets.token_hex(4)}"}
        first = await programme.bureau.post(path, body)
        assert await programme.bureau.post(path, body, status=200) == first
        assert len((await table(programme, "甲"))["items"]) == 1

    async def test_a_label_is_taken_until_it_is_retired(self, programme: Programme) -> None:
        first = await made(programme, "甲", "内科")
        await made(programme, "乙", "内科")
        await made(programme, "甲", "内科", "channel")
        refused = await made(programme, "甲", " 内科 ", status=409)
        assert refused["code"] == "sub_code_label_taken"
        path = f"hospitals/{programme.id('甲')}/codes/{first['scene']}"
        await programme.bureau.post(f"{path}/retire", {"reason": "x"}, status=200)
        for way in ("retire", "replace"):
            again = await programme.bureau.post(f"{path}/{way}", {"reason": "x"}, status=409)
            assert again["code"] == "no_longer_fits"
        await made(programme, "甲", "内科")

    async def test_a_hospital_has_so_many_at_most(
        self, programme: Programme, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(operations, "IN_USE_MAX", 1)
        await made(programme, "甲", "内科")
        assert (await made(programme, "甲", "外科", status=409))["code"] == "sub_codes_full"

    @pytest.mark.parametrize(
        "body",
        [
            {"kind": "ward", "label": "x"},
            {"kind": "staff", "label": ""},
            {"kind": "staff", "label": "x" * 41},
            {"kind": "staff", "label": "张 13800138000"},
            {"kind": "staff"},
            {"kind": "staff", "label": "x", "more": 1},
        ],
    )
    async def test_what_is_malformed_is_refused(self, programme: Programme, body: Json) -> None:
        await programme.bureau.post(f"hospitals/{programme.id('甲')}/codes", body, status=422)

    async def test_only_codes_of_that_hospital_are_changed(self, programme: Programme) -> None:
        other = (await made(programme, "乙", "内科"))["scene"]
        path = f"hospitals/{programme.id('甲')}/codes"
        for scene in (other, make_scene(random_symbols), "x"):
            for way in ("retire", "replace"):
                refused = await programme.bureau.post(f"{path}/{scene}/{way}", {"reason": "x"}, status=404)
                assert refused["code"] == "code_unknown"
        own = await programme.bureau.post(
            f"{path}/{programme.scene('甲')}/retire", {"reason": "x"}, status=404
        )
        assert own["code"] == "code_unknown"


class TestRoles:
    async def test_a_hospital_has_sub_codes_of_its_own_only(self, programme: Programme) -> None:
        bureau = programme.bureau
        own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("甲"))
        mine = await made(programme, "甲", "内科", headers=own)
        theirs = await made(programme, "乙", "内科")
        await made(programme, "乙", "外科", status=403, headers=own)
        await bureau.get(f"hospitals/{programme.id('甲')}/sub-codes", headers=own)
        await bureau.get(f"hospitals/{programme.id('乙')}/sub-codes", status=403, headers=own)
        foreign = f"hospitals/{programme.id('乙')}/codes/{theirs['scene']}"
        path = f"hospitals/{programme.id('甲')}/codes"
        for way in ("retire", "replace"):
            await bureau.post(f"{foreign}/{way}", {"reason": "x"}, status=403, headers=own)
        await bureau.post(f"{path}/{programme.scene('甲')}/replace", {"reason": "x"}, status=403, headers=own)
        fresh = await bureau.post(f"{path}/{mine['scene']}/replace", {"reason": "x"}, headers=own)
        await bureau.post(f"{path}/{fresh['scene']}/retire", {"reason": "x"}, status=200, headers=own)

    async def test_an_auditor_reads_and_makes_nothing(self, programme: Programme) -> None:
        bureau = programme.bureau
        await made(programme, "甲", "内科", status=403, headers=bureau.auditor)
        await bureau.get(f"hospitals/{programme.id('甲')}/sub-codes", headers=bureau.auditor)
        await bureau.get("hospitals/hos_none/sub-codes", status=404)


class TestDrawing:
    async def test_a_sub_code_is_drawn_and_printed_with_its_label(self, programme: Programme) -> None:
        bureau = programme.bureau
        scene = (await made(programme, "甲", "内科门诊"))["scene"]
        path = f"{API}/hospitals/{programme.id('甲')}"
        address = f"http://hv.test{API}/s/{scene}"
        png = await bureau.client.get(f"{path}/qr.png?scene={scene}", headers=bureau.operator)
        assert codes_in(Image.open(io.BytesIO(png.content))) == [address]
        svg = await bureau.client.get(f"{path}/qr.svg?scene={scene}", headers=bureau.operator)
        assert "内科门诊" in svg.text
        printed = sheet(
            (await bureau.client.get(f"{path}/poster.pdf?scene={scene}", headers=bureau.operator)).content
        )
        assert printed.codes == [address]
        assert "甲内科门诊" in printed.text

    async def test_codes_out_of_use_and_others_are_not_drawn(self, programme: Programme) -> None:
        bureau = programme.bureau
        scene = (await made(programme, "甲", "内科"))["scene"]
        await bureau.post(f"hospitals/{programme.id('甲')}/codes/{scene}/retire", {"reason": "x"}, status=200)
        for name in (scene, programme.scene("乙"), "x"):
            for kind in ("qr.svg", "qr.png", "poster.pdf"):
                address = f"hospitals/{programme.id('甲')}/{kind}?scene={name}"
                assert (await bureau.get(address, status=404))["code"] == "code_unknown"


async def test_the_list_of_hospitals_is_the_same_with_sub_codes(programme: Programme) -> None:
    before = (await programme.bureau.get(f"{programme.path}/hospitals"))["items"]
    await made(programme, "甲", "内科")
    assert (await programme.bureau.get(f"{programme.path}/hospitals"))["items"] == before
    codes = await programme.bureau.get(f"hospitals/{programme.id('甲')}/codes")
    assert [code["scene"] for code in codes["items"]] == [programme.scene("甲")]
