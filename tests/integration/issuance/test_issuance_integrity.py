"""Each check of issuance accepts a played story, and finds the fault that it is there to find."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.issuance.app import create_app
from services.issuance.campaigns.rules import seed_context
from services.issuance.wiring import build
from shared.clock import ManualClock, machine_now
from shared.db import Tx
from shared.integrity import store
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import open_campaign
from tests.support.citizens import Hands, fill_bank, give_chances, new_person, right_answers
from tests.support.http import serving

# What forgetting leaves is proven in a file of its own: it needs a person who was there.
_ELSEWHERE = {"forgotten_persons_left_nothing_to_read"}
CHECKS = {check.name: check for check in sql_checks() if check.file.startswith("issuance_")}
STOCK = "stock_put_in_is_remaining_issued_and_returned"
AWARDS = "every_win_is_one_award_and_every_open_award_has_stock"
DRAWS = "draws_recompute_from_seed_chance_and_client_seed"
DRAW_LOG = "roots_of_draw_logs_recompute_from_the_draws"
LIMITS = "limits_hold_for_persons"
CAPS = "stock_keeps_to_caps_and_release_plans"
CARRIED = "carried_over_value_is_what_expired_vouchers_gave_back"
SETTLEMENT_HOLDS = "settlement_holds_are_what_was_approved_last"
TALLIES = "tallies_equal_the_recount_of_attempts_chances_and_draws"
COPY_DRAW = (
    "INSERT INTO issuance.draw SELECT bucket, gen_random_uuid(), campaign_id, phase_id, person_id,"
    " gen_random_uuid(), channel, client_seed, odds_version_id, value, won, drawn_at, day, day_no + 100"
    " FROM issuance.draw {where}"
)

# Constraints that would refuse some of the faults.
GUARDS = (
    ("award", "claimed"),
    ("chance", "drawn"),
    ("odds_version", "threshold_unless_certain"),
    ("phase_stock", "conserved"),
    ("phase_stock", "returned_was_issued"),
    ("limits_version", "positive"),
)
# What a fault looks like, and the check that has to find it. All other checks are free to see it too.
PLANTED = [
    (
        "a hold period was changed by nobody",
        SETTLEMENT_HOLDS,
        "UPDATE core.campaign SET settlement_hold_days = 5",
    ),
    (
        "stock was taken without a voucher",
        STOCK,
        (
            "UPDATE issuance.phase_stock SET remaining = remaining - 1, issued = issued + 1 WHERE"
            " voucher_type = 'fitness'"
        ),
    ),
    (
        "stock appeared without a change",
        STOCK,
        (
            "UPDATE issuance.phase_stock SET remaining = remaining + 1, put_in = put_in + 1 WHERE"
            " voucher_type = 'fitness'"
        ),
    ),
    (
        "a change's stock never arrived",
        STOCK,
        "UPDATE issuance.stock_move SET delta = delta + 1 WHERE voucher_type = 'fitness'",
    ),
    (
        "a voucher of a type that was never in stock",
        STOCK,
        "UPDATE core.voucher SET voucher_type = 'massage'",
    ),
    (
        "a stock row is gone",
        STOCK,
        "DELETE FROM issuance.phase_stock WHERE voucher_type = 'fitness'",
    ),
    (
        "a win has no award",
        AWARDS,
        (
            "DELETE FROM issuance.award WHERE state = 'open'; UPDATE issuance.award_pool SET"
            " left_to_award = left_to_award + 1"
        ),
    ),
    (
        "an award without a win",
        AWARDS,
        "UPDATE issuance.draw SET won = false WHERE won",
    ),
    (
        "an award went to somebody else",
        AWARDS,
        "UPDATE issuance.award SET person_id = gen_random_uuid() WHERE state = 'open'",
    ),
    (
        "a claimed award has no voucher",
        AWARDS,
        "DELETE FROM core.voucher",
    ),
    (
        "a voucher is of another type than was claimed",
        AWARDS,
        "UPDATE issuance.award SET voucher_type = 'checkup' WHERE state = 'claimed'",
    ),
    (
        "a voucher from an award that is still open",
        AWARDS,
        "UPDATE issuance.award SET state = 'open', voucher_id = NULL WHERE state = 'claimed'",
    ),
    (
        "an award expired and was not given back",
        AWARDS,
        "UPDATE issuance.award SET state = 'expired' WHERE state = 'open'",
    ),
    (
        "more can be awarded than there is",
        AWARDS,
        "UPDATE issuance.award_pool SET left_to_award = left_to_award + 1",
    ),
    (
        "what can be awarded is gone",
        AWARDS,
        "DELETE FROM issuance.award_pool",
    ),
    (
        "a value was changed",
        DRAWS,
        "UPDATE issuance.draw SET value = sha256(value) WHERE NOT won",
    ),
    (
        "a lost draw was made a win",
        DRAWS,
        "UPDATE issuance.draw SET won = NOT won WHERE NOT won",
    ),
    (
        "a client seed was changed",
        DRAWS,
        "UPDATE issuance.draw SET client_seed = client_seed || 'x'",
    ),
    (
        "the commitment was changed",
        DRAWS,
        "UPDATE issuance.phase SET seed_commitment = repeat('0', 64)",
    ),
    (
        "a draw belongs to another phase",
        DRAWS,
        "UPDATE issuance.draw SET phase_id = gen_random_uuid()",
    ),
    (
        "odds were changed behind a draw's back",
        DRAWS,
        "UPDATE issuance.odds_version SET odds_ppm = CASE odds_ppm WHEN 1 THEN 999999 ELSE 1 END",
    ),
    (
        "odds began after the draw",
        DRAWS,
        "UPDATE issuance.odds_version SET effective_from = effective_from + interval '1 year'",
    ),
    (
        "other odds had been in force for a while",
        DRAWS,
        (
            "INSERT INTO issuance.odds_version SELECT gen_random_uuid(), phase_id, odds_ppm, threshold,"
            " effective_from + interval '1 second', reason, change_id FROM issuance.odds_version"
        ),
    ),
    (
        "a draw before the phase opened",
        DRAWS,
        "UPDATE issuance.draw SET drawn_at = drawn_at - interval '1 day'",
    ),
    (
        "a draw after the phase closed",
        DRAWS,
        "UPDATE issuance.draw SET drawn_at = drawn_at + interval '1 year'",
    ),
    ("a draw without a chance", DRAWS, COPY_DRAW.format(where="WHERE NOT won")),
    (
        "a chance is available again though it was drawn",
        DRAWS,
        "UPDATE issuance.chance SET state = 'available', draw_id = NULL WHERE state = 'drawn'",
    ),
    (
        "a chance says it was drawn",
        DRAWS,
        ("UPDATE issuance.chance SET state = 'drawn', draw_id = gen_random_uuid() WHERE state = 'available'"),
    ),
    (
        "somebody else's chance was drawn",
        DRAWS,
        "UPDATE issuance.chance SET person_id = gen_random_uuid() WHERE state = 'drawn'",
    ),
    ("a draw was slipped into a sealed hour", DRAW_LOG, COPY_DRAW.format(where="WHERE NOT won")),
    ("a sealed draw is gone", DRAW_LOG, "DELETE FROM issuance.draw WHERE NOT won"),
    (
        "a sealed draw was changed",
        DRAW_LOG,
        "UPDATE issuance.draw SET client_seed = client_seed || 'x' WHERE NOT won",
    ),
    (
        "a sealed draw moved to another hour",
        DRAW_LOG,
        "UPDATE issuance.draw SET drawn_at = drawn_at + interval '1 day' WHERE NOT won",
    ),
    ("a root was changed", DRAW_LOG, "UPDATE issuance.draw_log_root SET root = sha256(root)"),
    (
        "a root tells of another number of draws",
        DRAW_LOG,
        "UPDATE issuance.draw_log_root SET draws = draws + 1",
    ),
    (
        "an hour was left out",
        DRAW_LOG,
        "DELETE FROM issuance.draw_log_root WHERE at = (SELECT min(at) FROM issuance.draw_log_root)",
    ),
    (
        "a root is of no full hour",
        DRAW_LOG,
        "UPDATE issuance.draw_log_root SET at = at - interval '1 second'",
    ),
    (
        "more attempts than the rule allows",
        LIMITS,
        "UPDATE issuance.quiz_rule SET attempts_per_day = 1",
    ),
    (
        "more draws than are allowed",
        LIMITS,
        "UPDATE issuance.campaign_rules SET draws_per_day = 1",
    ),
    (
        "more vouchers and open awards than are allowed",
        LIMITS,
        "UPDATE issuance.campaign_rules SET vouchers_per_phase = 1",
    ),
    (
        "an attempt was not counted",
        LIMITS,
        "UPDATE issuance.participant SET attempts_today = attempts_today - 1",
    ),
    (
        "a draw was not counted",
        LIMITS,
        "UPDATE issuance.participant SET draws_today = draws_today + 1",
    ),
    (
        "an attempt disappeared",
        LIMITS,
        "DELETE FROM issuance.quiz_attempt WHERE state = 'open'",
    ),
    (
        "limits changed without a version",
        LIMITS,
        "UPDATE issuance.campaign_rules SET vouchers_per_type = 9",
    ),
    (
        "more draws in a phase than any version allowed",
        LIMITS,
        (
            "UPDATE issuance.campaign_rules SET draws_per_phase = 1;"
            " UPDATE issuance.limits_version SET draws_per_phase = 1"
        ),
    ),
    (
        "more vouchers of a type than any version allowed",
        LIMITS,
        (
            "UPDATE issuance.campaign_rules SET vouchers_per_type = 0;"
            " UPDATE issuance.limits_version SET vouchers_per_type = 0"
        ),
    ),
    (
        "more of a type is put in than its cap",
        CAPS,
        "UPDATE core.voucher_type SET total_cap = 1",
    ),
    (
        "a voucher was claimed before it was released",
        CAPS,
        (
            "UPDATE issuance.phase SET release_seconds = 60;"
            " UPDATE issuance.phase_stock SET release_amount = 1;"
            " UPDATE issuance.award SET claimed_at = claimed_at - interval '1 year' WHERE state = 'claimed'"
        ),
    ),
    (
        "stock was returned and nothing carried over",
        CARRIED,
        "UPDATE issuance.phase_stock SET returned = returned + 1, put_in = put_in - 1",
    ),
    (
        "more was carried over than expired",
        CARRIED,
        (
            "INSERT INTO issuance.stock_return SELECT gen_random_uuid(), phase_id, voucher_type, 1, ARRAY[0],"
            " gen_random_uuid(), now() FROM issuance.phase_stock;"
            " UPDATE issuance.phase_stock SET returned = returned + 1, put_in = put_in - 1"
        ),
    ),
    (
        "a payer bore more for what was carried over than it got back",
        CARRIED,
        (
            "INSERT INTO issuance.stock_return SELECT gen_random_uuid(), phase_id, voucher_type, 1, ARRAY[9],"
            " gen_random_uuid(), now() FROM issuance.phase_stock WHERE issued > 0;"
            " UPDATE issuance.phase_stock SET returned = 1, put_in = put_in - 1 WHERE issued > 0;"
            " UPDATE core.voucher SET state = 'expired', split_fen = ARRAY[8, 0, 0]"
        ),
    ),
    (
        "a figure was lost",
        TALLIES,
        "DELETE FROM core.tally_delta WHERE measure = 'participant'",
    ),
    (
        "a figure was counted twice",
        TALLIES,
        (
            "INSERT INTO core.tally_delta SELECT gen_random_uuid(), scope_id, day, measure, dim, dim2,"
            " n FROM core.tally_delta WHERE measure = 'draw'"
        ),
    ),
    (
        "a voucher belongs to no way any more",
        TALLIES,
        "DELETE FROM core.tally_delta WHERE measure = 'issue_way'",
    ),
    (
        "an attempt changed its result",
        TALLIES,
        "UPDATE issuance.quiz_attempt SET passed = NOT passed WHERE score = 0",
    ),
    (
        "a chance was slipped in",
        TALLIES,
        (
            "INSERT INTO issuance.chance SELECT bucket, gen_random_uuid(), campaign_id, person_id,"
            " channel, gen_random_uuid(), 1, granted_at, 'available' FROM issuance.chance"
        ),
    ),
    ("a draw was slipped in", TALLIES, COPY_DRAW.format(where="")),
]


@pytest.fixture(scope="module", autouse=True)
async def story(settings: Settings, kit: Kit, clock: ManualClock) -> AsyncIterator[None]:
    """Attempts passed, failed, open; chances drawn and left; wins claimed, open, expired; a lost draw."""
    async with serving(issuance=create_app(settings, clock=clock)) as client:
        await play(client, kit, clock)
        yield


async def play(client: httpx.AsyncClient, kit: Kit, clock: ManualClock) -> None:
    sure = await open_campaign(kit, clock, odds="1", stock={"fitness": 3, "checkup": 1})
    await fill_bank(kit, sure)
    hopeless = await open_campaign(kit, clock, odds="0.000001")
    one, other = [Hands(client, await new_person(kit)) for _ in range(2)]
    await one.pass_quiz(sure.slug)
    failed = (await one.start(sure.slug)).json()
    await one.submit(failed["attempt_id"], right_answers(failed, wrong=5))
    await one.start(sure.slug)
    await give_chances(kit, one.person, sure, 2)
    await other.pass_quiz(sure.slug)
    await give_chances(kit, one.person, hopeless, 2)
    assert not (await one.draw(hopeless.slug, client_seed="红河")).json()["won"]
    await other.win(sure.slug)
    clock.advance(days=3)
    assert await build(kit).lottery.expire_awards() == 1
    claimed = await one.claim(await one.win(sure.slug), "fitness")
    assert claimed.status_code == 201
    await one.win(sure.slug)
    await build(kit).draw_logs.seal()


async def seeds(kit: Kit, tx: Tx) -> dict[UUID, bytes]:
    return {
        phase: kit.keys.sealer.open(sealed, context=seed_context(phase))
        for phase, sealed in await store.sealed_seeds(tx)
    }


async def test_the_played_story_fulfils_every_check(kit: Kit) -> None:
    report = await recompute(kit)
    assert [check for check in report.checks if not check.ok] == []
    assert {check.name for check in report.checks} >= CHECKS.keys()


@pytest.mark.parametrize(("fault", "name", "statements"), PLANTED, ids=[fault for fault, _, _ in PLANTED])
async def test_planted_fault_is_found(kit: Kit, fault: str, name: str, statements: str) -> None:
    async with kit.database.transaction() as tx:
        opened = await seeds(kit, tx)
        # As a superuser behind the platform's back: without triggers, foreign keys and check constraints.
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        for table, constraint in GUARDS:
            await tx.execute(text(f"ALTER TABLE issuance.{table} DROP CONSTRAINT ck_{table}_{constraint}"))
        touched = [(await tx.execute(text(statement))).rowcount for statement in statements.split("; ")]
        assert all(touched), f"the test planted nothing: {fault}"
        found = await store.answer(
            tx, CHECKS[name].sql, now=kit.clock.now(), machine_now=machine_now(), seeds=opened
        )
        await tx.rollback()
    assert found["ok"] is False
    assert found["detail"]


def test_every_check_of_issuance_is_proven_able_to_fail() -> None:
    assert {name for _, name, _ in PLANTED} == CHECKS.keys() - _ELSEWHERE
