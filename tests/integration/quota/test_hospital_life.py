"""Openings, closures, mergers and moves from a day on: approved by two, followed by every figure."""

import io
import secrets
import zipfile
from datetime import datetime

import docx
import pytest

from shared.clock import CHINA, ManualClock
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.integrity.operations import recompute
from tests.support.people import signed_in_staff
from tests.support.quota import API, Bureau, Json, Programme, event, issued, many, sheet

HOSPITALS = [("东", "甲", 400), ("东", "乙", 300), ("西", "丙", 200), ("", "丁", 100)]


@pytest.fixture
async def programme(bureau: Bureau, clock: ManualClock) -> Programme:
    """1,000 cards of quota; in August 甲 10, 乙 6, 丙 4, 丁 2, in September one more each."""
    clock.set(datetime(2020, 10, 10, 9, 0, tzinfo=CHINA))
    made = await bureau.programme(f"life-{secrets.token_hex(4)}", *HOSPITALS, total=1000)
    for hospital, count in (("甲", 10), ("乙", 6), ("丙", 4), ("丁", 2)):
        await made.send(*many(made, hospital, count, "2020-08-10"))
        await made.send(*many(made, hospital, 1, "2020-09-10"))
    return made


async def changed(programme: Programme, hospital: str, what: str, on: str, **fields: Json) -> str:
    body = {"on": on, "reason": "批复", **fields}
    return await programme.bureau.approved(f"hospitals/{programme.id(hospital)}/{what}", body)


async def refused(programme: Programme, hospital: str, what: str, on: str, **fields: Json) -> str:
    body = {"on": on, "reason": "批复", **fields}
    path = f"hospitals/{programme.id(hospital)}/{what}"
    return str((await programme.bureau.post(path, body, status=409))["code"])


async def ranked(programme: Programme, month: str) -> dict[str, tuple[str, int, int, int]]:
    """By hospital: alliance, quota, cards of the month, all cards."""
    items = (await programme.ranking(month))["items"]
    return {
        item["hospital"]: (item["alliance"], item["quota"], item["month_issued"], item["issued"])
        for item in items
    }


async def line(programme: Programme, hospital: str) -> Json:
    return next(item for item in (await programme.progress())["items"] if item["hospital"] == hospital)


async def freeze(programme: Programme, month: str) -> None:
    await programme.bureau.approved(f"{programme.path}/rankings/freeze", {"month": month})


async def sound(bureau: Bureau) -> None:
    report = await recompute(bureau.kit)
    assert [
        check
        for check in report.checks
        if check.name.startswith(("hospital", "frozen", "codes", "card")) and not check.ok
    ] == []


class TestMerger:
    async def test_the_other_line_has_cards_quota_and_new_cards_from_the_day_on(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await freeze(programme, "2020-08")
        await changed(programme, "乙", "merger", "2020-09-05", into_id=programme.id("甲"))
        assert await ranked(programme, "2020-08") == {
            "甲": ("东", 400, 10, 10), "乙": ("东", 300, 6, 6), "丙": ("西", 200, 4, 4),
            "丁": ("", 100, 2, 2),
        }  # fmt: skip
        assert await ranked(programme, "2020-09") == {
            "甲": ("东", 700, 2, 18), "丙": ("西", 200, 1, 5), "丁": ("", 100, 1, 3),
        }  # fmt: skip
        await programme.send(issued(programme, "乙", "late", "late", "2020-10-02"))
        assert await programme.issued() == {"甲": 19, "丙": 5, "丁": 3}
        await sound(bureau)

    async def test_a_month_before_shows_two_lines_and_a_day_ahead_changes_nothing_yet(
        self, programme: Programme, clock: ManualClock
    ) -> None:
        await changed(programme, "乙", "merger", "2020-10-20", into_id=programme.id("甲"))
        assert set(await programme.issued()) == {"甲", "乙", "丙", "丁"}
        assert "乙" in await ranked(programme, "2020-10")
        clock.set(datetime(2020, 10, 20, 0, 0, tzinfo=CHINA))
        assert await programme.issued() == {"甲": 18, "丙": 5, "丁": 3}
        assert "乙" not in await ranked(programme, "2020-10")
        assert "乙" in await ranked(programme, "2020-09")

    async def test_the_next_allocation_counts_the_visits_of_both_in_one_line(
        self, programme: Programme
    ) -> None:
        await changed(programme, "乙", "merger", "2020-09-05", into_id=programme.id("甲"))
        await programme.allocate(2000)
        items = (await programme.bureau.get(f"{programme.path}/allocations/current"))["items"]
        assert [(item["hospital"], item["visits"], item["quota"]) for item in items] == [
            ("甲", 700, 1400), ("丙", 200, 400), ("丁", 100, 200),
        ]  # fmt: skip
        assert (await line(programme, "甲"))["quota"] == 1400

    async def test_nobody_prints_the_code_of_a_hospital_that_is_no_more(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await changed(programme, "乙", "merger", "2020-09-05", into_id=programme.id("甲"))
        answer = await bureau.client.get(f"{API}/{programme.path}/qr.zip", headers=bureau.operator)
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            folders = {name.split("/")[0][5:] for name in archive.namelist() if "/" in name}
        assert folders == {"甲", "丙", "丁"}

    async def test_mergers_of_mergers_end_in_one_line(self, bureau: Bureau, programme: Programme) -> None:
        await changed(programme, "乙", "merger", "2020-09-05", into_id=programme.id("甲"))
        await changed(programme, "甲", "merger", "2020-09-20", into_id=programme.id("丁"))
        assert await programme.issued() == {"丁": 21, "丙": 5}
        assert (await line(programme, "丁"))["quota"] == 800
        listed = (await bureau.get(f"{programme.path}/hospitals"))["items"]
        assert [(item["state"], item["counts_in"]) for item in listed] == [
            ("merged", programme.id("丁")), ("merged", programme.id("丁")), ("open", None), ("open", None),
        ]  # fmt: skip
        as_of = (await bureau.get(f"{programme.path}/hospitals?on=2020-09-10"))["items"]
        assert [item["counts_in"] for item in as_of] == [None, programme.id("甲"), None, None]
        await sound(bureau)

    async def test_a_trace_says_where_the_card_stands_now(self, programme: Programme) -> None:
        await changed(programme, "乙", "merger", "2020-09-05", into_id=programme.id("甲"))
        own = await signed_in_staff(programme.bureau.kit, Role.HOSPITAL, hospital_id=programme.id("甲"))
        trace = await programme.bureau.get(f"{programme.path}/events/e-乙-2020-08-10-0/trace", headers=own)
        assert (trace["hospital"], trace["counts_in"]) == ("乙", "甲")
        assert trace["note"] == "乙已并入甲，自并入日起计入甲的累计数；已冻结月份不变。"
        other = await programme.bureau.get(f"{programme.path}/events/e-丙-2020-08-10-0/trace")
        assert (other["hospital"], other["counts_in"], other["note"]) == ("丙", "丙", None)

    async def test_the_merged_hospitals_staff_keep_their_history_only(self, programme: Programme) -> None:
        await changed(programme, "乙", "merger", "2020-09-05", into_id=programme.id("甲"))
        own = await signed_in_staff(programme.bureau.kit, Role.HOSPITAL, hospital_id=programme.id("乙"))
        history = await programme.bureau.get(f"hospitals/{programme.id('乙')}/history", headers=own)
        assert (history["state"], history["counts_in"]) == ("merged", programme.id("甲"))
        await programme.bureau.get(f"{programme.path}/progress", status=403, headers=own)

    async def test_metrics_and_prometheus_add_up_to_the_same(self, programme: Programme) -> None:
        await changed(programme, "乙", "merger", "2020-09-05", into_id=programme.id("甲"))
        await programme.bureau.client.get(f"{API}/s/{programme.scene('乙')}")
        metrics = await programme.bureau.get(f"metrics?programme={programme.slug}")
        counted = {item["hospital"]: (item["issued"], item["scans"]) for item in metrics["by_hospital"]}
        assert counted == {"甲": (18, 1), "丙": (5, 0), "丁": (3, 0)}
        answer = await programme.bureau.client.get(
            f"{API.removesuffix('/v1')}/metrics", headers=programme.bureau.auditor
        )
        assert f'hv_cards_issued_total{{hospital="甲",programme="{programme.slug}"}} 18.0' in answer.text


class TestClosure:
    async def test_a_closed_hospital_keeps_its_cards_and_gets_no_further_quota(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await changed(programme, "乙", "closure", "2020-09-05")
        await programme.send(issued(programme, "乙", "late", "late", "2020-10-02"))
        assert (await programme.issued())["乙"] == 8
        assert (await line(programme, "乙"))["quota"] == 300
        await programme.allocate(700)
        assert (await line(programme, "乙"))["quota"] is None
        assert sum(item["quota"] or 0 for item in (await programme.progress())["items"]) == 700
        await sound(bureau)

    async def test_an_heir_gets_the_new_cards_of_its_codes_only(
        self, bureau: Bureau, programme: Programme, clock: ManualClock
    ) -> None:
        await changed(programme, "乙", "closure", "2020-10-12", heir_id=programme.id("丙"))
        clock.set(datetime(2020, 10, 15, 9, 0, tzinfo=CHINA))
        await programme.send(
            issued(programme, "乙", "before", "p1", "2020-10-11"),
            issued(programme, "乙", "after", "p2", "2020-10-12"),
            issued(programme, "乙", "use", "p1", "2020-10-13", kind="used"),
            issued(programme, "乙", "gone", "乙-2020-08-10-0", "2020-10-13", kind="cancelled"),
        )
        assert await programme.issued() == {"甲": 11, "乙": 7, "丙": 6, "丁": 3}
        assert ((await line(programme, "乙"))["used"], (await line(programme, "丙"))["used"]) == (1, 0)
        trace = await bureau.get(f"{programme.path}/events/e-after/trace")
        assert (trace["hospital"], trace["note"]) == ("丙", "该二维码属乙，该院关闭后由丙承接。")
        own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("乙"))
        await bureau.get(f"{programme.path}/events/e-after/trace", headers=own)
        await sound(bureau)

    async def test_codes_of_a_merged_hospital_go_on_to_the_heir_of_the_other(
        self, bureau: Bureau, programme: Programme, clock: ManualClock
    ) -> None:
        await changed(programme, "乙", "merger", "2020-09-05", into_id=programme.id("甲"))
        await changed(programme, "甲", "closure", "2020-10-12", heir_id=programme.id("丁"))
        clock.set(datetime(2020, 10, 15, 9, 0, tzinfo=CHINA))
        await programme.send(issued(programme, "乙", "after", "p2", "2020-10-12"))
        assert await programme.issued() == {"甲": 18, "丙": 5, "丁": 4}
        await sound(bureau)

    async def test_codes_are_not_handed_on_for_days_that_were_counted(self, programme: Programme) -> None:
        for day in ("2020-09-05", "2020-10-10"):
            code = await refused(programme, "乙", "closure", day, heir_id=programme.id("丙"))
            assert code == "codes_handed_on_too_late"


class TestMove:
    async def test_months_before_show_the_old_alliance_and_later_ones_the_new(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await freeze(programme, "2020-08")
        await changed(programme, "乙", "move", "2020-09-01", alliance="西")
        assert (await ranked(programme, "2020-08"))["乙"][0] == "东"
        assert (await ranked(programme, "2020-09"))["乙"][0] == "西"
        alliances = {row["alliance"]: row for row in (await programme.progress())["alliances"]}
        assert {name: (row["quota"], row["issued"]) for name, row in alliances.items()} == {
            "东": (400, 11), "西": (500, 12),
        }  # fmt: skip
        await sound(bureau)

    async def test_it_may_stand_alone_and_come_back(self, programme: Programme) -> None:
        await changed(programme, "乙", "move", "2020-08-01", alliance="")
        await changed(programme, "乙", "move", "2020-09-01", alliance="东")
        assert (await ranked(programme, "2020-08"))["乙"][0] == ""
        assert (await ranked(programme, "2020-09"))["乙"][0] == "东"
        assert await refused(programme, "乙", "move", "2020-09-15", alliance=" 东 ") == "nothing_changes"

    async def test_a_list_no_longer_moves_it_nor_anybody_once_a_month_is_frozen(
        self, programme: Programme
    ) -> None:
        path = f"{programme.path}/hospitals/import"
        await changed(programme, "乙", "move", "2020-09-01", alliance="西")
        report = await programme.bureau.upload(path, sheet(("东", "乙", 300), ("西", "丙", 201)))
        assert [(fault["row"], fault["code"]) for fault in report["errors"]] == [(2, "alliance_moves")]
        assert report["updated"] == 1
        taken = await programme.bureau.upload(path, sheet(("西", "乙", 301), ("东", "甲", 400)))
        assert (taken["updated"], taken["duplicates"]) == (1, 1)
        await freeze(programme, "2020-08")
        late = await programme.bureau.upload(path, sheet(("西", "甲", 400)))
        assert [fault["code"] for fault in late["errors"]] == ["alliance_moves"]


class TestOpening:
    async def test_before_its_day_it_gets_no_quota_and_its_cards_count(self, programme: Programme) -> None:
        body = {"hospital": "戊", "alliance": "西", "visits": 1000, "reason": "新建"}
        made = await programme.bureau.post(f"{programme.path}/hospitals", body)
        await programme.bureau.approved(
            f"hospitals/{made['hospital_id']}/opening", {"on": "2020-11-01", "reason": "批复"}
        )
        await programme.send(event("early", "2020-10-09", scene=made["scene"]))
        assert (await programme.issued())["戊"] == 1
        await programme.allocate(1000)
        assert (await line(programme, "戊"))["quota"] is None
        await programme.bureau.approved(
            f"{programme.path}/allocations",
            {
                "total": 1000,
                "method": "largest_remainder",
                "effective_month": "2020-11",
                "reason": "新院启用",
            },
        )
        item = await programme.bureau.get(f"{programme.path}/allocations/3", status=200)
        assert {one["hospital"]: one["quota"] for one in item["items"]}["戊"] == 500


class TestRules:
    async def test_nothing_happens_in_a_frozen_month(self, programme: Programme) -> None:
        await freeze(programme, "2020-08")
        fields = {
            "opening": {},
            "closure": {},
            "merger": {"into_id": programme.id("甲")},
            "move": {"alliance": "西"},
        }
        for what, more in fields.items():
            assert await refused(programme, "乙", what, "2020-08-31", **more) == "hospital_day_frozen"
        await changed(programme, "乙", "move", "2020-09-01", alliance="西")

    async def test_a_change_that_a_freeze_overtook_no_longer_fits(self, programme: Programme) -> None:
        body = {"on": "2020-08-15", "reason": "批复", "into_id": programme.id("甲")}
        change = await programme.bureau.post(f"hospitals/{programme.id('乙')}/merger", body, status=202)
        await freeze(programme, "2020-08")
        told = await programme.bureau.post(
            f"changes/{change['change_id']}/approve", {}, status=409, headers=programme.bureau.second
        )
        assert told["code"] == "no_longer_fits"
        assert "2020-09-01" in told["detail"]

    async def test_an_ending_ends_and_its_successor_must_not_have(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        into = {"into_id": programme.id("甲")}
        assert await refused(programme, "甲", "merger", "2020-09-05", **into) == "successor_unfit"
        assert await refused(programme, "乙", "merger", "2020-09-05", into_id="hos_x") == "successor_unfit"
        elsewhere = await bureau.programme(f"else-{secrets.token_hex(4)}")
        strange = {"into_id": elsewhere.id("甲")}
        assert await refused(programme, "乙", "merger", "2020-09-05", **strange) == "successor_unfit"
        await changed(programme, "乙", "merger", "2020-09-05", **into)
        assert await refused(programme, "乙", "closure", "2020-09-06") == "hospital_ended"
        assert await refused(programme, "乙", "move", "2020-09-06", alliance="西") == "hospital_ended"
        circle = {"into_id": programme.id("乙")}
        assert await refused(programme, "甲", "merger", "2020-09-01", **circle) == "successor_unfit"

    async def test_it_opens_once_and_before_it_ends(self, programme: Programme) -> None:
        await changed(programme, "乙", "opening", "2020-09-05")
        assert await refused(programme, "乙", "opening", "2020-09-06") == "nothing_changes"
        assert await refused(programme, "乙", "closure", "2020-09-05") == "days_out_of_order"
        planned = {"into_id": programme.id("乙")}
        assert await refused(programme, "丙", "merger", "2020-09-01", **planned) == "successor_unfit"
        await changed(programme, "丙", "closure", "2020-09-05")
        assert await refused(programme, "丙", "opening", "2020-09-06") == "days_out_of_order"

    async def test_an_event_is_withdrawn_by_two_as_if_it_had_never_been(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        path = f"hospitals/{programme.id('乙')}/history"
        await changed(programme, "乙", "merger", "2020-09-05", into_id=programme.id("甲"))
        [merged] = (await bureau.get(path))["events"]
        await changed(programme, "甲", "closure", "2020-10-05")
        withdraw = f"{path}/{merged['event_id']}/withdraw"
        needed = await bureau.post(withdraw, {"reason": "撤销"}, status=409)
        assert needed["code"] == "hospital_event_needed"
        [closed] = (await bureau.get(f"hospitals/{programme.id('甲')}/history"))["events"]
        await bureau.approved(
            f"hospitals/{programme.id('甲')}/history/{closed['event_id']}/withdraw", {"reason": "误批"}
        )
        await bureau.approved(withdraw, {"reason": "撤销"})
        assert await programme.issued() == {"甲": 11, "乙": 7, "丙": 5, "丁": 3}
        [told] = (await bureau.get(path))["events"]
        assert told["withdrawn_reason"] == "撤销"
        again = await bureau.post(withdraw, {"reason": "撤销"}, status=404)
        assert again["code"] == "hospital_event_unknown"
        await sound(bureau)

    async def test_what_a_frozen_month_rests_on_is_not_withdrawn(self, programme: Programme) -> None:
        await changed(programme, "乙", "merger", "2020-08-05", into_id=programme.id("甲"))
        path = f"hospitals/{programme.id('乙')}/history"
        [merged] = (await programme.bureau.get(path))["events"]
        await freeze(programme, "2020-08")
        refused = await programme.bureau.post(
            f"{path}/{merged['event_id']}/withdraw", {"reason": "x"}, status=409
        )
        assert refused["code"] == "hospital_day_frozen"

    async def test_only_writers_change_and_the_proposer_does_not_approve(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        path = f"hospitals/{programme.id('乙')}"
        own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("乙"))
        for what in ("opening", "closure"):
            for headers in (own, bureau.auditor):
                await bureau.post(
                    f"{path}/{what}", {"on": "2020-09-05", "reason": "x"}, status=403, headers=headers
                )
        body = {"on": "2020-09-05", "reason": "x", "request_no": secrets.token_hex(8)}
        change = await bureau.post(f"{path}/closure", body, status=202)
        assert await bureau.post(f"{path}/closure", body, status=200) == change
        mine = await bureau.post(f"changes/{change['change_id']}/approve", {}, status=403)
        assert mine["code"] == "same_person"
        await bureau.post("hospitals/hos_none/closure", {"on": "2020-09-05", "reason": "x"}, status=404)
        other = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("甲"))
        await bureau.get(f"{path}/history", status=403, headers=other)

    async def test_the_history_says_who_when_and_why(self, bureau: Bureau, programme: Programme) -> None:
        hospital = programme.id("乙")
        await bureau.post(
            f"hospitals/{hospital}/names", {"name": "乙总院", "kind": "current", "reason": "更名"}
        )
        await changed(programme, "乙", "move", "2020-09-01", alliance="西")
        told = await bureau.get(f"hospitals/{hospital}/history")
        assert (told["hospital"], told["alliance"], told["listed_alliance"]) == ("乙总院", "西", "东")
        assert [(name["name"], name["kind"]) for name in told["names"]] == [
            ("乙", "former"),
            ("乙总院", "current"),
        ]
        [moved] = told["events"]
        assert moved["proposed_by"] != moved["approved_by"]
        assert moved["explanation"] == "自2020年9月1日起调整至西；此前月份仍按原医共体统计。"
        own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=hospital)
        assert (await bureau.get(f"hospitals/{hospital}/history", headers=own))["events"][0][
            "approved_by"
        ] is None


class TestDocuments:
    async def test_notice_and_workbook_follow_the_lines_of_the_month(self, programme: Programme) -> None:
        await changed(programme, "乙", "merger", "2020-09-05", into_id=programme.id("甲"))
        client, headers = programme.bureau.client, programme.bureau.operator
        path = f"{API}/{programme.path}/bulletin"
        word = await client.get(f"{path}.docx?month=2020-09", headers=headers)
        cells = [
            [cell.text for cell in row.cells]
            for table in docx.Document(io.BytesIO(word.content)).tables
            for row in table.rows
        ]
        assert any(row[1:2] == ["甲"] and "700" in row and "18" in row for row in cells)
        assert not any("乙" in row for row in cells)
        book = await client.get(f"{path}.xlsx?month=2020-08", headers=headers)
        assert any("乙" in row.cells for row in read_rows(book.content))

    async def test_a_hospital_that_stands_alone_is_a_unit_of_its_own(self, programme: Programme) -> None:
        await changed(programme, "丙", "move", "2020-08-01", alliance="")
        progress = await programme.progress()
        keys = ("unit", "hospitals", "quota", "issued")
        assert [tuple(unit[key] for key in keys) for unit in progress["units"]] == [
            ("东", 2, 700, 18), ("丙", 1, 200, 5), ("丁", 1, 100, 3),
        ]  # fmt: skip
        assert [unit["hospital_id"] for unit in progress["units"]] == [
            None, programme.id("丙"), programme.id("丁"),
        ]  # fmt: skip
        assert [row["alliance"] for row in progress["alliances"]] == ["东"]
        assert {name: line[0] for name, line in (await ranked(programme, "2020-09")).items()} == {
            "甲": "东", "乙": "东", "丙": "", "丁": "",
        }  # fmt: skip
        book = await programme.bureau.client.get(
            f"{API}/{programme.path}/bulletin.xlsx?month=2020-09", headers=programme.bureau.operator
        )
        rows = [list(row.cells) for row in read_rows(book.content)]
        sums = rows[next(place for place, row in enumerate(rows) if "机构数" in row) :]
        assert [row[1:6] for row in sums[1:4]] == [
            ["东", "2", "700", "2", "18"],
            ["丁", "1", "100", "1", "3"],
            ["丙", "1", "200", "1", "5"],
        ]
