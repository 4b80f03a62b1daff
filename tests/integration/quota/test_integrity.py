"""Quota's invariants, recomputed in SQL: sound after a month of everything, and each able to fail."""

import pytest
from sqlalchemy import text

from shared.clock import machine_now
from shared.db import Tx
from shared.integrity import store
from shared.integrity.catalogue import sql_checks
from shared.kit import Kit
from tests.support.quota import Bureau, Programme, event, issued, many

CHECKS = {check.name: check for check in sql_checks() if check.file.startswith("quota_")}

PLANTED = [
    (
        "an approved quota was raised",
        "UPDATE quota.allocation_item SET quota = quota + 1 WHERE place = 0",
        "allocations_add_up",
    ),
    (
        "a card's worth of quota moved between hospitals",
        (
            "UPDATE quota.allocation_item SET quota = quota + CASE place WHEN 0 THEN 5 ELSE -5 END"
            " WHERE place < 2"
        ),
        "allocations_add_up",
    ),
    (
        "one card moved out of an alliance",
        "UPDATE quota.allocation_item SET alliance = '' WHERE place = 1",
        "allocations_add_up",
    ),
    (
        "an adjustment has no other side",
        "UPDATE quota.allocation_item SET adjustment_cards = adjustment_cards - 1 WHERE place = 0",
        "allocations_add_up",
    ),
    (
        "an adjustment's reason is gone",
        "DELETE FROM quota.allocation_adjustment",
        "allocations_add_up",
    ),
    (
        "a version's sum was rewritten",
        "UPDATE quota.allocation SET quota_sum = quota_sum + 1, total = total + 1 WHERE version = 1",
        "allocations_add_up",
    ),
    (
        "a person was credited twice",
        (
            "INSERT INTO quota.card_credit SELECT bucket, programme_id, holder_hash, place + 100,"
            " event_id || '!', measure, hospital_id, day, n, recorded_at FROM quota.card_credit"
            " WHERE measure = 'card'"
        ),
        "holders_count_at_most_once",
    ),
    (
        "a card changed its hospital without a credit",
        "UPDATE quota.card SET hospital_id = NULL WHERE state = 'active' AND hospital_id IS NOT NULL",
        "holders_count_at_most_once",
    ),
    (
        "a card came to life again",
        "UPDATE quota.card SET state = 'active' WHERE state = 'cancelled'",
        "holders_count_at_most_once",
    ),
    (
        "an event disappeared",
        "DELETE FROM quota.card_event WHERE kind = 'used'",
        "holders_count_at_most_once",
    ),
    (
        "an event's key is gone, so that it could count again",
        "DELETE FROM quota.card_event_key WHERE event_id = 'e-1'",
        "holders_count_at_most_once",
    ),
    (
        "a key points to nobody",
        (
            "INSERT INTO quota.card_event_key SELECT bucket, programme_id, 'new', holder_bucket,"
            " sha256(holder_hash), 0 FROM quota.card_event_key LIMIT 1"
        ),
        "holders_count_at_most_once",
    ),
    (
        "a hospital's figure was raised",
        "UPDATE core.tally_delta SET n = n + 1 WHERE measure = 'card' AND dim <> ''",
        "card_figures_equal_the_recount_of_events",
    ),
    (
        "unattributed cards were given away",
        (
            "UPDATE core.tally_delta SET dim = (SELECT min(id) FROM quota.hospital)"
            " WHERE measure = 'card' AND dim = ''"
        ),
        "card_figures_equal_the_recount_of_events",
    ),
    (
        "a cancellation was forgotten",
        "DELETE FROM quota.card_event WHERE kind = 'cancelled'",
        "card_figures_equal_the_recount_of_events",
    ),
    (
        "uses were made up",
        "UPDATE core.tally_delta SET n = n + 1 WHERE measure = 'card_used'",
        "card_figures_equal_the_recount_of_events",
    ),
    (
        "an event's time was moved before another's",
        "UPDATE quota.card_event SET at = at - interval '1 year' WHERE outcome = 'already_has_card'",
        "card_figures_equal_the_recount_of_events",
    ),
    (
        "a figure moved to another day",
        "UPDATE core.tally_delta SET day = day + 1 WHERE measure = 'card'",
        "tallies_equal_the_recount_of_card_credits",
    ),
    (
        "a tally got lost",
        "DELETE FROM core.tally_delta WHERE measure = 'card_used'",
        "tallies_equal_the_recount_of_card_credits",
    ),
    (
        "a published figure was rewritten",
        "UPDATE quota.ranking_item SET issued = issued + 1 WHERE place = 0",
        "frozen_rankings_are_what_was_counted",
    ),
    (
        "somebody was taken off the flagged",
        "UPDATE quota.ranking_item SET flagged = false WHERE flagged",
        "frozen_rankings_are_what_was_counted",
    ),
    (
        "two hospitals swapped their ranks",
        "UPDATE quota.ranking_item SET rank = 4 - rank WHERE rank IN (1, 3)",
        "frozen_rankings_are_what_was_counted",
    ),
    (
        "a card slipped into a frozen month",
        "UPDATE quota.card_credit SET day = '2020-07-31' WHERE day > '2020-08-31' AND n > 0",
        "frozen_rankings_are_what_was_counted",
    ),
    (
        "the published unattributed were hidden",
        "UPDATE quota.ranking_edition SET unattributed = 0",
        "frozen_rankings_are_what_was_counted",
    ),
    (
        "a hospital lost its code",
        (
            "UPDATE quota.hospital_code SET replaced_at = created_at, replaced_reason = 'x'"
            " WHERE replaced_at IS NULL"
        ),
        "hospitals_have_one_code_in_use",
    ),
    (
        "a code's figures got lost",
        "DELETE FROM core.tally_delta WHERE measure = 'card_used_code'",
        "codes_add_up_to_their_hospital",
    ),
    (
        "cards moved between two codes of a hospital",
        "UPDATE core.tally_delta SET dim2 = '' WHERE measure = 'card_code' AND dim2 <> ''",
        "codes_add_up_to_their_hospital",
    ),
    (
        "a sub-code was retired and its code stayed in use",
        "UPDATE quota.sub_code SET retired_at = created_at, retired_reason = 'x'",
        "codes_add_up_to_their_hospital",
    ),
]


@pytest.fixture(scope="module", autouse=True)
async def story(bureau: Bureau) -> Programme:
    """Cards of every kind, an adjustment, an assignment, and a frozen month with late events behind it."""
    programme = await bureau.programme("everything", total=1000)
    await programme.allocate(
        1003, {"from": "甲", "to": "丙", "cards": 7, "reason": "迁移"}, method="round_each"
    )
    await programme.send(
        issued(programme, "甲", 1, "p1", "2020-08-01"),
        issued(programme, None, 2, "p1", "2020-08-02", kind="used"),
        issued(programme, "乙", 3, "p1", "2020-08-03"),
        issued(programme, "乙", 4, "p2", "2020-08-04"),
        issued(programme, None, 5, "p2", "2020-08-05", kind="cancelled"),
        event(6, "2020-08-06"),
        event(7, "2020-08-07"),
        *many(programme, "丙", 5, "2020-08-08"),
    )
    await programme.send(issued(programme, "甲", 8, "丙-2020-08-08-0", "2020-08-07"))
    await bureau.approved(
        f"{programme.path}/card-events/e-6/assign", {"hospital_id": programme.id("乙"), "reason": "申诉"}
    )
    await bureau.approved(f"{programme.path}/rankings/freeze", {"month": "2020-08"})
    await programme.send(
        issued(programme, "甲", 9, "p9", "2020-08-20"), issued(programme, "乙", 10, "p10", "2020-09-20")
    )
    sub_code = await bureau.post(
        f"hospitals/{programme.id('甲')}/codes", {"kind": "department", "label": "内科"}
    )
    await programme.send(event(11, "2020-09-21", scene=sub_code["scene"]))
    return programme


async def run(kit: Kit, tx: Tx, name: str) -> dict[str, object]:
    return await store.answer(tx, CHECKS[name].sql, now=kit.clock.now(), machine_now=machine_now(), seeds={})


async def test_every_check_accepts_a_month_of_everything(kit: Kit) -> None:
    async with kit.database.snapshot() as tx:
        found = {name: await run(kit, tx, name) for name in CHECKS}
    assert {name: told for name, told in found.items() if not told["ok"]} == {}
    assert all(told["expected"] for told in found.values())


@pytest.mark.parametrize(("fault", "statements", "name"), PLANTED, ids=[fault for fault, _, _ in PLANTED])
async def test_planted_fault_is_found(kit: Kit, fault: str, statements: str, name: str) -> None:
    async with kit.database.transaction() as tx:
        # As a superuser behind the platform's back: without triggers and foreign keys.
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        touched = [(await tx.execute(text(statement))).rowcount for statement in statements.split(";")]
        assert all(touched), f"the test planted nothing: {fault}"
        found = await run(kit, tx, name)
        await tx.rollback()
    assert found["ok"] is False
    assert found["detail"]


def test_every_check_is_proven_able_to_fail() -> None:
    assert {name for _, _, name in PLANTED} == set(CHECKS)
