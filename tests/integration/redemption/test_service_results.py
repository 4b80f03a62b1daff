"""Results of directed services reach the health code once, or visibly wait; nothing personal stays."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.redemption.app import create_app
from services.redemption.wiring import build
from services.redemption.worker import parts
from shared.clients.terminal import TerminalClient
from shared.clock import ManualClock
from shared.ids import parse_hot_id
from shared.jobs.kinds import Kind
from shared.kit import Kit, build_kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef, VoucherType
from tests.support.drain import drain
from tests.support.healthcode import FakeHealthCode
from tests.support.http import serving
from tests.support.messaging import serving_messages
from tests.support.people import resident_id
from tests.support.tills import Bureau, bureau, signed
from tests.support.vouchers import HeldVoucher, held_voucher, identify, published

TYPES = (
    VoucherType("nucleic", "directed", "核酸检测券", None, 8_000, 60, reports_result_to_health_code=True),
    VoucherType("checkup", "directed", "健康体检券", None, 30_000, 60),
)
NAME, RESULT, REPORT_NO = "欧阳测试娜", "阴性-secret-result", "R-2020-778899"


@dataclass
class Lab:
    """An institution whose results go to a platform; `run` does the jobs that are due, as a worker does."""

    kit: Kit
    http: httpx.AsyncClient
    campaign: CampaignRef
    staff: Bureau
    till: TerminalClient
    platform: FakeHealthCode

    async def written_off(
        self, voucher_type: str = "nucleic", *, known: bool = True
    ) -> tuple[HeldVoucher, str]:
        voucher = await held_voucher(self.kit, self.campaign, voucher_type)
        if known:
            await identify(self.kit, voucher, name=NAME, id_number=resident_id(voucher.id.int % 10**6))
        return voucher, (await self.till.redeem(voucher.code)).id

    async def report(
        self, redemption_id: str, *, by: TerminalClient | None = None, **more: object
    ) -> httpx.Response:
        body = {
            "request_no": secrets.token_hex(8),
            "kind": "nucleic_acid_test",
            "report_no": REPORT_NO,
            "result": RESULT,
            "performed_at": (self.kit.clock.now() - timedelta(hours=1)).isoformat(),
            **more,
        }
        path = f"/redemptions/{redemption_id}/service-result"
        return await signed(by or self.till, self.http, "POST", path, body, kit=self.kit)

    async def status(self, redemption_id: str) -> dict[str, Any]:
        path = f"/redemptions/{redemption_id}/service-result"
        answer = await signed(self.till, self.http, "GET", path, kit=self.kit)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def run(self) -> None:
        await drain(self.kit, parts(build(self.kit)))

    async def again(self) -> None:
        """The next attempt is due."""
        await self.execute("UPDATE core.outbox SET next_at = created_at WHERE state = 'ready'")
        await self.run()

    async def execute(self, statement: str, **values: object) -> list[Any]:
        async with self.kit.database.transaction() as tx:
            result = await tx.execute(text(statement), values)
            return list(result) if result.returns_rows else []


@asynccontextmanager
async def laboratory(
    settings: Settings, clock: ManualClock, campaign: CampaignRef, platform: FakeHealthCode, url: str | None
) -> AsyncIterator[Lab]:
    told = settings.model_copy(
        update={"health_code_url": url, "health_code_key": SecretStr(platform.key) if url else None}
    )
    kit = build_kit(told, clock=clock)
    await kit.database.start()
    async with serving(redemption=create_app(told, clock=clock)) as http:
        staff = await bureau(http, kit)
        till = await staff.till(await staff.institution(campaign, accepts=("nucleic", "checkup")))
        yield Lab(kit, http, campaign, staff, till, platform)
    await kit.database.stop()


@pytest.fixture(scope="module")
async def campaign(kit: Kit) -> CampaignRef:
    return await published(kit, "honghe-results", types=TYPES)


@pytest.fixture
async def platform() -> FakeHealthCode:
    return FakeHealthCode()


@pytest.fixture
async def lab(
    settings: Settings, clock: ManualClock, campaign: CampaignRef, platform: FakeHealthCode
) -> AsyncIterator[Lab]:
    async with serving_messages(platform) as url, laboratory(settings, clock, campaign, platform, url) as one:
        yield one


async def test_a_result_is_delivered_with_whom_it_is_about_and_then_dropped(lab: Lab) -> None:
    voucher, redemption = await lab.written_off()
    taken = await lab.report(redemption)
    assert (taken.status_code, taken.json()) == (202, {"redemption_id": redemption, "status": "due"})
    assert (await lab.status(redemption))["status"] == "due"
    await lab.run()
    (told,) = lab.platform.received.values()
    assert told["result_id"] == redemption
    assert (told["result"], told["report_no"]) == (RESULT, REPORT_NO)
    assert told["holder"] == {"name": NAME, "id_number": resident_id(voucher.id.int % 10**6)}
    status = await lab.status(redemption)
    assert (status["status"], status["attempts"]) == ("delivered", 1)
    assert status["delivered_at"]
    (row,) = await lab.execute(
        "SELECT content_sealed FROM redemption.service_result WHERE redemption_id = :id",
        id=parse_hot_id(redemption).uuid,
    )
    assert row.content_sealed is None


async def test_an_answer_that_was_cut_off_is_delivered_once_in_effect(lab: Lab) -> None:
    _, redemption = await lab.written_off()
    await lab.report(redemption)
    lab.platform.trouble = "cut"
    await lab.run()
    assert (await lab.status(redemption))["status"] == "due"
    lab.platform.trouble = ""
    await lab.again()
    assert (await lab.status(redemption))["status"] == "delivered"
    assert len(lab.platform.calls) == 2
    assert [*lab.platform.received] == [redemption]


async def test_failures_are_tried_again_then_dead_for_staff_to_retry(lab: Lab) -> None:
    _, redemption = await lab.written_off()
    await lab.report(redemption)
    lab.platform.trouble = "error"
    for _ in range(12):
        await lab.again()
    assert (await lab.status(redemption))["status"] == "failed"
    listed = await lab.staff.get("/service-results", status="failed")
    assert [item["redemption_id"] for item in listed.json()["items"]] == [redemption]
    (dead,) = (await lab.staff.get("/service-results/dead-letters")).json()["items"]
    assert (dead["redemption_id"], dead["attempts"], dead["error"]) == (
        redemption,
        12,
        "HealthCodeFailed: http_503",
    )
    lab.platform.trouble = ""
    retried = await lab.staff.post(f"/service-results/dead-letters/{dead['id']}/retry", {})
    assert (retried.status_code, retried.json()["status"]) == (200, "queued")
    again = await lab.staff.post(f"/service-results/dead-letters/{dead['id']}/retry", {})
    assert again.status_code == 404
    await lab.run()
    assert (await lab.status(redemption))["status"] == "delivered"


@pytest.mark.parametrize("fault", [(422, {}), (200, {"status": "what"}), (200, {}), (302, {})])
async def test_only_a_word_of_acceptance_counts(lab: Lab, fault: tuple[int, dict[str, Any]]) -> None:
    _, redemption = await lab.written_off()
    await lab.report(redemption)
    lab.platform.faults.append(fault)
    await lab.run()
    assert (await lab.status(redemption))["status"] == "due"
    await lab.again()
    assert (await lab.status(redemption))["status"] == "delivered"


async def test_without_a_platform_results_wait_and_are_taken_up_later(
    settings: Settings, clock: ManualClock, campaign: CampaignRef, lab: Lab
) -> None:
    async with laboratory(settings, clock, campaign, lab.platform, None) as alone:
        _, redemption = await alone.written_off()
        assert (await alone.report(redemption)).json()["status"] == "waiting"
        await alone.run()
        await build(alone.kit).service_results.take_up()
        assert (await alone.status(redemption))["status"] == "waiting"
        listed = await alone.staff.get("/service-results")
        assert redemption in [item["redemption_id"] for item in listed.json()["items"]]
    # The next process knows one: the periodic job takes up what waits, once.
    results = build(lab.kit).service_results
    await asyncio.gather(results.take_up(), results.take_up())
    await lab.run()
    assert [*lab.platform.received] == [redemption]


async def test_a_job_without_a_platform_puts_its_result_back(
    settings: Settings, clock: ManualClock, campaign: CampaignRef, lab: Lab
) -> None:
    _, redemption = await lab.written_off()
    await lab.report(redemption)
    async with laboratory(settings, clock, campaign, lab.platform, None) as alone:
        await alone.run()
    assert (await lab.status(redemption))["status"] == "waiting"
    assert lab.platform.calls == []


async def test_nobody_is_reported_whose_person_is_forgotten(lab: Lab) -> None:
    _, redemption = await lab.written_off(known=False)
    await lab.report(redemption)
    await lab.run()
    assert (await lab.status(redemption))["status"] == "undeliverable"
    assert lab.platform.calls == []


async def test_repetition_is_answered_again_and_another_body_refused(lab: Lab) -> None:
    _, redemption = await lab.written_off()
    no, at = secrets.token_hex(8), lab.kit.clock.now().isoformat()
    first = await lab.report(redemption, request_no=no, performed_at=at)
    again = await lab.report(redemption, request_no=no, performed_at=at)
    assert (again.status_code, again.headers["Idempotent-Replay"]) == (200, "true")
    assert again.json() == first.json()
    other = await lab.report(redemption, request_no=no, performed_at=at, result="other")
    assert (other.status_code, other.json()["code"]) == (409, "request_no_reused")


async def test_each_reason_why_not_has_its_code(lab: Lab) -> None:
    def code(answer: httpx.Response) -> tuple[int, str]:
        return answer.status_code, answer.json()["code"]

    _, redemption = await lab.written_off()
    other = await lab.staff.till(await lab.staff.institution(lab.campaign, accepts=("nucleic",)))
    assert code(await lab.report(redemption, by=other)) == (404, "not_found")
    assert code(await lab.report("0-00000000000000000000000000000000")) == (404, "not_found")
    _, silent = await lab.written_off("checkup")
    assert code(await lab.report(silent)) == (409, "reports_no_result")
    future = (lab.kit.clock.now() + timedelta(hours=1)).isoformat()
    assert code(await lab.report(redemption, performed_at=future)) == (422, "invalid_request")
    assert code(await lab.report(redemption, kind="Bad Kind")) == (422, "invalid_request")
    assert (await lab.report(redemption)).status_code == 202
    assert code(await lab.report(redemption)) == (409, "result_already_reported")
    _, undone = await lab.written_off()
    found = await lab.execute(
        "SELECT request_no FROM redemption.redemption WHERE id = :id", id=parse_hot_id(undone).uuid
    )
    await lab.till.reverse(found[0].request_no, "x")
    assert code(await lab.report(undone)) == (409, "redemption_reversed")
    unknown = await signed(lab.till, lab.http, "GET", f"/redemptions/{silent}/service-result", kit=lab.kit)
    assert code(unknown) == (404, "not_found")


async def test_a_till_does_not_undo_what_was_reported(lab: Lab) -> None:
    voucher = await held_voucher(lab.kit, lab.campaign, "nucleic")
    done = await lab.till.redeem(voucher.code)
    await lab.report(done.id)
    body = {"request_no": "rv-1", "original_request_no": done.request_no, "reason": "x"}
    refused = await signed(lab.till, lab.http, "POST", "/reversals", body, kit=lab.kit)
    assert (refused.status_code, refused.json()["code"]) == (409, "result_reported")


async def test_nothing_personal_stands_in_the_database_or_the_queue(lab: Lab) -> None:
    voucher, redemption = await lab.written_off()
    await lab.report(redemption)
    lab.platform.trouble = "error"
    await lab.run()
    rows = await lab.execute(
        "SELECT row_to_json(s)::text FROM redemption.service_result s"
        " UNION ALL SELECT row_to_json(o)::text FROM core.outbox o WHERE kind = :kind"
        " UNION ALL SELECT row_to_json(q)::text FROM core.request q",
        kind=Kind.SERVICE_RESULT_DUE,
    )
    told = "\n".join(row[0] for row in rows)
    for secret in (RESULT, REPORT_NO, NAME, resident_id(voucher.id.int % 10**6)):
        assert secret not in told
        assert secret.encode().hex() not in told
