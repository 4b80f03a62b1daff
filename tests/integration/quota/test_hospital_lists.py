"""Lists of hospitals whose names drift: found by any name, asked where one is near, never guessed."""

import io
import json
import secrets
import zipfile

import pytest

from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from tests.support.people import signed_in_staff
from tests.support.quota import API, Bureau, Json, definition, sheet

MINE = "乐清市人民医院"
OTHER = "乐清市中医院"


@pytest.fixture
async def slug(bureau: Bureau) -> str:
    name = f"names-{secrets.token_hex(4)}"
    await bureau.post("programmes", definition(name))
    await take(bureau, name, (("A", MINE, 100), ("", OTHER, 50)))
    return name


async def take(
    bureau: Bureau,
    slug: str,
    rows: tuple[tuple[object, ...], ...],
    *,
    header: str | None = None,
    **form: Json,
) -> Json:
    content = sheet(*rows, **({"header": header} if header else {}))
    query = "?dry_run=true" if form.pop("dry_run", False) else ""
    return await bureau.upload(f"programmes/{slug}/hospitals/import{query}", content, **form)


async def listed(bureau: Bureau, slug: str, query: str = "") -> dict[str, Json]:
    items = (await bureau.get(f"programmes/{slug}/hospitals?limit=200{query}"))["items"]
    return {item["hospital"]: item for item in items}


async def test_a_near_name_is_asked_about_and_nothing_is_made_of_it(bureau: Bureau, slug: str) -> None:
    report = await take(bureau, slug, (("A", "乐清人民医院", 120), ("A", "白石街道社区卫生服务中心", 9)))
    assert (report["rows"], report["accepted"], report["rejected"], report["duplicates"]) == (2, 1, 1, 0)
    [fault] = report["errors"]
    assert (fault["row"], fault["column"], fault["code"]) == (2, "hospital", "maybe_known")
    [near] = fault["near_matches"]
    assert (near["hospital"], near["matched"], near["score"]) == (MINE, MINE, 0.86)
    assert list(await listed(bureau, slug)) == [MINE, OTHER, "白石街道社区卫生服务中心"]


async def test_a_clerk_says_who_is_meant_and_may_keep_the_spelling(bureau: Bureau, slug: str) -> None:
    mine = (await listed(bureau, slug))[MINE]["hospital_id"]
    rows = (("A", "乐清人民医院", 120),)
    once_only = await take(bureau, slug, rows, confirm=json.dumps({"2": mine}))
    assert (once_only["updated"], once_only["names_added"]) == (1, 0)
    assert (await take(bureau, slug, rows))["rejected"] == 1
    kept = await take(bureau, slug, rows, confirm=json.dumps({"2": mine}), keep_names="true")
    assert (kept["duplicates"], kept["names_added"]) == (1, 1)
    again = await take(bureau, slug, (("A", " 乐清人民医院", 130),))
    assert (again["updated"], again["errors"]) == (1, [])
    assert (await listed(bureau, slug))[MINE]["visits"] == 130


async def test_a_clerk_says_that_it_is_a_new_one(bureau: Bureau, slug: str) -> None:
    report = await take(bureau, slug, (("B", "乐清人民医院", 1),), confirm='{"2": "new"}')
    assert (report["accepted"], report["updated"]) == (1, 0)
    assert list(await listed(bureau, slug)) == [MINE, OTHER, "乐清人民医院"]


async def test_a_dry_run_asks_the_same(bureau: Bureau, slug: str) -> None:
    rows = (("A", "乐清人民医院", 120), (" A", "新医院", 1))
    foreseen = await take(bureau, slug, rows, dry_run=True)
    assert {**await take(bureau, slug, rows), "dry_run": True} == foreseen


@pytest.mark.parametrize(
    ("confirm", "code"),
    [
        ("no json", "confirmation_invalid"),
        ('{"x": "new"}', "confirmation_invalid"),
        ('{"2": 5}', "confirmation_invalid"),
        ('{"9": "new"}', "confirmation_unknown"),
    ],
)
async def test_a_confirmation_that_fits_no_row_is_refused(
    bureau: Bureau, slug: str, confirm: str, code: str
) -> None:
    content = sheet(("A", "乐清人民医院", 120))
    path = f"programmes/{slug}/hospitals/import"
    refused = await bureau.upload(path, content, status=422, confirm=confirm)
    assert [fault["code"] for fault in refused["errors"]] == [code]


async def test_a_confirmed_hospital_of_another_programme_is_a_fault(bureau: Bureau, slug: str) -> None:
    report = await take(bureau, slug, (("A", "乐清人民医院", 120),), confirm='{"2": "hos_elsewhere"}')
    assert [fault["code"] for fault in report["errors"]] == ["confirmation_unknown"]


async def test_other_names_in_the_list_are_taken_by_choice(bureau: Bureau, slug: str) -> None:
    header = "医共体,医院,诊疗人次,曾用名"
    rows = (("A", MINE, 100, "城关医院、老人民医院"), ("A", "新院", 5, f"{OTHER};小新院"))
    plain = await take(bureau, slug, rows, header=header)
    assert (plain["names_added"], plain["errors"]) == (0, [])
    chosen = await take(bureau, slug, rows, header=header, take_aliases="true")
    assert chosen["names_added"] == 3
    assert [(fault["row"], fault["column"], fault["code"]) for fault in chosen["errors"]] == [
        (3, "aliases", "name_taken")
    ]
    assert chosen["rows"] == chosen["accepted"] + chosen["rejected"] + chosen["duplicates"]
    moved = await take(bureau, slug, (("A", "城关医院", 777), ("A", "小新院", 6)))
    assert moved["updated"] == 2
    assert (await listed(bureau, slug))[MINE]["visits"] == 777


async def test_two_names_of_one_hospital_in_a_file_are_one_row_or_a_fault(bureau: Bureau, slug: str) -> None:
    mine = (await listed(bureau, slug))[MINE]["hospital_id"]
    await bureau.post(f"hospitals/{mine}/names", {"name": "总院", "reason": "简称"})
    same = await take(bureau, slug, (("A", MINE, 101), ("A", "总院", 101)))
    assert (same["updated"], same["duplicates"]) == (1, 1)
    other = await take(bureau, slug, (("A", MINE, 102), ("A", "总院", 103)))
    assert (other["updated"], other["rejected"]) == (1, 1)
    assert "第 2 行" in other["errors"][0]["message"]


async def test_an_alliance_keeps_its_spelling_and_one_near_to_another_is_noted(
    bureau: Bureau, slug: str
) -> None:
    await take(bureau, slug, (("人民医院医共体", "丙院", 1),))
    report = await take(bureau, slug, (("人民医院 医共体", "丁院", 1), ("人民医院医供体", "戊院", 1)))
    assert len(report["notes"]) == 1
    assert "人民医院医供体" in report["notes"][0]
    assert (await listed(bureau, slug))["丁院"]["alliance"] == "人民医院医共体"


async def test_an_alias_is_given_with_a_reason_and_taken_back(bureau: Bureau, slug: str) -> None:
    mine = (await listed(bureau, slug))[MINE]["hospital_id"]
    other = (await listed(bureau, slug))[OTHER]["hospital_id"]
    body = {"name": "城关医院", "reason": "老名称", "request_no": secrets.token_hex(8)}
    made = await bureau.post(f"hospitals/{mine}/names", body)
    assert [(name["name"], name["kind"]) for name in made["names"]] == [
        (MINE, "current"),
        ("城关医院", "alias"),
    ]
    assert await bureau.post(f"hospitals/{mine}/names", body, status=200) == made
    for hospital in (mine, other):
        refused = await bureau.post(
            f"hospitals/{hospital}/names", {"name": "城关 医院", "reason": "x"}, status=409
        )
        assert refused["code"] == "hospital_name_taken"
        assert MINE in refused["detail"]
    matched = await bureau.post(
        f"programmes/{slug}/hospitals/match", {"names": ["城关医院", "乐清人民医院", "无"]}, status=200
    )
    assert [(item["hospital"], len(item["near_matches"])) for item in matched["items"]] == [
        (MINE, 0), (None, 1), (None, 0),
    ]  # fmt: skip
    gone = {"name": "城关医院", "reason": "写错"}
    left = await bureau.post(f"hospitals/{mine}/names/withdraw", gone, status=200)
    assert left["names"][1]["withdrawn_reason"] == "写错"
    refused = await bureau.post(f"hospitals/{mine}/names/withdraw", gone, status=404)
    assert refused["code"] == "hospital_name_unknown"
    await bureau.post(f"hospitals/{other}/names", {"name": "城关医院", "reason": "实属该院"})


async def test_a_renamed_hospital_is_found_by_both_names_and_may_take_the_old_one_back(
    bureau: Bureau, slug: str
) -> None:
    mine = (await listed(bureau, slug))[MINE]["hospital_id"]
    rename = {"name": "乐清总医院", "kind": "current", "reason": "更名批复"}
    await bureau.post(f"hospitals/{mine}/names", rename)
    report = await take(bureau, slug, (("A", MINE, 7), ("A", "乐清总医院", 7)))
    assert (report["updated"], report["duplicates"], report["errors"]) == (1, 1, [])
    current = {"name": MINE, "reason": "x"}
    assert await bureau.post(
        f"hospitals/{mine}/names/withdraw", {**current, "name": "乐清总医院"}, status=404
    )
    await bureau.post(f"hospitals/{mine}/names", {**rename, "name": MINE})
    names = (await bureau.get(f"hospitals/{mine}/names"))["names"]
    in_use = [(name["name"], name["kind"]) for name in names if name["withdrawn_at"] is None]
    assert set(in_use) == {("乐清总医院", "former"), (MINE, "current")}


async def test_one_hospital_is_added_unless_it_may_be_known(bureau: Bureau, slug: str) -> None:
    body = {"hospital": "乐清人民医院", "visits": 3, "reason": "补录"}
    path = f"programmes/{slug}/hospitals"
    refused = await bureau.post(path, body, status=409)
    assert refused["code"] == "maybe_known"
    assert [near["hospital"] for near in refused["near_matches"]] == [MINE]
    taken = await bureau.post(path, {**body, "hospital": f"{OTHER} "}, status=409)
    assert taken["code"] == "hospital_name_taken"
    made = await bureau.post(path, {**body, "confirmed_new": True})
    assert (await listed(bureau, slug))["乐清人民医院"]["scene"] == made["scene"]


async def test_the_list_is_narrowed_by_alliance_state_and_any_name(bureau: Bureau, slug: str) -> None:
    mine = (await listed(bureau, slug))[MINE]["hospital_id"]
    await bureau.post(f"hospitals/{mine}/names", {"name": "城关医院", "reason": "老名称"})
    assert list(await listed(bureau, slug, "&alliance=A")) == [MINE]
    assert list(await listed(bureau, slug, "&alliance=")) == [OTHER]
    assert list(await listed(bureau, slug, "&q=城关")) == [MINE]
    assert list(await listed(bureau, slug, "&state=closed")) == []
    await bureau.get(f"programmes/{slug}/hospitals?state=gone", status=422)
    await bureau.get(f"programmes/{slug}/hospitals?on=2020-13-01", status=422)


async def test_the_workbook_is_inert_and_holds_all_names(bureau: Bureau, slug: str) -> None:
    await take(bureau, slug, (("=A", "=1+1", 5),))
    mine = (await listed(bureau, slug))[MINE]["hospital_id"]
    await bureau.post(f"hospitals/{mine}/names", {"name": "城关医院", "reason": "老名称"})
    answer = await bureau.client.get(f"{API}/programmes/{slug}/hospitals.xlsx", headers=bureau.auditor)
    cells = {cell for row in read_rows(answer.content) for cell in row.cells}
    assert {"=1+1", "=A", "城关医院", MINE} <= cells
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


async def test_only_writers_name_and_a_hospital_sees_its_own_names(bureau: Bureau, slug: str) -> None:
    hospitals = await listed(bureau, slug)
    mine, other = hospitals[MINE]["hospital_id"], hospitals[OTHER]["hospital_id"]
    own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=mine)
    await bureau.get(f"hospitals/{mine}/names", headers=own)
    await bureau.get(f"hospitals/{other}/names", status=403, headers=own)
    await bureau.get(f"programmes/{slug}/hospitals.xlsx", status=403, headers=own)
    await bureau.get("hospitals/hos_none/names", status=404)
    for headers in (own, bureau.auditor):
        body = {"name": "x", "reason": "x"}
        await bureau.post(f"hospitals/{mine}/names", body, status=403, headers=headers)
        await bureau.post(f"hospitals/{mine}/names/withdraw", body, status=403, headers=headers)
        made = {"hospital": "x", "visits": 1, "reason": "x"}
        await bureau.post(f"programmes/{slug}/hospitals", made, status=403, headers=headers)
