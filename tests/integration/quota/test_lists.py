"""Parts of figures by hospital, totals of lists, templates, imports that only look, and a programme's end."""

import io
import secrets

import httpx
import pytest
from python_calamine import CalamineWorkbook

from shared.identity.staff import Role
from shared.kit import Kit
from tests.support.people import signed_in_staff
from tests.support.quota import API, Bureau, Json, Programme, event, issued, sheet

HOSPITALS = [(f"第{n % 3}医共体" if n % 3 else "", f"第{n}医院", 100 + n) for n in range(1, 13)]


@pytest.fixture(scope="module")
async def programme(bureau: Bureau) -> Programme:
    made = await bureau.programme(f"lists-{secrets.token_hex(4)}", *HOSPITALS, total=1200)
    await made.send(
        *[issued(made, f"第{n}医院", f"p{n}", f"p{n}", "2020-08-10") for n in range(1, 9)],
        event("stray-1", "2020-08-11"),
        event("stray-2", "2020-08-12", scene="NOBODY2020"),
    )
    await bureau.fold()
    return made


@pytest.mark.parametrize(
    "call", ["allocations/current", "allocations/1", "progress", "rankings?month=2020-08"]
)
async def test_figures_are_read_in_pages_whose_sums_are_of_all(
    bureau: Bureau, programme: Programme, call: str
) -> None:
    sign = "&" if "?" in call else "?"
    path = f"{programme.path}/{call}"
    whole = await bureau.get(path)
    assert (len(whole["items"]), whole["listed"], whole["next_cursor"]) == (12, 12, None)
    walked: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await bureau.get(f"{path}{sign}limit=5{cursor and '&cursor=' + cursor}")
        walked += page["items"]
        cursor = page["next_cursor"]
        assert page["listed"] == 12
        changed = {"items", "next_cursor", "as_of", "warnings"}
        assert {k: v for k, v in page.items() if k not in changed} == {
            k: v for k, v in whole.items() if k not in changed
        }
    assert walked == whole["items"]
    part = await bureau.get(f"{path}{sign}alliance=第1医共体&q=第1")
    assert {item["hospital"] for item in part["items"]} == {"第1医院", "第10医院"}
    assert part["listed"] == 2
    assert (await bureau.get(f"{path}{sign}limit=5&cursor=x", status=422))["code"] == "invalid_request"


async def test_a_preview_is_read_in_pages(bureau: Bureau, programme: Programme) -> None:
    body = {"total": 1000, "method": "largest_remainder", "reason": "测算"}
    page = await bureau.post(f"{programme.path}/allocations/preview?limit=3", body, status=200)
    assert (len(page["items"]), page["listed"], page["sum"]) == (3, 12, 1000)


async def test_a_hospital_finds_its_rank_whatever_part_is_asked_for(
    bureau: Bureau, programme: Programme, kit: Kit
) -> None:
    own = await signed_in_staff(kit, Role.HOSPITAL, hospital_id=programme.id("第12医院"))
    page = await bureau.get(f"{programme.path}/rankings?month=2020-08&limit=1", headers=own)
    assert [item["hospital"] for item in page["items"]] == ["第12医院"]


async def test_lists_tell_how_many_fit(bureau: Bureau, programme: Programme) -> None:
    listed = await bureau.get(f"{programme.path}/hospitals?limit=2&q=第1")
    assert (len(listed["items"]), listed["total"]) == (2, 4)
    strays = await bureau.get(f"{programme.path}/cards/unattributed?limit=1")
    assert (len(strays["items"]), strays["total"]) == (1, 2)
    found = await bureau.get(f"{programme.path}/cards/unattributed?q=NOBODY")
    assert ([one["event_id"] for one in found["items"]], found["total"]) == (["e-stray-2"], 1)
    for name in ("stuffing-cases", "appeals"):
        assert (await bureau.get(f"{programme.path}/{name}"))["total"] == 0


async def test_events_are_looked_at_before_they_are_counted(bureau: Bureau, programme: Programme) -> None:
    path = f"{programme.path}/card-events/import"
    rows = sheet(
        ("e-p1", "", "holder-p1", "发卡", "2020-08-10 10:00:00"),
        ("new-1", "", "h-1", "发卡", "2020-08-12 10:00:00"),
        ("new-1", "", "h-1", "发卡", "2020-08-12 10:00:00"),
        ("new-2", "", "h-2", "赠送", "八月十二"),
        header="事件编号,场景值,持卡人,类型,时间",
    )
    before = (await bureau.get(f"{programme.path}/progress"))["issued"]
    looked = await bureau.upload(f"{path}?dry_run=true", rows)
    assert (looked["rows"], looked["accepted"], looked["rejected"], looked["duplicates"]) == (4, 1, 1, 2)
    assert (looked["dry_run"], {fault["column"] for fault in looked["errors"]}) == (True, {"kind", "at"})
    assert (await bureau.get(f"{programme.path}/progress"))["issued"] == before
    taken = await bureau.upload(path, rows)
    assert (taken["accepted"], taken["rejected"], taken["duplicates"]) == (1, 1, 2)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("hospitals", "诊疗人次 visits*"),
        ("card-events", "持卡人标识 holder_ref*"),
        ("hospital-levels", "级别 level*"),
    ],
)
async def test_templates_have_the_columns_of_the_import(
    bureau: Bureau, programme: Programme, name: str, title: str
) -> None:
    path = f"{API}/{programme.path}/{name}/template.xlsx"
    answer: httpx.Response = await bureau.client.get(path, headers=bureau.auditor)
    assert answer.status_code == 200, answer.text
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    assert title in book.get_sheet_by_index(0).to_python()[0]
    missing = await bureau.client.get(path.replace(programme.slug, "nobody"), headers=bureau.auditor)
    assert missing.status_code == 404


async def test_a_programmes_end_is_moved_by_two_people(bureau: Bureau) -> None:
    made = await bureau.programme(f"end-{secrets.token_hex(4)}", total=900)
    await made.send(issued(made, "甲", 1, 1, "2020-08-10"))
    await bureau.fold()
    path = f"{made.path}/end"
    assert (await bureau.get(f"{made.path}/progress"))["time_share"] is None
    early = await bureau.post(path, {"ends_on": "2020-07-31", "reason": "x"}, status=422)
    assert early["errors"][0]["code"] == "end_invalid"
    body = {"ends_on": "2020-12-31", "reason": "市里定于年底完成", "request_no": "end-1"}
    change = await bureau.post(path, body, status=202)
    assert await bureau.post(path, body, status=200) == change
    own = await bureau.post(f"changes/{change['change_id']}/approve", {}, status=403)
    assert own["code"] == "same_person"
    assert (await bureau.get(made.path))["ends_on"] is None
    await bureau.post(f"changes/{change['change_id']}/approve", {}, status=200, headers=bureau.second)
    assert (await bureau.get(made.path))["ends_on"] == "2020-12-31"
    assert (await bureau.get(f"{made.path}/progress"))["time_share"] is not None
    # What a frozen month said stays; an end before it is none.
    late = await bureau.post(path, {"ends_on": "2020-08-20", "reason": "x"}, status=202)
    await bureau.approved(f"{made.path}/rankings/freeze", {"month": "2020-08"})
    told = await bureau.post(f"changes/{late['change_id']}/approve", {}, status=409, headers=bureau.second)
    assert (told["code"], "2020-08-31" in told["detail"]) == ("no_longer_fits", True)
    await bureau.approved(path, {"ends_on": None, "reason": "尚未确定"})
    assert (await bureau.get(made.path))["ends_on"] is None
    await bureau.post(path, {"ends_on": None, "reason": "x"}, status=403, headers=bureau.auditor)
