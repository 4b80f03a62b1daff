"""Monthly rankings: live, frozen, corrected – and immune to what comes later."""

import secrets
from datetime import datetime

import pytest

from shared.clock import CHINA, ManualClock
from shared.identity.staff import Role
from shared.integrity.operations import recompute
from tests.support.people import signed_in_staff
from tests.support.quota import Bureau, Json, Programme, event, issued, many

HOSPITALS = [("A", "甲", 30), ("A", "乙", 30), ("", "丙", 20), ("", "丁", 20)]


@pytest.fixture
async def programme(bureau: Bureau, clock: ManualClock) -> Programme:
    """Four hospitals with quotas 30, 30, 20, 20; it is 10 October 2020."""
    clock.set(datetime(2020, 10, 10, 9, 0, tzinfo=CHINA))
    return await bureau.programme(f"ranked-{secrets.token_hex(4)}", *HOSPITALS, total=100)


def told(ranking: Json, *fields: str) -> list[tuple[Json, ...]]:
    return [tuple(item[field] for field in ("hospital", *fields)) for item in ranking["items"]]


async def test_hospitals_are_ranked_by_rate_cumulative_to_the_months_end(programme: Programme) -> None:
    await programme.send(
        *many(programme, "甲", 6, "2020-08-10"), *many(programme, "丙", 8, "2020-08-31T23:59:59+08:00")
    )
    await programme.send(
        *many(programme, "乙", 6, "2020-08-10"), *many(programme, "丙", 5, "2020-09-01T00:00:00+08:00")
    )
    august = await programme.ranking("2020-08")
    assert (august["month"], august["frozen"], august["edition"]) == ("2020-08", False, None)
    assert told(august, "rank", "issued", "month_issued", "rate", "flagged") == [
        ("丙", 1, 8, 8, "0.4", False),
        ("甲", 2, 6, 6, "0.2", True),
        ("乙", 2, 6, 6, "0.2", True),
        ("丁", 4, 0, 0, "0", True),
    ]
    september = await programme.ranking("2020-09")
    assert told(september, "rank", "issued", "month_issued")[0] == ("丙", 1, 13, 5)


async def test_rank_change_is_against_last_month(programme: Programme) -> None:
    await programme.send(*many(programme, "甲", 6, "2020-08-10"), *many(programme, "丙", 8, "2020-08-11"))
    await programme.send(*many(programme, "丁", 15, "2020-09-10"))
    assert told(await programme.ranking("2020-08"), "rank_change") == [
        ("丙", None),
        ("甲", None),
        ("乙", None),
        ("丁", None),
    ]
    assert told(await programme.ranking("2020-09"), "rank", "rank_change") == [
        ("丁", 1, 2), ("丙", 2, -1), ("甲", 3, -1), ("乙", 4, -1),
    ]  # fmt: skip


async def test_who_met_its_quota_is_never_flagged(programme: Programme) -> None:
    await programme.send(
        *many(programme, "甲", 30, "2020-08-10"),
        *many(programme, "乙", 30, "2020-08-10"),
        *many(programme, "丁", 20, "2020-08-10"),
    )
    assert told(await programme.ranking("2020-08"), "rank", "flagged") == [
        ("甲", 1, False), ("乙", 1, False), ("丁", 1, False), ("丙", 4, True),
    ]  # fmt: skip


async def test_the_month_is_this_one_when_none_is_named(bureau: Bureau, programme: Programme) -> None:
    assert (await bureau.get(f"{programme.path}/rankings"))["month"] == "2020-10"


@pytest.mark.parametrize("query", ["month=2020-13", "month=202008", "month=", "month=2020-08&edition=0"])
async def test_what_is_no_month_is_refused(bureau: Bureau, programme: Programme, query: str) -> None:
    await bureau.get(f"{programme.path}/rankings?{query}", status=422)


async def test_without_quotas_there_is_no_ranking(bureau: Bureau) -> None:
    programme = await bureau.programme(f"ranked-{secrets.token_hex(4)}")
    refused = await bureau.get(f"{programme.path}/rankings", status=404)
    assert refused["code"] == "no_allocation"


async def test_a_hospital_without_a_quota_is_listed_last_and_not_ranked(bureau: Bureau) -> None:
    programme = await bureau.programme(
        f"ranked-{secrets.token_hex(4)}", ("", "甲", 1), ("", "乙", 0), total=10
    )
    assert told(await programme.ranking("2020-08"), "rank", "flagged", "rate") == [
        ("甲", 1, True, "0"), ("乙", None, False, None),
    ]  # fmt: skip


async def test_a_hospital_sees_its_own_line(bureau: Bureau, programme: Programme) -> None:
    own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("丙"))
    shown = await bureau.get(f"{programme.path}/rankings?month=2020-08", headers=own)
    assert [item["hospital"] for item in shown["items"]] == ["丙"]


class TestFreeze:
    async def freeze(self, programme: Programme, month: str = "2020-08", **fields: Json) -> None:
        await programme.bureau.approved(f"{programme.path}/rankings/freeze", {"month": month, **fields})

    async def test_later_events_count_in_the_totals_and_in_the_next_open_month(
        self, programme: Programme
    ) -> None:
        await programme.send(*many(programme, "甲", 6, "2020-08-10"), event("x", "2020-08-10"))
        await self.freeze(programme)
        frozen = await programme.ranking("2020-08")
        assert (frozen["frozen"], frozen["edition"], frozen["unattributed"]) == (True, 1, 1)
        await programme.send(
            *many(programme, "乙", 9, "2020-08-20"),
            issued(programme, None, "c", "甲-2020-08-10-0", "2020-08-21", kind="cancelled"),
        )
        assert await programme.ranking("2020-08") == frozen
        assert await programme.issued() == {"甲": 5, "乙": 9, "": 1}
        months = {
            name: (month, total)
            for name, total, month in told(await programme.ranking("2020-09"), "issued", "month_issued")
        }
        assert (months["甲"], months["乙"]) == ((-1, 5), (9, 9))

    async def test_a_late_first_code_moves_the_card_without_touching_the_frozen_month(
        self, programme: Programme
    ) -> None:
        await programme.send(issued(programme, "甲", 1, "p", "2020-08-10"))
        await self.freeze(programme)
        await programme.send(issued(programme, "乙", 2, "p", "2020-08-01"))
        assert await programme.issued() == {"乙": 1}
        assert told(await programme.ranking("2020-08"), "issued")[0] == ("甲", 1)
        assert await programme.figures("card") == [
            ("card", "2020-08-10", "甲", 1),
            ("card", "2020-09-01", "乙", 1),
            ("card", "2020-09-01", "甲", -1),
        ]

    async def test_two_frozen_months_push_late_events_behind_both(self, programme: Programme) -> None:
        await self.freeze(programme, "2020-08")
        await self.freeze(programme, "2020-09")
        await programme.send(issued(programme, "甲", 1, "p", "2020-08-10"))
        assert await programme.figures("card") == [("card", "2020-10-01", "甲", 1)]

    async def test_a_late_first_card_is_credited_on_the_day_that_its_figure_falls_on(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await self.freeze(programme)
        await programme.send(issued(programme, "甲", 1, "p", "2020-08-10"))
        checks = {check.name: check for check in (await recompute(bureau.kit)).checks}
        assert checks["tallies_equal_the_recount_of_card_credits"].ok

    async def test_an_assignment_of_a_frozen_months_card_counts_from_the_open_month(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(event(1, "2020-08-10"))
        await self.freeze(programme)
        body = {"hospital_id": programme.id("丁"), "reason": "申诉"}
        await bureau.approved(f"{programme.path}/card-events/e-1/assign", body)
        assert (await programme.ranking("2020-08"))["unattributed"] == 1
        assert (await programme.month_issued("2020-09"))["丁"] == 1

    async def test_a_correction_is_a_further_edition_with_a_reason(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(*many(programme, "甲", 6, "2020-08-10"))
        await self.freeze(programme)
        path = f"{programme.path}/rankings/freeze"
        refused = await bureau.post(path, {"month": "2020-08"}, status=422)
        assert refused["errors"][0]["code"] == "reason_required"
        await programme.allocate(50)
        await self.freeze(programme, reason="任务数更正")
        corrected = await programme.ranking("2020-08")
        assert (corrected["edition"], corrected["reason"]) == (2, "任务数更正")
        assert told(corrected, "rate")[0] == ("甲", "0.4")
        first = await bureau.get(f"{programme.path}/rankings?month=2020-08&edition=1")
        assert told(first, "rate")[0] == ("甲", "0.2")
        await bureau.get(f"{programme.path}/rankings?month=2020-08&edition=3", status=404)

    async def test_next_months_changes_are_against_the_published_ranks(self, programme: Programme) -> None:
        await programme.send(*many(programme, "甲", 6, "2020-08-10"))
        await self.freeze(programme)
        await programme.send(*many(programme, "丙", 9, "2020-09-10"))
        assert told(await programme.ranking("2020-09"), "rank", "rank_change")[:2] == [
            ("丙", 1, 1),
            ("甲", 2, -1),
        ]

    async def test_a_month_that_is_not_over_cannot_be_frozen(
        self, bureau: Bureau, programme: Programme, clock: ManualClock
    ) -> None:
        path = f"{programme.path}/rankings/freeze"
        refused = await bureau.post(path, {"month": "2020-10"}, status=409)
        assert refused["code"] == "month_not_over"
        clock.set(datetime(2020, 11, 1, 0, 0, tzinfo=CHINA))
        await bureau.post(path, {"month": "2020-10"}, status=202)

    async def test_two_proposals_for_one_month_freeze_it_once(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        path = f"{programme.path}/rankings/freeze"
        first = await bureau.post(path, {"month": "2020-08"}, status=202)
        second = await bureau.post(path, {"month": "2020-08"}, status=202)
        await bureau.post(f"changes/{first['change_id']}/approve", {}, status=200, headers=bureau.second)
        refused = await bureau.post(
            f"changes/{second['change_id']}/approve", {}, status=409, headers=bureau.second
        )
        assert refused["code"] == "no_longer_fits"

    async def test_quotas_that_changed_since_the_proposal_no_longer_fit(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        proposed = await bureau.post(f"{programme.path}/rankings/freeze", {"month": "2020-08"}, status=202)
        await programme.allocate(200)
        change = f"changes/{proposed['change_id']}/approve"
        assert (await bureau.post(change, {}, status=409, headers=bureau.second))["code"] == "no_longer_fits"

    async def test_auditors_do_not_freeze(self, bureau: Bureau, programme: Programme) -> None:
        await bureau.post(
            f"{programme.path}/rankings/freeze", {"month": "2020-08"}, status=403, headers=bureau.auditor
        )
