"""Calendars of working days over HTTP: shipped, imported, and what the progress makes of them."""

import secrets
from datetime import datetime

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.clock import CHINA, ManualClock
from tests.support.quota import API, Bureau, Json, many

NOTICE = "国务院办公厅关于2031年部分节假日安排的通知"
DAYS = "日期,类型,名称\n2031-01-01,放假,元旦\n2031-10-01,放假,国庆节\n2031-10-11,上班,\n"


async def send(
    bureau: Bureau,
    content: str | bytes,
    *,
    year: int = 2031,
    source: str = NOTICE,
    dry_run: bool = False,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    return await bureau.client.post(
        f"{API}/working-days/{year}/import?dry_run={str(dry_run).lower()}",
        files={"file": ("days.csv", content.encode() if isinstance(content, str) else content)},
        data={"source": source},
        headers=headers or bureau.operator,
    )


async def taken(bureau: Bureau, content: str, **changes: Json) -> Json:
    answer = await send(bureau, content, **changes)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_shipped_years_are_listed_with_their_notices(bureau: Bureau) -> None:
    years = {item["year"]: item for item in (await bureau.get("working-days"))["items"]}
    assert {2020, 2021, 2022, 2023, 2024, 2025, 2026} <= set(years)
    assert (years[2020]["origin"], years[2020]["working_days"]) == ("shipped", 249)
    assert "国办发明电〔2019〕16号" in years[2020]["source"]
    named = {day["date"]: day for day in (await bureau.get("working-days/2020"))["days"]}
    assert named["2020-10-10"] == {"date": "2020-10-10", "works": True, "name": "调休上班"}
    assert named["2020-10-08"]["works"] is False


async def test_a_year_without_a_calendar_says_that_it_goes_by_weekdays(bureau: Bureau) -> None:
    year = await bureau.get("working-days/2040")
    assert (year["origin"], year["source"], year["days"]) == ("weekdays", None, [])
    await bureau.get("working-days/1800", status=422)


async def test_a_dry_run_says_what_would_change_and_writes_nothing(bureau: Bureau) -> None:
    report = await taken(bureau, DAYS, dry_run=True)
    assert (report["rows"], report["accepted"], report["rejected"], report["edition"]) == (3, 3, 0, None)
    assert report["changed"] == ["2031-01-01", "2031-10-01", "2031-10-11"]
    assert (await bureau.get("working-days/2031"))["origin"] == "weekdays"


async def test_an_import_stands_until_the_next_one_and_the_same_file_changes_nothing(bureau: Bureau) -> None:
    report = await taken(bureau, DAYS)
    assert (report["edition"], report["working_days"]) == (1, 260)
    assert (await bureau.get("working-days/2031"))["origin"] == "imported"
    again = await taken(bureau, DAYS)
    assert (again["already_imported"], again["accepted"], again["duplicates"], again["edition"]) == (
        True, 0, 3, None,
    )  # fmt: skip
    changed = await taken(bureau, DAYS + "2031-10-02,放假,\n", source="更正")
    assert (changed["edition"], changed["changed"]) == (2, ["2031-10-02"])
    assert (await bureau.get("working-days/2031"))["source"] == "更正"


async def test_a_file_with_a_wrong_row_is_refused_whole(bureau: Bureau) -> None:
    good = "日期,类型\n2033-01-01,放假\n2033-10-01,放假\n2033-10-08,上班\n"
    wrong = f"{good}2034-01-01,放假\n2033-10-03,上班\n"
    told = await taken(bureau, wrong, year=2033, dry_run=True)
    assert (told["rows"], told["accepted"], told["rejected"]) == (5, 3, 2)
    refused = await send(bureau, wrong, year=2033)
    assert refused.status_code == 422
    assert [fault["message"] for fault in refused.json()["errors"]] == [
        "第 5 行：不在 2033 年内",
        "第 6 行：这一天是周一至周五，本来就上班；调休上班的应为周末",
    ]
    assert (await bureau.get("working-days/2033"))["origin"] == "weekdays"
    empty = await send(bureau, "日期,类型\n2033-10-08,上班\n", year=2033)
    assert [fault["code"] for fault in empty.json()["errors"]] == ["calendar_empty"]


async def test_who_may_only_read_imports_nothing(bureau: Bureau) -> None:
    assert (await send(bureau, DAYS, headers=bureau.auditor)).status_code == 403
    assert (await send(bureau, DAYS, source="")).status_code == 422


async def test_the_template_holds_what_is_known_and_can_be_handed_back(bureau: Bureau) -> None:
    answer = await bureau.client.get(f"{API}/working-days/template.xlsx?year=2026", headers=bureau.operator)
    assert answer.status_code == 200
    report = (await send(bureau, answer.content, year=2026, dry_run=True)).json()
    assert (report["rejected"], report["changed"], report["working_days"]) == (0, [], 248)


async def test_a_calendar_is_never_rewritten(bureau: Bureau) -> None:
    await taken(bureau, DAYS.replace("2031", "2035").replace("10-11", "10-13"), year=2035)
    for statement in (
        "UPDATE quota.working_year SET source = 'x'",
        "UPDATE quota.working_year_day SET works = NOT works",
        "DELETE FROM quota.working_year_day",
    ):
        with pytest.raises(DBAPIError, match="append"):
            async with bureau.kit.database.transaction() as tx:
                await tx.execute(text(statement))


async def test_the_progress_counts_working_days_by_the_calendar_and_says_where_there_is_none(
    bureau: Bureau, clock: ManualClock
) -> None:
    clock.set(datetime(2020, 9, 28, 9, 0, tzinfo=CHINA))
    made = await bureau.programme(f"days-{secrets.token_hex(4)}", total=1000, ends_on="2020-10-10")
    await made.send(*many(made, "甲", 100, "2020-09-01"))
    progress = await made.progress()
    # 28, 29, 30 September, 9 and 10 October; the holiday between them is off.
    assert (progress["working_days_left"], progress["years_by_weekday"]) == (5, [])
    first = progress["items"][0]
    assert (first["needed_per_working_day"], first["needed_per_day"]) == (100, 39)
    # 58 of 71 days since 1 August are over, and 41 of 46 working days.
    assert (progress["starts_on"], progress["time_share"]) == ("2020-08-01", "0.816901")
    assert progress["working_time_share"] == "0.891304"
    assert (progress["progress_share"], first["lead"]) == ("0.1", "-0.650234")
    assert [item["hospital"] for item in progress["warnings"]] == ["甲", "乙", "丙"]
    assert {item["miss_probability"] for item in progress["warnings"]} == {"1"}


async def test_a_programme_that_runs_into_a_year_without_a_calendar_says_so(
    bureau: Bureau, clock: ManualClock
) -> None:
    clock.set(datetime(2026, 11, 23, 9, 0, tzinfo=CHINA))
    made = await bureau.programme(f"days-{secrets.token_hex(4)}", total=1000, ends_on="2027-03-31")
    await made.send(*many(made, "甲", 3, "2026-11-02"))
    assert (await made.progress())["years_by_weekday"] == [2027]
