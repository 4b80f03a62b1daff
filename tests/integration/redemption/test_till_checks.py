"""The checks of what tills do beside the plain write-off: each accepts a story and finds its fault."""

import secrets

import httpx
import pytest
from sqlalchemy import text

from shared.clients.terminal import OfflineItem
from shared.clock import machine_now
from shared.integrity import store
from shared.integrity.catalogue import sql_checks
from shared.kit import Kit
from shared.vouchers.catalogue import TillRules, VoucherType
from tests.support.people import resident_id
from tests.support.tills import Bureau, signed
from tests.support.vouchers import held_vouchers, identify, published

CHECKS = {check.name: check for check in sql_checks() if check.file.startswith("tills_")}
RESULTS = "service_results_are_delivered_or_visibly_waiting"
MANUAL = "manual_write_offs_are_flagged_with_their_reason"
LIMITS = "offline_uploads_keep_to_their_daily_limits"
TYPES = (
    VoucherType("nucleic", "directed", "核酸检测券", None, 8_000, 60, reports_result_to_health_code=True),
)

PLANTED = [
    ("a result got lost", RESULTS, "DELETE FROM redemption.service_result"),
    ("a result came from nowhere", RESULTS, "UPDATE redemption.redemption SET result_reported_at = NULL"),
    ("a due result has no job", RESULTS, "UPDATE redemption.service_result SET status = 'due'"),
    (
        "a delivered result is kept",
        RESULTS,
        "UPDATE redemption.service_result SET status = 'delivered', delivered_at = reported_at",
    ),
    (
        "a type reports none",
        RESULTS,
        "UPDATE core.voucher_type SET reports_result_to_health_code = false",
    ),
    ("a manual write-off has no reason", MANUAL, "DELETE FROM redemption.manual_write_off"),
    (
        "a manual write-off lost its flag",
        MANUAL,
        "UPDATE redemption.redemption SET source = 'online' WHERE source = 'manual'",
    ),
    ("a campaign does not allow it", MANUAL, "UPDATE core.campaign SET manual_write_off = false"),
    (
        "a terminal uploaded one too many",
        LIMITS,
        "UPDATE redemption.redemption SET source = 'batch' WHERE source = 'online'",
    ),
    (
        "a terminal uploaded a fen too much",
        LIMITS,
        "UPDATE redemption.redemption SET applied_fen = 24001 WHERE source = 'batch'",
    ),
]


@pytest.fixture(scope="module", autouse=True)
async def story(kit: Kit, staff: Bureau, http: httpx.AsyncClient) -> None:
    rules = TillRules(manual_write_off=True, offline_count_per_day=1, offline_fen_per_day=24_000)
    campaign = await published(kit, "honghe-checks", types=TYPES, tills=rules)
    till = await staff.till(await staff.institution(campaign, accepts=("nucleic",)))
    shown, uploaded, manual = await held_vouchers(kit, campaign, "nucleic", 3)
    done = await till.redeem(shown.code)
    await till.upload("b1", [OfflineItem("o1", uploaded.code, kit.clock.now())])
    number = resident_id(7)
    await identify(kit, manual, name="王小明", id_number=number)
    body = {"request_no": "m1", "id_number": number, "voucher_type": "nucleic", "reason": "x"}
    assert (await signed(till, http, "POST", "/redemptions/manual", body, kit=kit)).status_code == 201
    told = {
        "request_no": secrets.token_hex(8),
        "kind": "nucleic_acid_test",
        "report_no": "1",
        "result": "negative",
        "performed_at": kit.clock.now().isoformat(),
    }
    path = f"/redemptions/{done.id}/service-result"
    assert (await signed(till, http, "POST", path, told, kit=kit)).status_code == 202


async def run(kit: Kit, name: str, statement: str | None = None) -> dict[str, object]:
    async with kit.database.transaction() as tx:
        if statement is not None:
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
            for constraint in ("content_while_it_may_go", "delivered_at"):
                name_of_it = f"ck_service_result_{constraint}"
                await tx.execute(text(f"ALTER TABLE redemption.service_result DROP CONSTRAINT {name_of_it}"))
            assert (await tx.execute(text(statement))).rowcount
        found = await store.answer(
            tx, CHECKS[name].sql, now=kit.clock.now(), machine_now=machine_now(), seeds={}
        )
        await tx.rollback()
    return found


@pytest.mark.parametrize("name", CHECKS)
async def test_story_is_accepted(kit: Kit, name: str) -> None:
    found = await run(kit, name)
    assert (found["ok"], found["expected"], found["actual"]) == (True, 1, 1)


@pytest.mark.parametrize(("fault", "name", "statement"), PLANTED, ids=[fault for fault, _, _ in PLANTED])
async def test_planted_fault_is_found(kit: Kit, fault: str, name: str, statement: str) -> None:
    found = await run(kit, name, statement)
    assert found["ok"] is False, fault
    assert found["detail"]


async def test_every_check_is_proven_able_to_fail() -> None:
    assert {name for _, name, _ in PLANTED} == set(CHECKS)
