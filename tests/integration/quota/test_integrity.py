"""Quota's invariants, recomputed in SQL: sound after a month of everything, and each able to fail."""

from datetime import date

import pytest
from sqlalchemy import text

from services.quota.stuffing.store import Evidence, Found, report
from shared.clock import machine_now
from shared.db import Tx
from shared.integrity import store
from shared.integrity.catalogue import sql_checks
from shared.kit import Kit
from tests.support.quota import Bureau, Programme, event, issued, many

CHECKS = {check.name: check for check in sql_checks() if check.file.startswith("quota_")}

NESTED = (
    "allocation_id IN (SELECT a.id FROM quota.allocation a"
    " JOIN quota.programme p ON p.id = a.programme_id WHERE p.slug = 'nested')"
)
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
        "a minimum was rewritten",
        "UPDATE quota.allocation_bound SET minimum = minimum + 15",
        "allocations_add_up",
    ),
    (
        "the factor of the bounds was rewritten",
        "UPDATE quota.allocation SET scale_numerator = scale_numerator + 1 WHERE scale_numerator > 0",
        "allocations_add_up",
    ),
    (
        "a version's figures of its basis were rewritten",
        "UPDATE quota.allocation_item SET basis_value = basis_value * 2 WHERE place = 0",
        "allocations_add_up",
    ),
    (
        "an alliance lies more than a card from its own exact quota, each hospital within one",
        (
            f"UPDATE quota.allocation_item SET quota = quota - 1 WHERE place = 0 AND {NESTED};"
            f"UPDATE quota.allocation_item SET quota = quota + 1 WHERE place = 5 AND {NESTED};"
            "UPDATE core.change SET body = jsonb_set(body, '{alliances,A}', '423') WHERE target = 'nested'"
        ),
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
        "a landing was made up",
        "UPDATE core.tally_delta SET n = n + 1 WHERE measure = 'card_landed'",
        "funnel_equals_the_recount_of_stages",
    ),
    (
        "an application disappeared",
        "DELETE FROM quota.card_stage WHERE kind = 'applied'",
        "funnel_equals_the_recount_of_stages",
    ),
    (
        "a stuffed card was put back without a change",
        "UPDATE core.tally_delta SET n = 0 WHERE measure = 'card_void'",
        "effective_cards_equal_the_recount_of_cases",
    ),
    (
        "a card of a confirmed case is void no longer",
        "DELETE FROM quota.card_void WHERE event_id = 'e-20'",
        "effective_cards_equal_the_recount_of_cases",
    ),
    (
        "a case was confirmed by nobody",
        "UPDATE quota.stuffing_case SET change_id = gen_random_uuid() WHERE status = 'confirmed'",
        "effective_cards_equal_the_recount_of_cases",
    ),
    (
        "a confirmed case was dismissed behind everybody's back",
        "UPDATE quota.stuffing_case SET status = 'dismissed' WHERE status = 'confirmed'",
        "effective_cards_equal_the_recount_of_cases",
    ),
    (
        "a sub-code was retired and its code stayed in use",
        "UPDATE quota.sub_code SET retired_at = created_at, retired_reason = 'x'",
        "codes_add_up_to_their_hospital",
    ),
    (
        "a merger was planted behind a frozen month",
        (
            "INSERT INTO quota.hospital_event SELECT gen_random_uuid(), e.programme_id, min(h.id), 'merge',"
            " e.month, max(h.id), NULL, NULL, 'x', gen_random_uuid(), e.frozen_at + interval '1 day'"
            " FROM quota.ranking_edition e JOIN quota.hospital h USING (programme_id)"
            " GROUP BY e.programme_id, e.month, e.frozen_at"
        ),
        "hospitals_lead_to_one_line",
    ),
    (
        "a merger before a frozen month moved its figures",
        (
            "INSERT INTO quota.hospital_event SELECT gen_random_uuid(), e.programme_id, min(h.id), 'merge',"
            " e.month, max(h.id), NULL, NULL, 'x', gen_random_uuid(), e.frozen_at"
            " FROM quota.ranking_edition e JOIN quota.hospital h USING (programme_id)"
            " GROUP BY e.programme_id, e.month, e.frozen_at"
        ),
        "frozen_rankings_are_what_was_counted",
    ),
    (
        "two hospitals merged into each other",
        (
            "INSERT INTO quota.hospital_event SELECT gen_random_uuid(), a.programme_id, a.id, 'merge',"
            " '2021-01-01', b.id, NULL, NULL, 'x', gen_random_uuid(), '2020-12-01'"
            " FROM quota.hospital a JOIN quota.hospital b USING (programme_id)"
            " WHERE a.name IN ('甲', '乙') AND b.name IN ('甲', '乙') AND a.id <> b.id"
        ),
        "hospitals_lead_to_one_line",
    ),
    (
        "a hospital merged into another programme's",
        (
            "INSERT INTO quota.hospital_event SELECT gen_random_uuid(), programme_id, id, 'merge',"
            " '2021-01-01', 'hos_elsewhere', NULL, NULL, 'x', gen_random_uuid(), '2020-12-01'"
            " FROM quota.hospital WHERE name = '甲'"
        ),
        "hospitals_lead_to_one_line",
    ),
    (
        "a hospital was renamed behind its names",
        "UPDATE quota.hospital SET name = '丙二' WHERE name = '丙'",
        "hospitals_lead_to_one_line",
    ),
    (
        "a card was counted for a hospital that nobody knows",
        "UPDATE core.tally_delta SET dim = 'hos_gone' WHERE measure = 'card' AND dim <> ''",
        "hospitals_lead_to_one_line",
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
    await programme.send(
        issued(programme, "甲", 12, "p12", "2020-09-21", kind="landed"),
        issued(programme, "甲", 13, "p12", "2020-09-21", kind="applied"),
        *(
            {**issued(programme, "乙", n, f"p{n}", f"2020-09-22T10:{n}:{n}+08:00"), "device_ref": "farm"}
            for n in range(20, 35)
        ),
    )
    await confirm_a_farm(bureau, programme)
    await allocated_otherwise(bureau)
    return programme


async def allocated_otherwise(bureau: Bureau) -> None:
    """One programme by another basis and with bounds, one whose alliance and hospitals round apart."""
    bounded = await bureau.programme("bounded")
    figures = b"hospital,beds\n\xe7\x94\xb2,12.5\n\xe4\xb9\x99,25\n\xe4\xb8\x99,12.5\n"
    await bureau.upload(f"{bounded.path}/bases/beds/import", figures)
    held = {"hospital": "丙", "min": 40, "max": 60, "reason": "新院"}
    body = {"total": 100, "method": "largest_remainder", "basis": "beds", "bounds": [held], "reason": "r"}
    await bureau.approved(f"{bounded.path}/allocations", body)
    lone = [("", name, visits) for name, visits in (("丁", 16), ("戊", 16), ("己", 26))]
    await bureau.programme("nested", *[("A", name, 14) for name in "甲乙丙"], *lone, total=1010)


async def confirm_a_farm(bureau: Bureau, programme: Programme) -> None:
    found = Found(
        programme_id=await programme.row_id(),
        hospital_id=programme.id("乙"),
        code=programme.scene("乙"),
        day=date(2020, 9, 22),
        kind="devices",
        score=80,
        reasons=[{"code": "cards_of_one_device", "value": 15, "threshold": 10}],
        evidence=await evidence(bureau.kit, [f"e-{n}" for n in range(20, 35)]),
    )
    async with bureau.kit.database.transaction() as tx:
        await report(tx, found, bureau.kit.clock.now())
    (case,) = (await bureau.get(f"{programme.path}/stuffing-cases"))["items"]
    await bureau.approved(f"{programme.path}/stuffing-cases/{case['id']}/confirm", {"reason": "刷量"})


async def evidence(kit: Kit, event_ids: list[str]) -> list[Evidence]:
    statement = text(
        "SELECT bucket, holder_hash, event_id, opened_at FROM quota.card WHERE event_id = ANY(:ids)"
    )
    async with kit.database.snapshot() as tx:
        rows = await tx.execute(statement, {"ids": event_ids})
        return [Evidence(row[0], row[1], row[2], row[3], None) for row in rows]


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
