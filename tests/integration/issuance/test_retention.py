"""The retention clock forgets whoever is due and nobody else, and leaves everything that is counted."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from services.issuance.wiring import Wiring, build
from services.issuance.worker import parts
from shared.clock import ManualClock, rfc3339
from shared.ids import new_id, parse_hot_id
from shared.integrity.operations import recompute
from shared.kit import Kit, build_kit
from shared.settings import Settings
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.held import run
from tests.support.lives import Life, bound, lived, signed_in
from tests.support.ways import refused, rows

pytestmark = pytest.mark.usefixtures("clock_returns")

# Of the model campaign: awards are open for 3 days, vouchers good for 60.
AFTER = timedelta(days=63)
DAYS = 30
REDEEM = """
    SELECT * FROM core.vouchers_redeem(
        ARRAY[1], ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:id AS uuid)], ARRAY['clinic-7'],
        ARRAY['terminal:1'], ARRAY[gen_random_uuid()], ARRAY[CAST(:now AS timestamptz)],
        ARRAY[CAST(9999999 AS bigint)], :now)
"""


@pytest.fixture
async def keeping(settings: Settings, clock: ManualClock) -> AsyncIterator[Wiring]:
    """A platform that keeps personal data for 30 days after a campaign's end."""
    kit = build_kit(settings.model_copy(update={"retention_days": DAYS}), clock=clock)
    await kit.database.start()
    yield build(kit)
    await kit.database.stop()


def ended(campaign: Published) -> datetime:
    return campaign.closes_at + AFTER


async def person_row(kit: Kit, life: Life) -> tuple[object, ...]:
    [row] = await rows(
        kit,
        "SELECT name_sealed, erased_at, forgotten_at FROM core.person WHERE id = :id",
        id=life.hands.person.address.uuid,
    )
    return tuple(row)


async def hashes(kit: Kit, life: Life) -> int:
    sql = "SELECT 1 FROM core.person_identity WHERE person_id = :id"
    return len(await rows(kit, sql, id=life.hands.person.address.uuid))


async def sound(kit: Kit) -> None:
    report = await recompute(kit)
    assert [(check.name, check.detail) for check in report.checks if not check.ok] == []


async def swept(wiring: Wiring) -> None:
    await wiring.wallet.expire_vouchers()
    await wiring.lottery.expire_awards()


async def test_without_a_setting_nothing_is_forgotten_by_time_alone(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    life, wiring = await lived(client, kit, clock), build(kit)
    clock.set(ended(life.campaign) + timedelta(days=3000))
    await swept(wiring)
    await wiring.retention.forget_due()
    assert (await person_row(kit, life))[0] is not None


async def test_everything_personal_goes_when_retention_is_over_and_all_figures_stay(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, keeping: Wiring
) -> None:
    life = await lived(client, kit, clock)
    person = life.hands.person.address.uuid
    before = await rows(kit, "SELECT * FROM issuance.draw WHERE person_id = :id ORDER BY id", id=person)

    clock.set(ended(life.campaign) + timedelta(days=DAYS) - timedelta(seconds=1))
    await swept(keeping)
    await keeping.retention.forget_due()
    assert (await person_row(kit, life))[0] is not None

    clock.set(ended(life.campaign) + timedelta(days=DAYS))
    report = await keeping.retention.report()
    assert report.due >= 1
    assert await keeping.retention.forget_due() == report.due
    assert await person_row(kit, life) == (None, clock.now(), clock.now())
    assert await hashes(kit, life) == 0
    assert await keeping.retention.forget_due() == 0
    assert (await keeping.retention.report()).due == 0

    [account] = await rows(kit, "SELECT * FROM core.account WHERE person_id = :id", id=person)
    assert (account.subject_hash, account.subject_sealed, account.erased_at) == (None, None, clock.now())
    after = await rows(kit, "SELECT * FROM issuance.draw WHERE person_id = :id ORDER BY id", id=person)
    assert after == before
    [voucher] = await rows(kit, "SELECT * FROM core.voucher WHERE person_id = :id", id=person)
    assert (voucher.state, voucher.code_sealed) == ("expired", None)
    refused(await life.hands.get("/me/vouchers"), 401, "unauthenticated")
    back, session = await signed_in(client, kit, life.code)
    assert session["citizen"]["identity_verified"] is False
    assert back.address != life.hands.person.address
    await drain(kit, parts(build(kit)))
    assert await rows(kit, "SELECT 1 FROM issuance.photo WHERE person_id = :id", id=person) == []
    await sound(kit)


async def test_a_definition_says_its_own_days_and_the_last_campaign_decides(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    wiring = build(kit)
    life = await lived(client, kit, clock, retention_days=5)
    other = await lived(client, kit, clock, retention_days=500)
    # The first person takes part in the longer campaign too.
    both = Hands(client, life.hands.person)
    assert (await both.start(other.campaign.slug)).status_code == 201
    alone = await lived(client, kit, clock, retention_days=5)
    clock.set(ended(alone.campaign) + timedelta(days=5))
    await swept(wiring)
    await wiring.retention.forget_due()
    assert (await person_row(kit, alone))[0] is None
    assert (await person_row(kit, life))[0] is not None
    assert (await person_row(kit, other))[0] is not None


async def test_the_keyed_hash_of_who_was_erased_stays_until_the_campaign_ends_and_no_longer(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    wiring = build(kit)
    life = await lived(client, kit, clock)
    nobody, _ = await signed_in(client, kit, "took-part-unknown")
    assert (await Hands(client, nobody).start(life.campaign.slug)).status_code == 201
    await client.delete("/issuance/v1/me", headers=nobody.headers)
    await life.erase()
    former = "SELECT 1 FROM core.former_subject WHERE person_id = :id"

    clock.set(ended(life.campaign) - timedelta(seconds=1))
    await wiring.retention.forget_due()
    assert await hashes(kit, life) == 1
    assert len(await rows(kit, former, id=nobody.address.uuid)) == 1

    clock.set(ended(life.campaign))
    await wiring.retention.forget_due()
    assert await hashes(kit, life) == 0
    assert await rows(kit, former, id=nobody.address.uuid) == []
    person = await bound(client, kit, (await signed_in(client, kit, life.code))[0], life.identity)
    assert person.address != life.hands.person.address
    await sound(kit)


async def test_whoever_came_back_is_not_forgotten_with_the_erasure(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    wiring, life = build(kit), await lived(client, kit, clock)
    await life.erase()
    back = await bound(client, kit, (await signed_in(client, kit, life.code))[0], life.identity)
    clock.set(ended(life.campaign) + timedelta(days=1))
    await wiring.retention.forget_due()
    assert back.address == life.hands.person.address
    assert (await person_row(kit, life))[0] is not None


async def test_redeemed_vouchers_stay_in_the_ledger_without_their_holder(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, keeping: Wiring
) -> None:
    life = await lived(client, kit, clock)
    person = life.hands.person.address.uuid
    await redeemed(kit, life)
    clock.set(ended(life.campaign) + timedelta(days=DAYS))
    await swept(keeping)
    await keeping.retention.forget_due()
    [voucher] = await rows(kit, "SELECT * FROM core.voucher WHERE person_id = :id", id=person)
    assert (voucher.state, voucher.code_sealed, voucher.institution_id) == ("redeemed", None, "clinic-7")
    moves = "SELECT kind FROM core.ledger_transfer WHERE voucher_id = :id ORDER BY at, kind"
    assert [row.kind for row in await rows(kit, moves, id=voucher.id)] == ["issue", "redeem"]


async def redeemed(kit: Kit, life: Life) -> None:
    address = parse_hot_id(life.voucher["id"])
    async with kit.database.transaction() as tx:
        values = {"bucket": address.bucket, "id": address.uuid, "now": kit.clock.now()}
        await tx.execute(text(REDEEM), values)


async def test_the_report_says_when_and_changes_nothing(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    life = await lived(client, kit, clock, retention_days=7)
    answer = await desk.client.get("/issuance/v1/retention/report", headers=desk.one)
    assert answer.status_code == 200, answer.text
    report = answer.json()
    [term] = [entry for entry in report["campaigns"] if entry["campaign"] == life.campaign.slug]
    assert term == {
        "campaign": life.campaign.slug,
        "ends_at": rfc3339(ended(life.campaign)),
        "retention_days": 7,
        "keep_until": rfc3339(ended(life.campaign) + timedelta(days=7)),
        "persons": 1,
        "forgotten": 0,
    }
    assert report["default_days"] is None
    refused(
        await client.get("/issuance/v1/retention/report", headers=life.hands.person.headers),
        401,
        "unauthenticated",
    )


async def test_id_numbers_on_a_campaigns_lists_go_when_its_retention_is_over(
    kit: Kit, clock: ManualClock, keeping: Wiring
) -> None:
    campaign, other = (
        await open_campaign(kit, clock),
        await open_campaign(kit, clock, lasts=timedelta(days=40)),
    )
    sql = """
        INSERT INTO issuance.exclusion (id, campaign_id, list, identity_hash, id_number_sealed,
            id_number_masked, bucket, person_id, reason, appeal_note, added_at, added_by)
        VALUES (gen_random_uuid(), :campaign, 'staff', :hash, :sealed, :masked, :bucket, :person, '工作人员',
            '请联系主办方', :now, gen_random_uuid())
    """
    number: dict[str, object] = {
        "hash": b"h" * 32,
        "sealed": b"s",
        "masked": "532***********0012",
        "bucket": None,
        "person": None,
    }
    person: dict[str, object] = {
        "hash": None,
        "sealed": None,
        "masked": None,
        "bucket": 3,
        "person": new_id(),
    }
    for one in (campaign, other):
        for subject in (number, person):
            await run(kit, sql, campaign=one.id, now=clock.now(), **subject)
    left = "SELECT identity_hash IS NULL AS person FROM issuance.exclusion WHERE campaign_id = :id ORDER BY 1"

    clock.set(ended(campaign) + timedelta(days=DAYS) - timedelta(seconds=1))
    await keeping.retention.forget_due()
    assert len(await rows(kit, left, id=campaign.id)) == 2
    clock.set(ended(campaign) + timedelta(days=DAYS))
    await keeping.retention.forget_due()
    assert [row.person for row in await rows(kit, left, id=campaign.id)] == [True]
    assert len(await rows(kit, left, id=other.id)) == 2
