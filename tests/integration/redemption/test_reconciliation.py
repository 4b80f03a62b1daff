"""An institution's own list is compared with ours; nothing is lost between the lists."""

import io
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook

from services.redemption.app import create_app
from shared.clients.terminal import Redemption, TerminalClient
from shared.clock import ManualClock, local_day, rfc3339
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.tills import Bureau
from tests.support.vouchers import held_vouchers
from tests.support.workbooks import workbook

PATH = "/redemption/v1/reconciliations"
HEADER = "request_no,voucher_type,applied_fen,redeemed_at"


@pytest.fixture(scope="module")
async def http(
    settings: Settings, clock: ManualClock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[httpx.AsyncClient]:
    folder: Path = tmp_path_factory.mktemp("objects")
    kept = settings.model_copy(update={"objects_dir": folder})
    async with serving(redemption=create_app(kept, clock=clock)) as client:
        yield client


@pytest.fixture(scope="module")
async def till(staff: Bureau, campaign: CampaignRef) -> TerminalClient:
    return await staff.till(await staff.institution(campaign))


@pytest.fixture(scope="module")
async def done(kit: Kit, campaign: CampaignRef, till: TerminalClient) -> list[Redemption]:
    """Five write-offs of a day; the last one is reversed."""
    vouchers = await held_vouchers(kit, campaign, "checkup", 5)
    made = [await till.redeem(voucher.code) for voucher in vouchers]
    await till.reverse(made[-1].request_no, "x")
    return made


def row(one: Redemption, **other: object) -> str:
    values = {
        "request_no": one.request_no,
        "voucher_type": one.voucher_type,
        "applied_fen": one.applied_fen,
        "redeemed_at": rfc3339(one.redeemed_at),
        **other,
    }
    return ",".join(str(value) for value in values.values())


async def reconcile(
    staff: Bureau,
    till: TerminalClient,
    content: bytes,
    day: str,
    **more: Any,  # noqa: ANN401 - any part
) -> httpx.Response:
    fields = {"institution_id": till.institution_id, "from": day, "to": day, **more.get("fields", {})}
    return await staff.http.post(
        PATH,
        files={"file": ("list.csv", content)},
        data=fields,
        headers=more.get("headers", staff.headers),
    )


@pytest.fixture(scope="module")
def day(clock: ManualClock) -> str:
    return local_day(clock.now(), "Asia/Shanghai").isoformat()


async def test_four_lists_with_their_rows_and_a_workbook(
    staff: Bureau, till: TerminalClient, done: list[Redemption], day: str
) -> None:
    lines = [
        HEADER,
        row(done[0]),
        row(done[1], applied_fen=29_999),
        row(done[4]),
        "=cmd,,5000,",
        ",checkup,x,",
    ]
    answer = await reconcile(staff, till, "\n".join(lines).encode(), day)
    assert answer.status_code == 200, answer.text
    found = answer.json()

    assert found["counts"] == {"matched": 1, "only_ours": 2, "only_theirs": 2, "different": 1, "rejected": 1}
    assert [one["request_no"] for one in found["matched"]] == [done[0].request_no]
    assert {one["redemption_id"] for one in found["only_ours"]} == {done[2].id, done[3].id}
    assert [(one["row"], one["hint"]) for one in found["only_theirs"]] == [(4, "reversed"), (5, "unknown")]
    assert [(one["fields"], one["ours"]["applied_fen"]) for one in found["different"]] == [
        (["applied_fen"], 30_000)
    ]
    assert {(fault["row"], fault["column"]) for fault in found["rejected"]} == {
        (6, "请求号"),
        (6, "抵扣金额"),
    }
    assert found["totals"]["ours"] == {"count": 4, "applied_fen": 120_000}
    assert (found["amount_unit"], found["truncated"]) == ("fen", False)

    content = (await staff.http.get(found["workbook"], headers=staff.headers)).content
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["对账结果", "一致", "仅我方有", "仅对方有", "不一致", "无法读取"]
    cells = [cell for line in book.get_sheet_by_name("仅对方有").to_python() for cell in line]
    assert "=cmd" in cells
    assert "我方已冲正" in cells
    listed = (await staff.get("/reconciliations", institution_id=till.institution_id)).json()["items"]
    period = listed[0]["from"], listed[0]["to"]
    beside = (date.fromisoformat(period[1]) + timedelta(days=1)).isoformat()
    totals = [
        (await staff.get("/reconciliations", institution_id=till.institution_id, day=day)).json()["total"]
        for day in (*period, beside)
    ]
    assert totals == [len(listed), len(listed), 0]
    assert [(one["id"], one["counts"]) for one in listed] == [(found["id"], found["counts"])]


async def test_a_workbook_with_chinese_headers_in_yuan(
    staff: Bureau, till: TerminalClient, done: list[Redemption], day: str
) -> None:
    rows: list[list[object]] = [["某医院十月核销清单"], ["流水号", "券种", "抵扣金额（元）", "核销时间"]]
    rows += [[one.request_no, "健康体检券", 300.0, "2020/10/31 9:00"] for one in done[:4]]
    found = (await reconcile(staff, till, workbook(rows), day)).json()
    assert found["counts"] == {"matched": 4, "only_ours": 0, "only_theirs": 0, "different": 0, "rejected": 0}


async def test_a_number_of_another_day_is_told_as_such(
    staff: Bureau, till: TerminalClient, done: list[Redemption]
) -> None:
    content = f"{HEADER}\n{row(done[0])}".encode()
    found = (await reconcile(staff, till, content, "2020-11-05")).json()
    assert [one["hint"] for one in found["only_theirs"]] == ["other_period"]


async def test_who_may_reconcile_what(
    kit: Kit, staff: Bureau, till: TerminalClient, done: list[Redemption], day: str
) -> None:
    content = f"{HEADER}\n{row(done[0])}".encode()
    own = await signed_in_staff(kit, Role.INSTITUTION, institution_id=till.institution_id)
    mine = await reconcile(staff, till, content, day, headers=own)
    assert mine.status_code == 200
    others = [
        await signed_in_staff(kit, Role.INSTITUTION, institution_id="ins_other"),
        await signed_in_staff(kit, Role.HOSPITAL, hospital_id="h"),
    ]
    auditor = await signed_in_staff(kit, Role.AUDITOR)
    for headers in (*others, auditor):
        assert (await reconcile(staff, till, content, day, headers=headers)).status_code == 403
    for headers in others:
        assert (await staff.http.get(mine.json()["workbook"], headers=headers)).status_code == 403
        listed = await staff.http.get(f"{PATH}?institution_id={till.institution_id}", headers=headers)
        assert listed.status_code == 403
    assert (await staff.http.get(mine.json()["workbook"], headers=auditor)).status_code == 200
    assert (await staff.http.get(f"{PATH}/{'0' * 32}/workbook.xlsx", headers=own)).status_code == 404


@pytest.mark.parametrize(
    ("content", "fields", "code"),
    [
        ("hello\nworld", {}, "column_missing"),
        (HEADER + "\nr1,checkup,1,", {"from": "2020-11-02", "to": "2020-11-01"}, "period_order"),
        (HEADER + "\nr,,1," * 50_001, {}, "too_many_rows"),
    ],
    ids=["no table", "no period", "too long"],
)
async def test_files_and_periods_that_cannot_be_are_refused(
    staff: Bureau, till: TerminalClient, content: str, fields: dict[str, str], code: str
) -> None:
    refused = await reconcile(staff, till, content.encode(), "2020-11-01", fields=fields)
    assert refused.status_code == 422
    assert code in {fault["code"] for fault in refused.json()["errors"]}


async def test_an_unknown_institution_is_not_found(staff: Bureau, till: TerminalClient, day: str) -> None:
    refused = await reconcile(staff, till, HEADER.encode(), day, fields={"institution_id": "ins_nowhere"})
    assert refused.status_code == 404
