"""Editions of a frozen month: in their order, never changed, listed and compared; and lists by level."""

import secrets
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.clock import CHINA, ManualClock
from shared.identity.staff import Role
from tests.support.people import signed_in_staff
from tests.support.quota import API, Bureau, Json, Programme, many

HOSPITALS = [("A", "甲", 30), ("A", "乙", 30), ("", "丙", 20), ("", "丁", 20)]
LEVELS = "医院,级别\n甲,县级医院\n乙,县级医院\n丙,乡镇卫生院\n丁,乡镇卫生院\n"


@pytest.fixture
async def programme(bureau: Bureau, clock: ManualClock) -> Programme:
    """Quotas 30, 30, 20, 20; in August 甲 had 10, 乙 7, 丙 20; it is 10 November, the end in December."""
    clock.set(datetime(2020, 11, 10, 9, 0, tzinfo=CHINA))
    made = await bureau.programme(
        f"edition-{secrets.token_hex(4)}", *HOSPITALS, total=100, ends_on="2020-12-31"
    )
    await made.send(
        *many(made, "甲", 10, "2020-08-10"),
        *many(made, "乙", 7, "2020-08-11"),
        *many(made, "丙", 20, "2020-08-12"),
    )
    return made


async def freeze(programme: Programme, month: str = "2020-08", **fields: Json) -> None:
    await programme.bureau.approved(f"{programme.path}/rankings/freeze", {"month": month, **fields})


async def levels(bureau: Bureau, programme: Programme, content: str, *, query: str = "") -> Json:
    return await bureau.upload(f"{programme.path}/hospital-levels/import{query}", content.encode())


class TestOrder:
    async def test_a_month_before_which_another_is_open_cannot_be_frozen(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        path = f"{programme.path}/rankings/freeze"
        refused = await bureau.post(path, {"month": "2020-09"}, status=409)
        assert (refused["code"], refused["detail"]) == (
            "earlier_month_open",
            "请按月份顺序冻结，尚未冻结的最早月份为：2020-08",
        )
        await freeze(programme, "2020-08")
        await bureau.post(path, {"month": "2020-10"}, status=409)
        await freeze(programme, "2020-09")
        await freeze(programme, "2020-10")

    async def test_cards_that_come_for_an_earlier_month_hold_the_later_proposal_up(
        self, bureau: Bureau
    ) -> None:
        made = await bureau.programme(f"edition-{secrets.token_hex(4)}", *HOSPITALS, total=100)
        proposed = await bureau.post(f"{made.path}/rankings/freeze", {"month": "2020-09"}, status=202)
        await made.send(*many(made, "甲", 1, "2020-08-10"))
        refused = await bureau.post(
            f"changes/{proposed['change_id']}/approve", {}, status=409, headers=bureau.second
        )
        assert refused["code"] == "earlier_month_open"
        assert (await made.ranking("2020-09"))["frozen"] is False

    async def test_a_corrected_month_may_be_followed_by_later_frozen_ones(self, programme: Programme) -> None:
        await freeze(programme, "2020-08")
        await freeze(programme, "2020-09")
        await freeze(programme, "2020-08", reason="更正")
        assert (await programme.ranking("2020-08"))["edition"] == 2


class TestEditions:
    async def test_they_are_listed_with_their_reasons(self, bureau: Bureau, programme: Programme) -> None:
        await freeze(programme)
        await programme.allocate(50)
        await freeze(programme, reason="任务数更正")
        await freeze(programme, "2020-09")
        listed = (await bureau.get(f"{programme.path}/rankings/editions"))["items"]
        assert [(item["month"], item["edition"], item["reason"]) for item in listed] == [
            ("2020-09", 1, None), ("2020-08", 2, "任务数更正"), ("2020-08", 1, None),
        ]  # fmt: skip
        assert [(item["allocation_version"], item["quota"], item["issued"]) for item in listed] == [
            (2, 50, 37), (2, 50, 37), (1, 100, 37),
        ]  # fmt: skip
        assert listed[2]["flagged"] == ["甲", "乙", "丁"]
        only = (await bureau.get(f"{programme.path}/rankings/editions?month=2020-08"))["items"]
        assert only == listed[1:]

    async def test_a_comparison_says_what_a_correction_changed(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await freeze(programme)
        await programme.allocate(50)
        await freeze(programme, reason="任务数更正")
        compared = await bureau.get(f"{programme.path}/rankings/compare?month=2020-08&before=1&after=2")
        assert (compared["before"]["edition"], compared["after"]["reason"]) == (1, "任务数更正")
        assert compared["unchanged"] == 0
        first = compared["differences"][0]
        assert (first["hospital"], first["fields"]) == ("丙", ["quota"])
        assert (first["before"]["quota"], first["after"]["quota"]) == (20, 10)
        same = await bureau.get(f"{programme.path}/rankings/compare?month=2020-08&before=2&after=2")
        assert (same["differences"], same["unchanged"]) == ([], 4)
        await bureau.get(f"{programme.path}/rankings/compare?month=2020-08&before=1&after=3", status=404)
        await bureau.get(f"{programme.path}/rankings/compare?month=2020-08&before=1", status=422)

    async def test_hospitals_see_no_editions_of_others(self, bureau: Bureau, programme: Programme) -> None:
        own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("丙"))
        await bureau.get(f"{programme.path}/rankings/editions", status=403, headers=own)
        await bureau.get(
            f"{programme.path}/rankings/compare?month=2020-08&before=1&after=1", status=403, headers=own
        )

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE quota.ranking_edition SET reason = 'x'",
            "UPDATE quota.ranking_item SET issued = issued + 1",
            "UPDATE quota.ranking_item SET level_rank = 1",
            "DELETE FROM quota.ranking_item",
            "TRUNCATE quota.ranking_item",
        ],
    )
    async def test_the_database_itself_refuses_to_change_what_was_published(
        self, bureau: Bureau, programme: Programme, statement: str
    ) -> None:
        await freeze(programme)
        with pytest.raises(DBAPIError, match="append"):
            async with bureau.kit.database.transaction() as tx:
                await tx.execute(text(statement))

    async def test_the_outlook_is_frozen_with_the_month(
        self, programme: Programme, clock: ManualClock
    ) -> None:
        live = {item["hospital"]: item for item in (await programme.ranking("2020-08"))["items"]}
        # 20 cards in the 84 working days from 1 September to the end of the year.
        assert live["甲"]["needed_per_working_day"] == 1
        assert live["丙"]["miss_probability"] == "0"
        assert float(live["丁"]["miss_probability"]) > 0.99
        await freeze(programme)
        frozen = await programme.ranking("2020-08")
        await programme.send(*many(programme, "丁", 20, "2020-11-09"))
        clock.set(datetime(2020, 12, 20, 9, 0, tzinfo=CHINA))
        assert await programme.ranking("2020-08") == frozen
        assert [item["miss_probability"] for item in frozen["items"]] == [
            live[item["hospital"]]["miss_probability"] for item in frozen["items"]
        ]


class TestLevels:
    async def test_each_level_has_ranks_and_flags_of_its_own(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        report = await levels(bureau, programme, LEVELS)
        assert (report["rows"], report["accepted"], report["rejected"]) == (4, 4, 0)
        ranking = await bureau.get(f"{programme.path}/rankings?month=2020-08&by=level")
        assert [entry["level"] for entry in ranking["levels"]] == ["乡镇卫生院", "县级医院"]
        assert [
            [(item["hospital"], item["rank"], item["flagged"]) for item in entry["items"]]
            for entry in ranking["levels"]
        ] == [[("丙", 1, False), ("丁", 2, True)], [("甲", 1, True), ("乙", 2, True)]]
        assert [item["rank"] for item in ranking["items"]] == [1, 2, 3, 4]
        assert (await programme.ranking("2020-08"))["levels"] is None

    async def test_a_frozen_month_keeps_the_levels_of_its_time(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await levels(bureau, programme, LEVELS)
        await freeze(programme)
        path = f"{programme.path}/rankings?month=2020-08&by=level"
        frozen = await bureau.get(path)
        assert (await levels(bureau, programme, "医院,级别\n甲,乡镇卫生院\n乙,\n"))["updated"] == 2
        assert await bureau.get(path) == frozen
        later = await bureau.get(f"{programme.path}/rankings?month=2020-09&by=level")
        assert [(entry["level"], len(entry["items"])) for entry in later["levels"]] == [
            ("乡镇卫生院", 3), ("", 1),
        ]  # fmt: skip
        # 甲 came from another level: it has no rank there to compare with.
        changes = {item["hospital"]: item["rank_change"] for item in later["levels"][0]["items"]}
        assert changes == {"丙": 0, "甲": None, "丁": -1}

    async def test_a_hospital_sees_its_own_level_only(self, bureau: Bureau, programme: Programme) -> None:
        await levels(bureau, programme, LEVELS)
        own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("丙"))
        shown = await bureau.get(f"{programme.path}/rankings?month=2020-08&by=level", headers=own)
        assert [[item["hospital"] for item in entry["items"]] for entry in shown["levels"]] == [["丙"]]
        await bureau.get(f"{programme.path}/hospital-levels", status=403, headers=own)

    async def test_a_list_of_levels_is_judged_row_by_row(self, bureau: Bureau, programme: Programme) -> None:
        content = f"医院,级别\n甲,县级医院\n甲,县级医院\n甲,别的\n无此院,县级医院\n乙,{'长' * 41}\n"
        foreseen = await levels(bureau, programme, content, query="?dry_run=true")
        assert {entry["level"] for entry in (await self.listed(bureau, programme))} == {""}
        report = await levels(bureau, programme, content)
        assert {**foreseen, "dry_run": False} == report
        assert (report["rows"], report["accepted"], report["duplicates"], report["rejected"]) == (5, 1, 1, 3)
        assert [fault["row"] for fault in report["errors"]] == [4, 5, 6]
        assert [entry["level"] for entry in await self.listed(bureau, programme)] == ["县级医院", "", "", ""]
        assert (await levels(bureau, programme, content))["accepted"] == 0

    async def listed(self, bureau: Bureau, programme: Programme) -> list[Json]:
        items: list[Json] = (await bureau.get(f"{programme.path}/hospital-levels"))["items"]
        return items

    async def test_who_may_only_read_gives_no_levels(self, bureau: Bureau, programme: Programme) -> None:
        answer = await bureau.client.post(
            f"{API}/{programme.path}/hospital-levels/import",
            files={"file": LEVELS.encode()},
            headers=bureau.auditor,
        )
        assert answer.status_code == 403
