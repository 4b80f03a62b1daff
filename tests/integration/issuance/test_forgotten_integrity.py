"""The check of forgotten persons accepts what the service did, and finds each thing that could be left."""

import httpx
import pytest
from sqlalchemy import text

from shared.clock import ManualClock, machine_now
from shared.integrity import store
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from tests.support.lives import Life, lived

[CHECK] = [check for check in sql_checks() if check.name == "forgotten_persons_left_nothing_to_read"]

_OF = "WHERE person_id = :person"
PLANTED = {
    "a name": "UPDATE core.person SET name_sealed = 'x' WHERE id = :person",
    "a masked name": "UPDATE core.person SET name_masked = '王**' WHERE id = :person",
    "a live account": (
        "UPDATE core.account SET erased_at = NULL, subject_hash = 'h', subject_sealed = 's' " + _OF
    ),
    "a subject": f"UPDATE core.account SET subject_sealed = 's' {_OF}",
    "a held identity": (
        "UPDATE core.person_identity i SET account_id = a.id FROM core.account a"
        " WHERE i.person_id = :person AND a.person_id = :person"
    ),
    "a keyed hash of who is forgotten wholly": (
        "UPDATE core.person SET forgotten_at = erased_at WHERE id = :person"
    ),
    "where a voucher was claimed": (
        "INSERT INTO core.voucher_origin SELECT bucket, gen_random_uuid(), gen_random_uuid(), id, NULL, NULL,"
        " current_date FROM core.person WHERE id = :person"
    ),
    "evidence": f"UPDATE issuance.activity SET evidence_sealed = 'x' {_OF}",
    "a photo": (
        "INSERT INTO issuance.photo (bucket, id, person_id, content_hash, address, width, height, look,"
        " look_bands, uploaded_at)"
        " SELECT bucket, gen_random_uuid(), id, sha256(''), repeat('0', 64), 1, 1, 1, '{}',"
        " created_at FROM core.person WHERE id = :person"
    ),
    "a code": f"UPDATE core.voucher SET code_sealed = 'x' {_OF}",
    "a kept answer": "UPDATE core.request SET answer_sealed = 'x' WHERE caller_id = :person",
    "a phone": (
        "INSERT INTO issuance.notice_preference (bucket, person_id, sms_kinds, updated_at)"
        " SELECT bucket, id, '{}', created_at FROM core.person WHERE id = :person"
    ),
    "an open award": f"UPDATE issuance.award SET state = 'open' {_OF} AND state = 'expired'",
}


@pytest.fixture(scope="module")
async def life(client: httpx.AsyncClient, kit: Kit, clock: ManualClock) -> Life:
    life = await lived(client, kit, clock)
    assert (await life.erase()).status_code == 200
    return life


async def test_an_erased_person_is_found_to_be_forgotten(kit: Kit, life: Life) -> None:
    report = await recompute(kit)
    assert next(check for check in report.checks if check.name == CHECK.name).ok
    assert life


@pytest.mark.parametrize("fault", PLANTED)
async def test_what_is_left_is_found(kit: Kit, life: Life, fault: str) -> None:
    async with kit.database.transaction() as tx:
        planted = await tx.execute(text(PLANTED[fault]), {"person": life.hands.person.address.uuid})
        assert planted.rowcount > 0
        row = await store.answer(tx, CHECK.sql, now=kit.clock.now(), machine_now=machine_now(), seeds={})
        await tx.rollback()
    assert row["ok"] is False, fault
