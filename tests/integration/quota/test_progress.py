"""Progress, metrics and codes over HTTP."""

import secrets
from datetime import datetime

import httpx
import pytest

from services.quota.wiring import build
from services.quota.worker import parts
from shared.clock import CHINA, ManualClock
from shared.identity.staff import Role
from shared.jobs.periodic import run_due
from tests.support.people import signed_in_staff
from tests.support.quota import API, Bureau, Programme, event, issued, many

METRICS = {"Authorization": "Bearer metrics-token-of-the-tests"}


@pytest.fixture
async def programme(bureau: Bureau, clock: ManualClock) -> Programme:
    """甲 has 600 of 1,000 cards to issue, 乙 300, 丙 (alone) 100; it is 10 September 2020."""
    clock.set(datetime(2020, 9, 10, 9, 0, tzinfo=CHINA))
    return await bureau.programme(f"far-{secrets.token_hex(4)}", total=1000, ends_on="2020-09-19")


class TestProgress:
    async def test_it_shows_each_hospital_against_its_quota(self, programme: Programme) -> None:
        await programme.send(
            *many(programme, "甲", 12, "2020-08-20"), *many(programme, "甲", 3, "2020-09-05")
        )
        await programme.send(*many(programme, "丙", 1, "2020-09-05"), event("x", "2020-09-05"))
        progress = await programme.progress()
        assert (
            progress
            | {
                "target": 1000,
                "issued_before": 100,
                "issued": 17,
                "attributed": 16,
                "unattributed": 1,
                "used": 0,
            }
            == progress
        )
        first = progress["items"][0]
        assert (
            first
            | {
                "hospital": "甲",
                "alliance": "A",
                "quota": 600,
                "issued": 15,
                "rate": "0.025",
                "month_issued": 3,
            }
            == first
        )
        # 585 cards in the ten days until the 19th, and 15 cards in the 22 days since the first one.
        assert (first["needed_per_day"], first["forecast_date"]) == (59, "2023-01-16")
        (alliance,) = progress["alliances"]
        assert (alliance["quota"], alliance["issued"], alliance["rate"]) == (900, 15, "0.016667")
        assert progress["as_of"].endswith("+08:00")

    async def test_without_an_end_nothing_is_needed_a_day(self, bureau: Bureau) -> None:
        programme = await bureau.programme(f"far-{secrets.token_hex(4)}", total=1000)
        assert {item["needed_per_day"] for item in (await programme.progress())["items"]} == {None}

    async def test_without_quotas_cards_are_counted_all_the_same(self, bureau: Bureau) -> None:
        programme = await bureau.programme(f"far-{secrets.token_hex(4)}")
        await programme.send(issued(programme, "甲", 1, "p", "2020-08-01"))
        progress = await programme.progress()
        assert (progress["issued"], progress["allocation_version"]) == (1, None)
        assert [(item["quota"], item["rate"]) for item in progress["items"]] == [(None, None)] * 3

    async def test_a_hospital_sees_its_own_row(self, bureau: Bureau, programme: Programme) -> None:
        own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("乙"))
        stranger = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id="hos_elsewhere")
        shown = await bureau.get(f"{programme.path}/progress", headers=own)
        assert [item["hospital"] for item in shown["items"]] == ["乙"]
        assert shown["alliances"] == []
        await bureau.get(f"{programme.path}/progress", status=403, headers=stranger)

    async def test_folding_changes_no_figure(self, bureau: Bureau, programme: Programme) -> None:
        await programme.send(*many(programme, "甲", 5, "2020-08-20"))
        before = await programme.progress()
        await bureau.fold()
        await bureau.fold()
        assert await programme.progress() == before
        await programme.send(*many(programme, "甲", 5, "2020-08-20", first=5))
        assert (await programme.progress())["issued"] == 10


class TestMetrics:
    async def test_they_add_scans_and_the_daily_series(self, bureau: Bureau, programme: Programme) -> None:
        await programme.send(
            *many(programme, "甲", 2, "2020-08-20"),
            issued(programme, None, "u", "甲-2020-08-20-0", "2020-08-21", kind="used"),
        )
        for _ in range(3):
            await bureau.client.get(f"{API}/s/{programme.scene('甲')}")
        metrics = await bureau.get(f"metrics?programme={programme.slug}", headers=METRICS)
        assert (metrics["issued"], metrics["used"], metrics["scans"], metrics["quota"]) == (2, 1, 3, 1000)
        assert metrics["daily"] == [
            {"date": "2020-08-20", "issued": 2, "used": 0, "scans": 0},
            {"date": "2020-08-21", "issued": 0, "used": 1, "scans": 0},
            {"date": "2020-09-10", "issued": 0, "used": 0, "scans": 3},
        ]
        assert [item["scans"] for item in metrics["by_hospital"]] == [3, 0, 0]

    async def test_an_unchanged_answer_is_304(
        self, bureau: Bureau, programme: Programme, clock: ManualClock
    ) -> None:
        address = f"{API}/metrics?programme={programme.slug}"
        first = await bureau.client.get(address, headers=METRICS)
        clock.advance(seconds=5)
        told = {**METRICS, "If-None-Match": first.headers["etag"]}
        assert (await bureau.client.get(address, headers=told)).status_code == 304
        await programme.send(issued(programme, "甲", 1, "p", "2020-08-01"))
        assert (await bureau.client.get(address, headers=told)).status_code == 200

    async def test_they_need_a_reader_or_the_token(self, bureau: Bureau, programme: Programme) -> None:
        path = f"metrics?programme={programme.slug}"
        assert (await bureau.client.get(f"{API}/{path}")).status_code == 401
        await bureau.get(path, headers=bureau.auditor)
        await bureau.get("metrics?programme=none", status=404)
        await bureau.get("metrics", status=422)

    async def test_prometheus_agrees_with_the_progress(self, bureau: Bureau, programme: Programme) -> None:
        await programme.send(*many(programme, "甲", 4, "2020-08-20"), event("x", "2020-08-20"))
        answer = await bureau.client.get("/quota/metrics", headers=METRICS)
        assert answer.status_code == 200
        lines = [line for line in answer.text.splitlines() if f'programme="{programme.slug}"' in line]
        assert f'hv_cards_issued_total{{hospital="甲",programme="{programme.slug}"}} 4.0' in lines
        assert f'hv_cards_issued_total{{hospital="",programme="{programme.slug}"}} 1.0' in lines
        assert f'hv_card_quota{{hospital="乙",programme="{programme.slug}"}} 300.0' in lines

    async def test_prometheus_hears_when_hospitals_are_at_work(
        self, bureau: Bureau, programme: Programme, clock: ManualClock
    ) -> None:
        told = {}
        for moment in ("2020-09-11T10:00", "2020-09-11T18:00", "2020-09-12T10:00"):
            clock.set(datetime.fromisoformat(f"{moment}:00+08:00"))
            answer = await bureau.client.get("/quota/metrics", headers=METRICS)
            name = f'hv_card_working_hours{{programme="{programme.slug}"}} '
            told[moment] = next(line for line in answer.text.splitlines() if line.startswith(name))
        # Friday morning and evening, Saturday.
        assert [line[-3:] for line in told.values()] == ["1.0", "0.0", "0.0"]

    async def test_the_worker_folds_and_forgets(self, bureau: Bureau, programme: Programme) -> None:
        await programme.send(*many(programme, "甲", 4, "2020-08-20"))
        periodics = parts(build(bureau.kit)).periodics
        assert {periodic.name for periodic in periodics} == {
            "core.fold_tallies",
            "quota.forget_nonces",
            "quota.card_signals",
            "quota.forget_card_event_uploads",
        }
        for periodic in periodics:
            assert await run_due(bureau.kit.database, periodic)
        async with bureau.kit.database.snapshot() as tx:
            left = await tx.exec_driver_sql("SELECT count(*) FROM core.tally_delta")
            assert left.scalar_one() == 0


class TestCodes:
    async def test_a_scan_leads_to_the_landing_address(self, bureau: Bureau, programme: Programme) -> None:
        answer = await bureau.client.get(f"{API}/s/{programme.scene('甲')}")
        assert (answer.status_code, answer.headers["location"]) == (302, "/app")
        assert answer.headers["cache-control"] == "no-store"

    async def test_an_address_that_asks_for_the_scene_gets_it(self, bureau: Bureau) -> None:
        landing = "https://card.example.org/apply?from={scene}"
        programme = await bureau.programme(f"far-{secrets.token_hex(4)}", landing_url=landing)
        answer = await bureau.client.get(f"{API}/s/{programme.scene('甲').lower()}")
        assert answer.headers["location"] == landing.replace("{scene}", programme.scene("甲"))

    @pytest.mark.parametrize("scene", ["AAAAAAAAAAAA", "x", "%00", "甲"])
    async def test_a_damaged_code_is_said_kindly(self, bureau: Bureau, scene: str) -> None:
        answer = await bureau.client.get(f"{API}/s/{scene}")
        assert answer.status_code in (404, 422)
        if answer.status_code == 404:
            assert answer.json()["code"] == "code_unknown"

    async def test_the_drawing_and_the_picture_are_of_the_scan_address(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        path = f"{API}/hospitals/{programme.id('甲')}"
        svg = await bureau.client.get(f"{path}/qr.svg", headers=bureau.operator)
        png = await bureau.client.get(f"{path}/qr.png?scale=5", headers=bureau.operator)
        assert (svg.status_code, svg.headers["content-type"]) == (200, "image/svg+xml")
        assert svg.text.startswith("<?xml")
        assert (png.status_code, png.content[:8]) == (200, b"\x89PNG\r\n\x1a\n")
        codes = await bureau.get(f"hospitals/{programme.id('甲')}/codes")
        assert codes["items"][0]["url"] == f"http://hv.test{API}/s/{programme.scene('甲')}"

    async def test_a_code_is_drawn_for_its_hospital_and_for_staff_only(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        own = await signed_in_staff(bureau.kit, Role.HOSPITAL, hospital_id=programme.id("乙"))
        for name, status in (("乙", 200), ("甲", 403)):
            address = f"{API}/hospitals/{programme.id(name)}/qr.svg"
            assert (await bureau.client.get(address, headers=own)).status_code == status
        assert (await bureau.client.get(f"{API}/hospitals/hos_x/qr.svg")).status_code == 401
        unknown = await bureau.client.get(f"{API}/hospitals/hos_x/qr.svg", headers=bureau.operator)
        assert unknown.status_code == 404

    async def test_a_replaced_code_is_kept_with_its_reason(
        self, bureau: Bureau, programme: Programme
    ) -> None:
        path = f"hospitals/{programme.id('甲')}/codes"
        body = {"reason": "海报被覆盖", "request_no": f"r-{secrets.token_hex(4)}"}
        replace = f"{path}/{programme.scene('甲')}/replace"
        made = await bureau.post(replace, body)
        assert await bureau.post(replace, body, status=200) == made
        codes = (await bureau.get(path))["items"]
        assert [(code["scene"], code["replaced_reason"]) for code in codes] == [
            (made["scene"], None), (programme.scene("甲"), "海报被覆盖"),
        ]  # fmt: skip
        listed = await bureau.get(f"{programme.path}/hospitals")
        assert listed["items"][0]["scene"] == made["scene"]
        for scene in (made["scene"], made["replaced_scene"]):
            assert (await bureau.client.get(f"{API}/s/{scene}")).status_code == 302
        await bureau.post(replace, {"reason": "x"}, status=403, headers=bureau.auditor)
        again = await bureau.post(replace, {"reason": "x"}, status=409)
        assert again["code"] == "no_longer_fits"
        await bureau.post(f"hospitals/hos_none/codes/{made['scene']}/replace", {"reason": "x"}, status=404)


class TestTableCheck:
    TABLE = "医共体,医院,诊疗人次,任务数\nA,甲,6,60\nA,乙,3,31\n,丙,1,10\n".encode()

    async def test_a_table_is_checked_with_what_was_printed_beside_it(self, bureau: Bureau) -> None:
        answer = await bureau.client.post(
            f"{API}/table-checks",
            files={"file": ("t.csv", self.TABLE), "totals": ("s.csv", "医共体,合计\nA,90\n".encode())},
            data={"total": "100"},
            headers=bureau.auditor,
        )
        assert answer.status_code == 200
        body = answer.json()
        assert body["ok"] is False
        assert [(finding["kind"], finding["difference"]) for finding in body["findings"]] == [
            ("quota", 1), ("subtotal", -1), ("total", -1),
        ]  # fmt: skip
        assert set(body["findings"][0]) == {
            "kind",
            "where",
            "published",
            "recomputed",
            "difference",
            "message",
        }

    async def test_a_correct_table_is_ok(self, bureau: Bureau) -> None:
        good = self.TABLE.replace(b"31", b"30")
        assert (await bureau.upload("table-checks", good, total=100)) == {
            "ok": True, "findings": [], "checked": {"rows": 3, "subtotals": 0, "totals": 1, "adjustments": 0},
        }  # fmt: skip

    @pytest.mark.parametrize("fields", [{"total": "many"}, {"total": "0"}, {"adjustments": "[{}]"}])
    async def test_malformed_fields_are_refused(self, bureau: Bureau, fields: dict[str, str]) -> None:
        answer = await bureau.client.post(
            f"{API}/table-checks", files={"file": self.TABLE}, data=fields, headers=bureau.operator
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")

    async def test_it_needs_somebody_who_may_read(self, client: httpx.AsyncClient) -> None:
        answer = await client.post(f"{API}/table-checks", files={"file": self.TABLE})
        assert answer.status_code == 401
