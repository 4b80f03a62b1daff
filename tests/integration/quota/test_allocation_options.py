"""Bounds, cards, effective months, comparisons and workbooks of allocations, over HTTP."""

import secrets
from datetime import datetime

import pytest

from shared.clock import CHINA, ManualClock
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from tests.support.people import signed_in_staff
from tests.support.quota import API, Bureau, Json, Programme, many


def proposal(total: int = 1000, **changes: Json) -> dict[str, Json]:
    return {"total": total, "method": "largest_remainder", "adjustments": [], "reason": "下达任务", **changes}


async def quotas(bureau: Bureau, programme: Programme, version: object = "current") -> list[int]:
    shown = await bureau.get(f"{programme.path}/allocations/{version}")
    return [item["quota"] for item in shown["items"]]


async def test_cards_are_moved_from_proposal_to_progress(bureau: Bureau) -> None:
    programme = await bureau.programme("cards-moved")
    moves = [
        {"from": "甲", "to": "丙", "cards": 50, "reason": "儿科迁移"},
        {"from": "乙", "to": "丙", "share_points": "1.5", "reason": "门诊迁移"},
    ]
    body = proposal(adjustments=moves)
    shown = await bureau.post(f"{programme.path}/allocations/preview", body, status=200)
    assert [item["quota"] for item in shown["items"]] == [550, 285, 165]
    await bureau.approved(f"{programme.path}/allocations", body)
    current = await bureau.get(f"{programme.path}/allocations/current")
    assert [(i["adjustment_cards"], i["adjustment_points"], i["quota"]) for i in current["items"]] == [
        (-50, "0", 550), (0, "-1.5", 285), (50, "1.5", 165),
    ]  # fmt: skip
    assert [(a["cards"], a["share_points"]) for a in current["adjustments"]] == [(50, None), (None, "1.5")]
    assert [item["quota"] for item in (await programme.progress())["items"]] == [550, 285, 165]


async def test_bounds_hold_and_all_others_share_the_rest(bureau: Bureau) -> None:
    programme = await bureau.programme("bounds")
    held = [
        {"hospital": "丙", "min": 250, "reason": "新院区"},
        {"hospital": programme.id("甲"), "max": 500, "reason": "停诊"},
    ]
    change = await bureau.post(f"{programme.path}/allocations", proposal(bounds=held), status=202)
    pending = (await bureau.get("changes?status=pending"))["items"][0]
    assert pending["body"]["bounds"] == [
        {"hospital": programme.id("丙"), "min": 250, "max": None, "reason": "新院区"},
        {"hospital": programme.id("甲"), "min": None, "max": 500, "reason": "停诊"},
    ]
    assert pending["body"]["quotas"] == {"甲": 500, "乙": 250, "丙": 250}
    await bureau.post(f"changes/{change['change_id']}/approve", {}, status=200, headers=bureau.second)
    current = await bureau.get(f"{programme.path}/allocations/current")
    assert [(i["exact"], i["bound_cards"], i["quota"]) for i in current["items"]] == [
        ("500", "-100", 500), ("250", "-50", 250), ("250", "150", 250),
    ]  # fmt: skip
    assert {(b["hospital"], b["min"], b["max"], b["reason"]) for b in current["bounds"]} == {
        ("甲", None, 500, "停诊"), ("丙", 250, None, "新院区"),
    }  # fmt: skip
    assert current["sum"] == 1000


@pytest.mark.parametrize(
    ("held", "code", "sums"),
    [
        ([("甲", 600, None), ("乙", 401, None)], "minimums_above_total", "1001 > 1000"),
        ([("甲", 0, 300), ("乙", 0, 300), ("丙", 0, 300)], "maximums_below_total", "900 < 1000"),
    ],
)
async def test_bounds_that_cannot_hold_are_refused_with_both_sums(
    bureau: Bureau, held: list[tuple[str, int, int | None]], code: str, sums: str
) -> None:
    programme = await bureau.programme(f"tight-{secrets.token_hex(4)}")
    bounds = [{"hospital": name, "min": low, "max": high, "reason": "r"} for name, low, high in held]
    refused = await bureau.post(f"{programme.path}/allocations", proposal(bounds=bounds), status=409)
    assert (refused["code"], sums in refused["detail"]) == (code, True)


@pytest.mark.parametrize(
    ("changes", "loc", "code"),
    [
        ({"bounds": [{"hospital": "甲", "reason": "r"}]}, "body.bounds.0", "min_or_max"),
        (
            {"bounds": [{"hospital": "甲", "min": 2, "max": 1, "reason": "r"}]},
            "body.bounds.0",
            "min_above_max",
        ),
        (
            {"bounds": [{"hospital": "甲", "min": -1, "reason": "r"}]},
            "body.bounds.0.min",
            "greater_than_equal",
        ),
        ({"bounds": [{"hospital": "甲", "min": 1}]}, "body.bounds.0.reason", "missing"),
        (
            {"bounds": [{"hospital": "无此医院", "min": 1, "reason": "r"}]},
            "body.bounds.0.hospital",
            "hospital_unknown",
        ),
        (
            {
                "bounds": [
                    {"hospital": "甲", "min": 1, "reason": "r"},
                    {"hospital": "甲", "max": 9, "reason": "r"},
                ]
            },
            "body.bounds.1.hospital",
            "bounded_twice",
        ),
        ({"effective_month": "2020-13"}, "body.effective_month", "month_invalid"),
        ({"effective_month": "1066-10"}, "body.effective_month", "month_invalid"),
        ({"effective_month": 202010}, "body.effective_month", "month_invalid"),
    ],
)
async def test_a_malformed_option_is_refused_by_name(
    bureau: Bureau, changes: dict[str, Json], loc: str, code: str
) -> None:
    answer = await bureau.client.get(f"{API}/programmes/malformed-option", headers=bureau.operator)
    if answer.status_code == 404:
        await bureau.programme("malformed-option")
    path = "programmes/malformed-option/allocations"
    refused = await bureau.post(path, proposal(**changes), status=422)
    assert (loc, code) in {(fault["loc"], fault["code"]) for fault in refused["errors"]}


class TestEffectiveMonth:
    @pytest.fixture
    async def programme(self, bureau: Bureau, clock: ManualClock) -> Programme:
        """Quotas 600, 300, 100 from the first; twice as many from November on. It is October 2020."""
        clock.set(datetime(2020, 10, 10, 9, 0, tzinfo=CHINA))
        programme = await bureau.programme(f"from-{secrets.token_hex(4)}", total=1000)
        body = proposal(2000, effective_month="2020-11")
        await bureau.approved(f"{programme.path}/allocations", body)
        return programme

    async def rates(self, programme: Programme, month: str) -> tuple[int, dict[str, str]]:
        ranking = await programme.ranking(month)
        return ranking["allocation_version"], {item["hospital"]: item["rate"] for item in ranking["items"]}

    async def test_a_month_is_judged_by_the_version_of_its_end(
        self, bureau: Bureau, programme: Programme, clock: ManualClock
    ) -> None:
        await programme.send(*many(programme, "甲", 60, "2020-09-10"))
        assert await quotas(bureau, programme) == [600, 300, 100]
        assert (await programme.progress())["allocation_version"] == 1
        listed = (await bureau.get(f"{programme.path}/allocations"))["items"]
        assert [(e["version"], e["effective_month"], e["in_force"]) for e in listed] == [
            (2, "2020-11", False), (1, None, True),
        ]  # fmt: skip
        clock.set(datetime(2020, 11, 1, 0, 0, tzinfo=CHINA))
        assert await quotas(bureau, programme) == [1200, 600, 200]
        assert (await programme.progress())["allocation_version"] == 2
        for month, version, rate in (("2020-09", 1, "0.1"), ("2020-10", 1, "0.1"), ("2020-11", 2, "0.05")):
            found, rates = await self.rates(programme, month)
            assert (found, rates["甲"]) == (version, rate)

    async def test_a_frozen_month_keeps_its_version_and_none_takes_effect_in_it(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(*many(programme, "甲", 60, "2020-09-10"))
        late = await bureau.post(
            f"{programme.path}/allocations", proposal(500, effective_month="2020-09"), status=202
        )
        await bureau.approved(f"{programme.path}/rankings/freeze", {"month": "2020-08"})
        await bureau.approved(f"{programme.path}/rankings/freeze", {"month": "2020-09"})
        refused = await bureau.post(
            f"{programme.path}/allocations", proposal(500, effective_month="2020-09"), status=409
        )
        assert (refused["code"], "2020-09" in refused["detail"]) == ("month_frozen", True)
        change = f"changes/{late['change_id']}/approve"
        refused = await bureau.post(change, {}, status=409, headers=bureau.second)
        assert refused["code"] == "no_longer_fits"
        await bureau.approved(f"{programme.path}/allocations", proposal(3000, effective_month="2020-10"))
        assert (await self.rates(programme, "2020-09"))[1]["甲"] == "0.1"
        assert (await self.rates(programme, "2020-10"))[0] == 3

    async def test_the_newest_version_that_has_come_by_then_counts(
        self, bureau: Bureau, programme: Programme, clock: ManualClock
    ) -> None:
        await bureau.approved(f"{programme.path}/allocations", proposal(500))
        clock.set(datetime(2020, 11, 5, 0, 0, tzinfo=CHINA))
        assert await quotas(bureau, programme) == [300, 150, 50]

    async def test_before_the_first_one_has_come_there_is_none(
        self, bureau: Bureau, clock: ManualClock
    ) -> None:
        clock.set(datetime(2020, 10, 10, 9, 0, tzinfo=CHINA))
        programme = await bureau.programme(f"from-{secrets.token_hex(4)}")
        await bureau.approved(f"{programme.path}/allocations", proposal(effective_month="2020-11"))
        refused = await bureau.get(f"{programme.path}/allocations/current", status=404)
        assert refused["code"] == "no_allocation"
        await bureau.get(f"{programme.path}/allocations/1")

    async def test_a_freeze_of_an_earlier_month_still_fits_after_a_later_version(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        proposed = await bureau.post(f"{programme.path}/rankings/freeze", {"month": "2020-08"}, status=202)
        await bureau.approved(f"{programme.path}/allocations", proposal(900, effective_month="2020-12"))
        change = f"changes/{proposed['change_id']}/approve"
        await bureau.post(change, {}, status=200, headers=bureau.second)


class TestComparison:
    @pytest.fixture
    async def programme(self, bureau: Bureau) -> Programme:
        """1000 cards; then 1100, 20 of them moved, and 丙 held at 150."""
        programme = await bureau.programme(f"compared-{secrets.token_hex(4)}", total=1000)
        body = proposal(
            1100,
            adjustments=[{"from": "甲", "to": "乙", "cards": 20, "reason": "=迁移"}],
            bounds=[{"hospital": "丙", "min": 150, "reason": "新院区"}],
            reason="调整",
        )
        await bureau.approved(f"{programme.path}/allocations", body)
        return programme

    async def test_each_difference_is_told_with_its_causes(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        found = await bureau.get(f"{programme.path}/allocations/compare?from=1&to=2")
        assert (found["from"]["version"], found["to"]["version"], found["to"]["reason"]) == (1, 2, "调整")
        told = {item["hospital"]: item for item in found["items"]}
        assert {name: (i["before"], i["after"], i["difference"]) for name, i in told.items()} == {
            "甲": (600, 614, 14), "乙": (300, 336, 36), "丙": (100, 150, 50),
        }  # fmt: skip
        assert told["丙"]["why"] == {
            "total": "10", "basis": "0", "adjustment": "0", "bounds": "40", "rounding": "0",
        }  # fmt: skip
        assert told["甲"]["why"]["total"] == "60"
        assert told["甲"]["why"]["adjustment"] == "-20"
        assert told["甲"]["reasons"] == ["=迁移"]
        for entry in [*found["items"], *found["alliances"]]:
            assert sum(float(part) for part in entry["why"].values()) == pytest.approx(entry["difference"])
        (alliance,) = found["alliances"]
        assert (alliance["alliance"], alliance["before"], alliance["after"]) == ("A", 900, 950)

    async def test_what_is_not_there_cannot_be_compared(self, bureau: Bureau, programme: Programme) -> None:
        await bureau.get(f"{programme.path}/allocations/compare?from=1&to=3", status=404)
        await bureau.get(f"{programme.path}/allocations/compare?from=0&to=1", status=422)
        await bureau.get(f"{programme.path}/allocations/compare?from=1", status=422)

    async def workbook(self, bureau: Bureau, path: str) -> list[tuple[str, ...]]:
        answer = await bureau.client.get(f"{API}/{path}", headers=bureau.auditor)
        assert answer.status_code == 200, answer.text
        return [row.cells for row in read_rows(answer.content)]

    async def test_a_version_is_handed_out_as_a_workbook(self, bureau: Bureau, programme: Programme) -> None:
        rows = await self.workbook(bureau, f"{programme.path}/allocations/2.xlsx")
        head = next(place for place, row in enumerate(rows) if row[1] == "医院")
        assert rows[head][2] == "诊疗人次"
        assert [(row[1], row[2], row[-1]) for row in rows[head + 1 : head + 4]] == [
            ("甲", "600", "614"), ("乙", "300", "336"), ("丙", "100", "150"),
        ]  # fmt: skip
        texts = [row[0] for row in rows]
        assert "甲 → 乙：20 张（=迁移）" in texts
        assert "丙：不少于 150 张（新院区）" in texts
        await bureau.get(f"{programme.path}/allocations/3.xlsx", status=404)

    async def test_a_comparison_is_handed_out_as_a_workbook_whose_cells_are_inert(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        rows = await self.workbook(bureau, f"{programme.path}/allocations/compare.xlsx?from=1&to=2")
        head = next(place for place, row in enumerate(rows) if row[1] == "医院")
        first = rows[head + 1]
        # Read back as text: a formula would come back as its result.
        assert (first[1], first[2:5], first[10]) == ("甲", ("600", "614", "14"), "=迁移")


async def test_hospitals_do_not_read_versions(bureau: Bureau) -> None:
    programme = await bureau.programme("closed-versions", total=100)
    own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("甲"))
    for path in ("allocations", "allocations/1.xlsx", "allocations/compare?from=1&to=1", "bases"):
        await bureau.get(f"{programme.path}/{path}", status=403, headers=own)
