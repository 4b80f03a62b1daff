"""Stages of the funnel, cases of stuffing, and what they take out of the effective figures."""

import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.quota.signals.operations import Signals
from shared.clock import CHINA, ManualClock
from shared.integrity.operations import recompute
from tests.support.quota import Bureau, Json, Programme, event, issued, many

NINE = datetime(2020, 8, 10, 9, 0, 3, tzinfo=CHINA)


@pytest.fixture
async def programme(bureau: Bureau, clock: ManualClock) -> AsyncIterator[Programme]:
    clock.set(datetime(2020, 8, 12, 9, 0, tzinfo=CHINA))
    made = await bureau.programme(f"stuffed-{secrets.token_hex(4)}", total=1000)
    yield made
    report = await recompute(bureau.kit)
    assert [check for check in report.checks if not check.ok] == []


def stuffed(programme: Programme, hospital: str, count: int, *, device: str = "farm") -> list[Json]:
    """One device, a card every twelve seconds."""
    return [
        {
            **issued(programme, hospital, f"s{n}", f"s{n}", (NINE + timedelta(seconds=12 * n)).isoformat()),
            "device_ref": device,
        }
        for n in range(count)
    ]


async def scanned(bureau: Bureau) -> None:
    await Signals(bureau.kit).scan()


async def cases(programme: Programme, query: str = "") -> list[Json]:
    found = await programme.bureau.get(f"{programme.path}/stuffing-cases{query}")
    return list(found["items"])


async def the_case(programme: Programme, kind: str = "devices") -> Json:
    (case,) = await cases(programme, f"?kind={kind}")
    return case


async def confirmed(programme: Programme, case: Json) -> None:
    path = f"{programme.path}/stuffing-cases/{case['id']}/confirm"
    await programme.bureau.approved(path, {"reason": "经核实为代领"})


async def void(programme: Programme) -> int:
    return sum(n for *_, n in await programme.figures("card_void"))


class TestStages:
    async def test_landings_and_applications_count_for_the_funnel_and_for_no_card(
        self, programme: Programme
    ) -> None:
        steps = [
            issued(programme, "甲", f"{kind}-{n}", n, "2020-08-10", kind=kind)
            for kind in ("landed", "applied", "issued", "used")
            for n in range(3)
        ]
        assert await programme.send(*steps) == ["counted"] * 12
        assert await programme.send(*steps) == ["duplicate_event"] * 12
        assert await programme.issued() == {"甲": 3}
        assert await programme.figures("card_landed", "card_applied") == [
            ("card_applied", "2020-08-10", "甲", 3),
            ("card_landed", "2020-08-10", "甲", 3),
        ]

    async def test_a_landing_without_a_known_code_is_unattributed(self, programme: Programme) -> None:
        assert await programme.send(event("l", kind="landed")) == ["unattributed"]

    async def test_an_id_of_a_landing_cannot_be_a_cards_too(self, programme: Programme) -> None:
        assert await programme.send(event("x", kind="landed")) == ["unattributed"]
        assert await programme.send(event("x")) == ["duplicate_event"]
        assert await programme.issued() == {}


class TestCases:
    async def test_a_farm_of_cards_becomes_a_case_with_its_evidence(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(*stuffed(programme, "甲", 30), *many(programme, "乙", 5, "2020-08-10"))
        await scanned(bureau)
        case = await the_case(programme)
        assert (case["hospital"], case["day"], case["status"], case["cards"]) == (
            "甲",
            "2020-08-10",
            "open",
            30,
        )
        assert case["scene"] == programme.scene("甲")
        assert case["why"].startswith("一台设备办理 30 张卡")
        assert case["why_en"].startswith("30 cards came from one device")
        detail = await bureau.get(f"{programme.path}/stuffing-cases/{case['id']}?limit=20")
        assert [item["event_id"] for item in detail["items"][:2]] == ["e-s0", "e-s1"]
        assert len({item["device"] for item in detail["items"]}) == 1
        rest = await bureau.get(
            f"{programme.path}/stuffing-cases/{case['id']}?limit=20&cursor={detail['next_cursor']}"
        )
        assert len(detail["items"]) + len(rest["items"]) == 30

    async def test_looking_again_opens_no_second_case_and_renews_the_first(
        self, bureau: Bureau, programme: Programme, clock: ManualClock
    ) -> None:
        events = stuffed(programme, "甲", 40)
        await programme.send(*events[:20])
        await scanned(bureau)
        first = await the_case(programme)
        await programme.send(*events[20:])
        clock.set(clock.now() + timedelta(minutes=6))
        await scanned(bureau)
        again = await the_case(programme)
        assert (again["id"], first["cards"], again["cards"]) == (first["id"], 20, 40)

    async def test_honest_days_have_no_case(self, bureau: Bureau, programme: Programme) -> None:
        honest = [
            issued(programme, "甲", n, n, (NINE + timedelta(seconds=97 * n + (n * n * 13) % 71)).isoformat())
            for n in range(60)
        ]
        await programme.send(*honest)
        await scanned(bureau)
        assert await cases(programme) == []

    async def test_a_confirmed_case_takes_out_cards_that_nobody_used(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        events = stuffed(programme, "甲", 30)
        await programme.send(*events, *many(programme, "乙", 5, "2020-08-10"))
        await programme.send(issued(programme, None, "u", "s0", "2020-08-11T09:00:00+08:00", kind="used"))
        await scanned(bureau)
        await confirmed(programme, await the_case(programme))
        assert await void(programme) == 29
        assert await programme.issued() == {"甲": 30, "乙": 5}
        case = await the_case(programme)
        assert (case["status"], case["not_effective"]) == ("confirmed", 29)
        # A card that is used after all is effective; one that is cancelled counts nowhere.
        await programme.send(
            issued(programme, None, "u1", "s1", "2020-08-11T10:00:00+08:00", kind="used"),
            issued(programme, None, "c2", "s2", "2020-08-11T10:00:00+08:00", kind="cancelled"),
        )
        assert await void(programme) == 27
        assert await programme.issued() == {"甲": 29, "乙": 5}

    async def test_a_case_that_is_taken_back_puts_its_cards_back(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(*stuffed(programme, "甲", 30))
        await scanned(bureau)
        found = {case["kind"]: case for case in await cases(programme)}
        assert set(found) == {"burst", "devices", "regular"}
        for case in found.values():
            await confirmed(programme, case)
        assert await void(programme) == 30
        # While another confirmed case names the same cards they stay out.
        for kind, still_out in (("devices", 30), ("regular", 30), ("burst", 0)):
            path = f"{programme.path}/stuffing-cases/{found[kind]['id']}/withdraw"
            await bureau.approved(path, {"reason": "申诉成立"})
            assert await void(programme) == still_out
        assert {case["status"] for case in await cases(programme)} == {"dismissed"}

    async def test_a_card_that_moves_by_a_late_code_is_no_longer_void(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(*stuffed(programme, "甲", 30))
        await scanned(bureau)
        await confirmed(programme, await the_case(programme))
        await programme.send(issued(programme, "乙", "late", "s0", "2020-08-09T09:00:00+08:00"))
        assert await programme.issued() == {"甲": 29, "乙": 1}
        assert await programme.figures("card_void") == [("card_void", "2020-08-10", "甲", 29)]

    async def test_a_void_of_a_frozen_month_falls_on_the_first_open_day(
        self, bureau: Bureau, programme: Programme, clock: ManualClock
    ) -> None:
        await programme.send(*stuffed(programme, "甲", 30))
        await scanned(bureau)
        clock.set(datetime(2020, 9, 3, 9, 0, tzinfo=CHINA))
        await bureau.approved(f"{programme.path}/rankings/freeze", {"month": "2020-08"})
        await confirmed(programme, await the_case(programme))
        assert await programme.figures("card_void") == [("card_void", "2020-09-01", "甲", 30)]

    async def test_decisions_are_compare_and_set(self, bureau: Bureau, programme: Programme) -> None:
        await programme.send(*stuffed(programme, "甲", 30))
        await scanned(bureau)
        case = await the_case(programme)
        path = f"{programme.path}/stuffing-cases/{case['id']}"
        refused = await bureau.post(f"{path}/withdraw", {"reason": "x"}, status=409)
        assert refused["code"] == "case_not_confirmed"
        await bureau.post(f"{path}/decide", {"status": "watching", "reason": "再看"}, status=200)
        change = (await bureau.post(f"{path}/confirm", {"reason": "刷量"}, status=202))["change_id"]
        await bureau.post(f"{path}/decide", {"status": "dismissed", "reason": "学校集中办理"}, status=200)
        late = await bureau.post(f"changes/{change}/approve", {}, status=409, headers=bureau.second)
        assert late["code"] == "no_longer_fits"
        refused = await bureau.post(f"{path}/confirm", {"reason": "刷量"}, status=409)
        assert refused["code"] == "case_decided"
        refused = await bureau.post(f"{path}/decide", {"status": "watching", "reason": "x"}, status=409)
        assert refused["code"] == "case_decided"
        assert await void(programme) == 0

    async def test_one_person_cannot_confirm_alone(self, bureau: Bureau, programme: Programme) -> None:
        await programme.send(*stuffed(programme, "甲", 30))
        await scanned(bureau)
        path = f"{programme.path}/stuffing-cases/{(await the_case(programme))['id']}/confirm"
        change = (await bureau.post(path, {"reason": "刷量"}, status=202))["change_id"]
        refused = await bureau.post(f"changes/{change}/approve", {}, status=403)
        assert refused["code"] == "same_person"

    async def test_cards_that_nobody_used_are_a_case_when_they_had_time(
        self, bureau: Bureau, clock: ManualClock
    ) -> None:
        clock.set(datetime(2020, 8, 12, 9, 0, tzinfo=CHINA))
        names = [("A", f"院{n}", 10) for n in range(7)]
        programme = await bureau.programme(f"unused-{secrets.token_hex(4)}", *names, total=1000)
        sent: list[dict[str, Any]] = []
        for hospital in range(7):
            for n in range(60):
                at = (NINE + timedelta(seconds=131 * n + (n * n * 17) % 89)).isoformat()
                who = f"{hospital}-{n}"
                sent.append(issued(programme, f"院{hospital}", f"i{who}", who, at))
                if hospital and n % 2:
                    sent.append(issued(programme, None, f"u{who}", who, "2020-08-11", kind="used"))
        await programme.send(*sent)
        await scanned(bureau)
        assert await cases(programme) == []
        clock.set(datetime(2020, 9, 15, 9, 0, tzinfo=CHINA))
        await scanned(bureau)
        (case,) = await cases(programme)
        assert (case["kind"], case["hospital"], case["cards"]) == ("unused", "院0", 60)
