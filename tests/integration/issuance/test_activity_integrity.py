"""The checks about activities accept what the service did, and find each fault that they are there for."""

import httpx
import pytest
from sqlalchemy import text

from shared.clock import ManualClock, machine_now
from shared.integrity import store
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.metrics.store import fold
from tests.support.citizens import new_person
from tests.support.desk import Desk
from tests.support.ways import LEAD, SHARE, Partaker, made_event, open_ways, reviewed

CHECKS = {check.name: check for check in sql_checks() if check.file.startswith("activities_")}
EARNED, TALLIED = "activities_earned_what_they_were_accepted_for", "tallies_equal_the_recount_of_activities"

PLANTED = [
    (
        "an accepted lead lost a chance",
        "DELETE FROM issuance.chance WHERE channel = 'lead' AND source_no = 2",
        EARNED,
    ),
    (
        "a chance of an activity went to somebody else",
        "UPDATE issuance.chance SET person_id = gen_random_uuid() WHERE channel = 'event'",
        EARNED,
    ),
    (
        "what waits has earned a chance",
        (
            "INSERT INTO issuance.chance"
            " (bucket, id, campaign_id, person_id, channel, source_id, source_no, granted_at)"
            " SELECT bucket, gen_random_uuid(), campaign_id, person_id, channel, id, 1, submitted_at"
            " FROM issuance.activity WHERE state = 'pending'"
        ),
        EARNED,
    ),
    (
        "a rejected activity was let in without a decision",
        "UPDATE issuance.activity SET state = 'accepted', chances_granted = 2 WHERE state = 'rejected'",
        EARNED,
    ),
    (
        "a rejection has no reason and no author",
        "DELETE FROM issuance.activity_decision WHERE state = 'rejected'",
        EARNED,
    ),
    (
        "what waits has a decision",
        (
            "INSERT INTO issuance.activity_decision (bucket, activity_id, state, decided_by, decided_at)"
            " SELECT bucket, id, 'accepted', 'nobody', submitted_at FROM issuance.activity"
            " WHERE state = 'pending'"
        ),
        EARNED,
    ),
    (
        "a decision is about nothing",
        "UPDATE issuance.activity_decision SET activity_id = gen_random_uuid() WHERE state = 'accepted'",
        EARNED,
    ),
    (
        "a person took part too often on a day",
        "UPDATE issuance.channel SET per_day = 1 WHERE key = 'lead'",
        EARNED,
    ),
    (
        "an event counts a place that nobody took",
        "UPDATE issuance.event SET seats_taken = seats_taken + 1 WHERE capacity IS NOT NULL",
        EARNED,
    ),
    (
        "a figure counts one too many",
        "UPDATE core.tally SET n = n + 1 WHERE measure = 'activity' AND dim = 'lead' AND dim2 = 'accepted'",
        TALLIED,
    ),
    (
        "a figure got lost",
        "DELETE FROM core.tally WHERE measure = 'activity' AND dim = 'event'",
        TALLIED,
    ),
    (
        "a lead changed its category after it was counted",
        "UPDATE issuance.activity SET category = '其他' WHERE channel = 'lead' AND category IS NOT NULL",
        TALLIED,
    ),
    (
        "an activity disappeared",
        "DELETE FROM issuance.activity WHERE state = 'pending'",
        TALLIED,
    ),
]


@pytest.fixture(scope="module", autouse=True)
async def story(client: httpx.AsyncClient, desk: Desk, kit: Kit, clock: ManualClock) -> None:
    campaign = await open_ways(kit, clock)
    event = await made_event(desk, clock, campaign.slug, capacity=9)
    fitness = await made_event(desk, clock, campaign.slug, channel="fitness")
    people = [Partaker(client, await new_person(kit)) for _ in range(3)]
    for someone in people:
        await someone.check_in(campaign.slug, event["check_in_code"])
        await someone.check_in(campaign.slug, fitness["check_in_code"], "fitness")
        await someone.take_part(campaign.slug, "share", SHARE)
    leads = [await people[0].send(campaign.slug, "lead", LEAD) for _ in range(3)]
    await reviewed(desk, leads[0])
    await reviewed(desk, leads[1], "reject", note="重复")
    # Figures that were folded and figures that were not: checks see both.
    async with kit.database.transaction() as tx:
        await fold(tx)
    clock.advance(days=1)
    await people[0].take_part(campaign.slug, "share", SHARE)


async def run(kit: Kit, name: str, *statements: str) -> dict[str, object]:
    """What the check finds after these statements, which are undone."""
    async with kit.database.transaction() as tx:
        # As a superuser behind the platform's back: without triggers and foreign keys.
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            assert (await tx.execute(text(statement))).rowcount, f"nothing was planted: {statement}"
        now = kit.clock.now()
        found = await store.answer(tx, CHECKS[name].sql, now=now, machine_now=machine_now(), seeds={})
        await tx.rollback()
    return found


async def test_what_the_service_did_is_sound(kit: Kit) -> None:
    report = await recompute(kit)
    assert [check for check in report.checks if not check.ok] == []
    for name in CHECKS:
        found = await run(kit, name)
        assert found["expected"] == found["actual"] != 0


@pytest.mark.parametrize(("fault", "statement", "name"), PLANTED, ids=[fault for fault, _, _ in PLANTED])
async def test_planted_fault_is_found(kit: Kit, fault: str, statement: str, name: str) -> None:
    found = await run(kit, name, statement)
    assert found["ok"] is False, fault
    assert found["detail"]


def test_every_check_is_proven_able_to_fail() -> None:
    assert {name for _, _, name in PLANTED} == set(CHECKS)
