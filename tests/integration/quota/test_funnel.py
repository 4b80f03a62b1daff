"""Scans apart, the funnel and its workbook, traces on the way to a card, appeals, and long files by a job."""

import io
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import httpx
import pytest
from python_calamine import CalamineWorkbook

from services.quota.cards.operations import CardEvents
from services.quota.scans.routes import SCAN_PER_ADDRESS, SCAN_PER_DEVICE
from services.quota.wiring import build
from services.quota.worker import parts
from shared.clock import CHINA, ManualClock
from shared.identity.staff import Role
from shared.integrity.operations import recompute
from shared.jobs.awaited import Progress
from tests.support.drain import drain
from tests.support.people import signed_in_staff
from tests.support.quota import API, Bureau, Json, Programme, event, issued

PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 10) MicroMessenger/7.0"}


@pytest.fixture
async def programme(bureau: Bureau, clock: ManualClock) -> Programme:
    clock.set(datetime(2020, 8, 12, 9, 0, tzinfo=CHINA))
    return await bureau.programme(f"funnel-{secrets.token_hex(4)}", total=1000)


async def scan(programme: Programme, hospital: str, **headers: str) -> httpx.Response:
    """Without what an earlier scan left behind, unless it is sent along."""
    client = programme.bureau.client
    client.cookies.clear()
    answer = await client.get(f"{API}/s/{programme.scene(hospital)}", headers={**PHONE, **headers})
    client.cookies.clear()
    assert answer.status_code == 302, answer.text
    return answer


async def funnel(programme: Programme, query: str = "", *, headers: Json = None) -> Json:
    return await programme.bureau.get(f"{programme.path}/funnel{query}", headers=headers)


async def staff_of(programme: Programme, hospital: str) -> dict[str, str]:
    kit = programme.bureau.kit
    return await signed_in_staff(kit, Role.HOSPITAL, hospital_id=programme.id(hospital))


class TestScans:
    async def test_a_device_that_scans_again_and_a_machine_are_counted_and_shown_apart(
        self, programme: Programme
    ) -> None:
        first = await scan(programme, "甲")
        cookie = first.headers["set-cookie"].split(";")[0]
        assert "HttpOnly" in first.headers["set-cookie"]
        assert f"Path={API}/s/{programme.scene('甲')}" in first.headers["set-cookie"]
        again = await scan(programme, "甲", Cookie=cookie)
        assert "set-cookie" not in again.headers
        await scan(programme, "甲", **{"User-Agent": "curl/8.1"})
        total = (await funnel(programme))["total"]
        assert (total["scans"], total["scan_repeats"], total["scan_bots"]) == (3, 1, 1)
        metrics = await programme.bureau.get(f"metrics?programme={programme.slug}")
        assert (metrics["scans"], metrics["scan_repeats"], metrics["scan_bots"]) == (3, 1, 1)

    async def test_a_made_up_device_is_no_repetition(self, programme: Programme) -> None:
        await scan(programme, "甲", Cookie="hv_scan=' OR 1=1")
        assert (await funnel(programme))["total"]["scan_repeats"] == 0

    def test_a_fair_behind_one_address_is_no_flood_and_one_finger_is(self) -> None:
        assert SCAN_PER_ADDRESS.amount >= 6_000
        assert SCAN_PER_DEVICE.amount <= 60


class TestFunnel:
    @pytest.fixture
    async def walked(self, programme: Programme) -> Programme:
        """Three scan and land, two apply and get cards, one uses it; another comes from elsewhere."""
        for _ in range(3):
            await scan(programme, "甲")
        await programme.send(
            *(issued(programme, "甲", f"l{n}", n, "2020-08-11", kind="landed") for n in range(3)),
            *(issued(programme, "甲", f"a{n}", n, "2020-08-11", kind="applied") for n in range(2)),
            *(issued(programme, "甲", f"i{n}", n, "2020-08-11") for n in range(2)),
            issued(programme, None, "u", 0, "2020-08-12T08:00:00+08:00", kind="used"),
            event("n"),
        )
        return programme

    async def test_each_step_is_told_by_hospital_code_and_day(self, walked: Programme) -> None:
        by_hospital = await funnel(walked)
        (nobody, first) = sorted(by_hospital["items"], key=lambda item: item["hospital"])
        assert [first[step] for step in ("scans", "landed", "applied", "issued", "used", "effective")] == [
            3, 3, 2, 2, 1, 2,
        ]  # fmt: skip
        assert (nobody["hospital_id"], nobody["issued"]) == ("", 1)
        by_code = await funnel(walked, "?by=code")
        assert {item["scene"] for item in by_code["items"]} == {"", walked.scene("甲")}
        by_day = await funnel(walked, "?by=day")
        assert [(item["date"], item["issued"], item["used"]) for item in by_day["items"]] == [
            ("2020-08-10", 1, 0), ("2020-08-11", 2, 0), ("2020-08-12", 0, 1),
        ]  # fmt: skip
        assert by_hospital["total"] == by_code["total"] == by_day["total"]
        part = await funnel(walked, "?from=2020-08-11&to=2020-08-11")
        assert (part["total"]["issued"], part["total"]["scans"]) == (2, 0)

    async def test_the_workbook_says_the_same(self, walked: Programme) -> None:
        answer = await walked.bureau.client.get(
            f"{API}/{walked.path}/funnel.xlsx", headers=walked.bureau.operator
        )
        book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
        assert book.sheet_names == ["按医院", "按二维码", "按日"]
        rows = book.get_sheet_by_name("按医院").to_python()
        assert ["合计", 3, 0, 0, 3, 2, 3, 1, 3] in [row[:9] for row in rows]

    async def test_a_hospital_sees_its_own_funnel_only(self, walked: Programme) -> None:
        own = await staff_of(walked, "甲")
        assert {item["hospital"] for item in (await funnel(walked, headers=own))["items"]} == {"甲"}
        other = f"{walked.path}/funnel?hospital_id={walked.id('乙')}"
        assert (await walked.bureau.get(other, status=403, headers=own))["code"] == "forbidden"

    async def test_a_landing_is_traced_and_cannot_be_assigned(self, walked: Programme) -> None:
        trace = await walked.bureau.get(f"{walked.path}/events/e-l0/trace")
        assert (trace["kind"], trace["why"], trace["counts"], trace["hospital"]) == (
            "landed", "on_the_way", False, "甲",
        )  # fmt: skip
        refused = await walked.bureau.post(
            f"{walked.path}/card-events/e-l0/assign",
            {"hospital_id": walked.id("乙"), "reason": "x"},
            status=409,
        )
        assert refused["code"] == "not_unattributed"


class TestAppeals:
    async def test_a_hospital_appeals_about_its_event_and_is_answered_once(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        await programme.send(
            issued(programme, "甲", 1, "p", "2020-08-10"), issued(programme, "乙", 2, "p", "2020-08-11")
        )
        own, other = await staff_of(programme, "乙"), await staff_of(programme, "丙")
        path = f"{programme.path}/events/e-2/appeals"
        lodged = await bureau.post(path, {"reason": "此人先扫我院的码"}, headers=own)
        assert (lodged["status"], lodged["hospital"]) == ("open", "乙")
        refused = await bureau.post(path, {"reason": "再次"}, status=409, headers=own)
        assert refused["code"] == "appeal_open"
        assert (await bureau.post(path, {"reason": "x"}, status=403, headers=other))["code"] == "forbidden"
        await bureau.post(path, {"reason": "x"}, status=403)
        answer = f"{programme.path}/appeals/{lodged['id']}/answer"
        body = {"status": "rejected", "answer": "甲院的码在先"}
        await bureau.post(answer, body, status=403, headers=own)
        assert (await bureau.post(answer, body, status=200))["status"] == "rejected"
        refused = await bureau.post(answer, {**body, "status": "upheld"}, status=409)
        assert refused["code"] == "appeal_answered"
        (shown,) = (await bureau.get(f"{programme.path}/appeals", headers=own))["items"]
        assert shown["answer"] == "甲院的码在先"
        assert (await bureau.get(f"{programme.path}/appeals", headers=other))["items"] == []
        assert (await bureau.get(f"{programme.path}/appeals?status=open"))["items"] == []


class TestLongFiles:
    ROWS = 6_000

    def file(self, programme: Programme) -> bytes:
        start = datetime(2020, 8, 1, 8, tzinfo=CHINA)
        lines = ["事件编号,场景值,持卡人,类型,时间,设备"]
        for n in range(self.ROWS):
            at = (start + timedelta(seconds=60 * n)).strftime("%Y-%m-%d %H:%M:%S")
            lines.append(f"f{n},{programme.scene('甲')},h{n},发放,{at},d{n}")
        lines.append(f"bad,,h,发放,昨天,{'d' * 200}")
        return "\n".join(lines).encode()

    async def report(self, bureau: Bureau, programme: Programme) -> Json:
        asked = await bureau.upload(f"{programme.path}/card-events/import", self.file(programme), status=202)
        wiring = build(bureau.kit)
        await drain(bureau.kit, parts(wiring))
        job = await bureau.get(f"jobs/{asked['job_id']}")
        assert (job["state"], job["progress"]) == ("succeeded", 100)
        await wiring.card_events.forget_uploads()
        return job["result"]

    async def test_a_long_file_is_counted_by_a_job_and_a_second_time_by_nobody(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        first = await self.report(bureau, programme)
        assert (first["rows"], first["accepted"], first["rejected"]) == (self.ROWS + 1, self.ROWS, 1)
        assert {error["column"] for error in first["errors"]} == {"at", "device_ref"}
        assert (first["outcomes"], first["already_imported"]) == ({"counted": self.ROWS}, False)
        assert await programme.issued() == {"甲": self.ROWS}
        again = await self.report(bureau, programme)
        assert (again["accepted"], again["duplicates"], again["already_imported"]) == (0, self.ROWS, True)
        assert await programme.issued() == {"甲": self.ROWS}

    async def test_a_job_that_is_begun_again_counts_on_and_reports_the_whole_file(
        self, bureau: Bureau, programme: Programme, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = await bureau.upload(f"{programme.path}/card-events/import", self.file(programme), status=202)
        whole, parts_counted = CardEvents._count_on, 0

        async def dying(self: CardEvents, *args: Json, **named: Json) -> Json:
            nonlocal parts_counted
            parts_counted += 1
            if parts_counted == 3:
                raise OSError("the worker dies")
            return await whole(self, *args, **named)

        monkeypatch.setattr(CardEvents, "_count_on", dying)
        wiring = build(bureau.kit)
        job = await wiring.awaited.view(UUID(asked["job_id"]))
        with pytest.raises(OSError, match="dies"):
            await wiring.card_events.import_uploaded(job, Progress(bureau.kit, job.id))
        await drain(bureau.kit, parts(wiring))
        result = (await bureau.get(f"jobs/{asked['job_id']}"))["result"]
        assert (result["accepted"], result["duplicates"]) == (self.ROWS, 0)
        assert result["outcomes"] == {"counted": self.ROWS}


async def test_all_of_this_is_sound(bureau: Bureau) -> None:
    report = await recompute(bureau.kit)
    assert [check for check in report.checks if not check.ok] == []
