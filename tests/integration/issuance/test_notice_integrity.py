"""The checks of notices and of the sweep accept a played story, and find what they are there to find."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.issuance.wiring import build
from services.issuance.worker import parts
from shared.clock import ManualClock, machine_now
from shared.db import Tx
from shared.integrity import store
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.outbox import add
from shared.settings import Settings
from shared.vouchers.offline import LATE_ARRIVAL
from tests.support.drain import drain
from tests.support.held import another, held_voucher
from tests.support.messaging import FakeSms, serving_messages

TOLD, SWEPT = "every_notice_is_told_once_for_its_cause", "vouchers_past_their_time_are_swept"
CHECKS = {check.name: check.sql for check in sql_checks() if check.name in {TOLD, SWEPT}}
COPY = (
    "INSERT INTO issuance.notice (bucket, id, person_id, voucher_id, kind, days, recorded_at)"
    " SELECT bucket, gen_random_uuid(), person_id, voucher_id, {kind}, days, recorded_at"
    " FROM issuance.notice WHERE kind = '{of}' LIMIT 1"
)
OLD = "UPDATE core.voucher SET valid_from = '2019-01-01', valid_until = '2020-01-01' WHERE state = 'issued'"
# Where the outbox rows of a voucher lie.
BESIDE = (
    "UPDATE core.outbox o SET bucket = v.bucket FROM core.voucher v"
    " WHERE o.payload ->> 'voucher_id' = core.hot_id_text(v.bucket, v.id)"
)
PLANTED = [
    ("a reminder is told twice", TOLD, COPY.format(kind="kind", of="expiring")),
    ("an issue is told twice", TOLD, COPY.format(kind="kind", of="issued")),
    ("a use is told that never was", TOLD, COPY.format(kind="'redeemed'", of="issued")),
    ("a notice goes to somebody else", TOLD, "UPDATE issuance.notice SET person_id = gen_random_uuid()"),
    ("a delivery that nobody carries", TOLD, "DELETE FROM core.outbox WHERE kind = 'issuance.notice_due'"),
    ("a voucher that the walk left behind", SWEPT, OLD),
    (
        "a sweep that nobody runs",
        SWEPT,
        """UPDATE core.voucher SET valid_from = '2019-01-01', valid_until = (
               SELECT ceiling_at + interval '1 hour' FROM core.walk WHERE name = 'issuance.expire_vouchers')
           WHERE state = 'issued';
           INSERT INTO core.schedule (name, next_at) VALUES ('issuance.expire_vouchers', '2020-01-01')""",
    ),
]


@pytest.fixture(scope="module")
def gateway() -> FakeSms:
    return FakeSms()


@pytest.fixture(scope="module")
async def settings(settings: Settings, gateway: FakeSms) -> AsyncIterator[Settings]:
    async with serving_messages(gateway) as url:
        yield settings.model_copy(
            update={
                "notice_sms": "on",
                "notice_sms_url": url,
                "notice_sms_token": SecretStr("token-of-the-gateway"),
            }
        )


@pytest.fixture(scope="module", autouse=True)
async def story(client: httpx.AsyncClient, kit: Kit, clock: ManualClock, gateway: FakeSms) -> None:
    """A voucher issued, reminded of by an SMS that does not get through, and one that was swept."""
    wiring = build(kit)
    held = await held_voucher(client, kit, clock)
    clock.advance(seconds=1)
    await drain(kit, parts(wiring))
    clock.advance(days=53, hours=1)
    sms = {"enabled": True, "phone": "13800138000"}
    own = held.hands.person.headers
    preferences = "/issuance/v1/me/notice-preferences"
    await client.put(preferences, json={"sms": sms}, headers=own)
    await drain(kit, parts(wiring))
    (message,) = gateway.received.values()
    code = {"code": message["values"]["code"]}
    assert (await client.post(f"{preferences}/phone-code", json=code, headers=own)).status_code == 200
    gateway.trouble = "error"
    await wiring.notices.remind()
    await drain(kit, parts(wiring))
    clock.advance(days=7, seconds=LATE_ARRIVAL.total_seconds())
    assert await wiring.wallet.expire_vouchers() == 1
    later = await held_voucher(client, kit, clock)
    await another(later.hands, later.campaign)
    for _ in range(2):
        await wiring.wallet.expire_vouchers()
    await wiring.deliveries.messengers.close()


async def found(kit: Kit, tx: Tx, name: str, *, days: int = 0) -> dict[str, object]:
    now = kit.clock.now() + timedelta(days=days)
    return await store.answer(tx, CHECKS[name], now=now, machine_now=machine_now(), seeds={})


async def test_the_played_story_fulfils_both(kit: Kit) -> None:
    report = await recompute(kit)
    assert {check.name: check.ok for check in report.checks if check.name in CHECKS} == {
        TOLD: True, SWEPT: True,
    }  # fmt: skip


@pytest.mark.parametrize(("fault", "name", "statements"), PLANTED, ids=[fault for fault, _, _ in PLANTED])
async def test_planted_fault_is_found(kit: Kit, fault: str, name: str, statements: str) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        for index in ("uq_notice_voucher_once", "uq_notice_award_once", "uq_notice_activity_once"):
            await tx.execute(text(f"DROP INDEX issuance.{index}"))
        touched = [(await tx.execute(text(part))).rowcount for part in statements.split(";")]
        assert all(touched), f"the test planted nothing: {fault}"
        answer = await found(kit, tx, name, days=100)
        await tx.rollback()
    assert answer["ok"] is False
    assert answer["detail"]


async def test_what_the_walk_has_not_reached_and_what_is_being_given_back_is_tolerated(kit: Kit) -> None:
    async with kit.database.transaction() as tx:
        # The clock jumped; the walk is at work.
        assert (await found(kit, tx, SWEPT, days=100))["ok"] is True
        await tx.execute(text(OLD))
        assert (await found(kit, tx, SWEPT))["ok"] is False
        rows = await tx.execute(text("SELECT core.hot_id_text(bucket, id) FROM core.voucher"))
        for voucher in rows.scalars().all():
            await add(tx, "issuance", "issuance.voucher_restored", {"voucher_id": voucher})
        await tx.execute(text(BESIDE))
        assert (await found(kit, tx, SWEPT))["ok"] is True
        await tx.rollback()
