"""What is held about a person is told to that person, and forgotten when the person says so."""

import io
import json
import zipfile
from datetime import timedelta

import httpx
import pytest

from services.issuance.wiring import build
from services.issuance.worker import parts
from shared.clock import ManualClock
from shared.ids import HotId, parse_hot_id
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.objects import objects_of
from tests.support.campaigns import open_campaign
from tests.support.citizens import Hands, fill_bank, give_chances
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.held import redeem, run
from tests.support.lives import NAME, bound, lived, signed_in
from tests.support.people import resident_id
from tests.support.pictures import photo
from tests.support.ways import LEAD, Partaker, channels, refused, rows

pytestmark = pytest.mark.usefixtures("clock_returns")


async def sound(kit: Kit) -> None:
    report = await recompute(kit)
    assert [check.name for check in report.checks if not check.ok] == []


async def test_a_person_is_told_everything_in_clear(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    life = await lived(client, kit, clock)
    answer = await life.hands.get("/me/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.json()
    assert told["person_id"] == str(life.hands.person.address)
    [identity] = told["identity"]
    assert (identity["name"], identity["id_number"]) == (NAME, life.id_number)
    [account] = told["accounts"]
    assert account["subject"] == life.code
    [consent] = told["consents"]
    assert (consent["version"], consent["action"], consent["how"]) == ("2020-11", "given", "identity_form")
    [attempt] = told["attempts"]
    assert attempt["passed"]
    assert {"question", "options", "answer", "correct"} == attempt["questions"][0].keys()
    [lead] = [activity for activity in told["activities"] if activity["channel"] == "lead"]
    assert lead["evidence"]["place"] == LEAD["place"]
    [picture] = told["photos"]
    assert picture["activity_id"] == lead["id"]
    assert {draw["won"] for draw in told["draws"]} == {True}
    assert {"client_seed", "odds", "seed_commitment", "value", "chance_id"} <= told["draws"][0].keys()
    assert {award["state"] for award in told["awards"]} == {"claimed", "open"}
    [voucher] = told["vouchers"]
    assert (voucher["id"], voucher["code"]) == (life.voucher["id"], life.voucher["code"])
    assert [entry["event"] for entry in voucher["history"]] == ["issue"]
    assert voucher["history"][0]["at"] == voucher["issued_at"]
    assert "+00:00" not in answer.text
    assert set(told) >= {"notices", "exclusions", "holds", "sightings", "erasures", "notice_preferences"}
    assert "sealed" not in answer.text


async def test_the_archive_has_data_a_page_to_read_and_photos(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    life = await lived(client, kit, clock)
    answer = await life.hands.get("/me/export?format=zip")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = archive.namelist()
        told = json.loads(archive.read("data.json"))
        page = archive.read("我的个人信息.html").decode()
        [picture] = [name for name in names if name.startswith("photos/")]
        assert archive.read(picture).startswith(b"\xff\xd8\xff")
    assert told["identity"][0]["id_number"] == life.id_number
    assert NAME in page
    assert life.voucher["code"] in page
    assert "<script" not in page


async def test_erasure_leaves_nothing_that_leads_to_the_person_but_its_keyed_hash(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    life = await lived(client, kit, clock)
    person = life.hands.person.address
    [(address,)] = await rows(kit, "SELECT address FROM issuance.photo WHERE person_id = :id", id=person.uuid)
    objects = objects_of(kit.settings)
    assert await objects.get(address) is not None

    erased = await life.erase()
    assert erased.status_code == 200, erased.text
    given_up = erased.json()["given_up"]
    assert [voucher["id"] for voucher in given_up["vouchers"]] == [life.voucher["id"]]
    assert given_up["awards"] == 1
    assert given_up["chances"] >= 1

    [left] = await rows(kit, "SELECT * FROM core.person WHERE id = :id", id=person.uuid)
    assert (left.name_sealed, left.id_number_sealed, left.name_masked, left.verified_at) == (None,) * 4
    assert (left.erased_at, left.forgotten_at) == (clock.now(), None)
    [account] = await rows(kit, "SELECT * FROM core.account WHERE person_id = :id", id=person.uuid)
    assert (account.subject_hash, account.subject_sealed) == (None, None)
    [identity] = await rows(kit, "SELECT * FROM core.person_identity WHERE person_id = :id", id=person.uuid)
    assert identity.account_id is None
    for table, column in (("activity", "evidence_sealed"), ("photo", "id"), ("notice", "note")):
        sql = f"SELECT {column} FROM issuance.{table} WHERE person_id = :id AND {column} IS NOT NULL"
        assert await rows(kit, sql, id=person.uuid) == [], table
    assert (
        await rows(
            kit,
            "SELECT 1 FROM core.request WHERE caller_id = :id AND answer_sealed IS NOT NULL",
            id=person.uuid,
        )
        == []
    )
    [voucher] = await rows(kit, "SELECT * FROM core.voucher WHERE person_id = :id", id=person.uuid)
    assert (voucher.state, voucher.code_sealed) == ("revoked", None)
    await drain(kit, parts(build(kit)))
    assert await objects.get(address) is None
    await sound(kit)


async def test_erasing_again_answers_the_same_and_all_else_refuses_the_token(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    life = await lived(client, kit, clock)
    first = await life.erase()
    clock.set(clock.now() + timedelta(hours=1))
    again = await life.erase()
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["Idempotent-Replay"] == "true"
    assert "Idempotent-Replay" not in first.headers

    hands, slug = life.hands, life.campaign.slug
    partaker = Partaker(client, hands.person)
    for refusal in (
        await hands.start(slug),
        await hands.submit(str(HotId(1, hands.person.address.uuid)), {}),
        await hands.draw(slug),
        await hands.claim(life.award_id, "fitness"),
        await hands.get("/me/vouchers"),
        await hands.get("/me/awards"),
        await hands.get("/me/export"),
        await hands.get(f"/me/vouchers/{life.voucher['id']}/token"),
        await partaker.take_part(slug, "lead", LEAD),
        await partaker.upload(photo(99)),
        await client.put("/issuance/v1/me/identity", json=life.identity, headers=hands.person.headers),
    ):
        refused(refusal, 401, "unauthenticated")


async def test_whoever_comes_back_is_a_new_account_with_the_same_limits(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    life = await lived(
        client, kit, clock, limits={"vouchers_per_phase": 1, "draws_per_day": 2}, keep_award=False
    )
    await life.erase()
    person, session = await signed_in(client, kit, life.code)
    assert person.citizen.account_id != life.hands.person.citizen.account_id
    assert session["citizen"]["identity_verified"] is False
    assert person.address != life.hands.person.address

    person = await bound(client, kit, person, life.identity)
    hands = Hands(client, person)
    assert person.address == life.hands.person.address
    assert (await hands.get("/me/vouchers")).json()["items"] == []
    refused(await hands.get(f"/me/vouchers/{life.voucher['id']}"), 404, "not_found")
    await give_chances(kit, person, life.campaign)
    refused(await hands.draw(life.campaign.slug), 409, "limit_reached")
    # The quiz allows two attempts a day, and one was made before the erasure.
    assert (await hands.start(life.campaign.slug)).status_code == 201
    refused(await hands.start(life.campaign.slug), 409, "attempts_exhausted")
    told = (await hands.get("/me/export")).json()
    assert told["identity"][0]["name"] == NAME
    assert told["vouchers"][0]["code"] is None
    assert [erasure["cause"] for erasure in told["erasures"]] == ["person"]
    await sound(kit)


async def test_limits_of_a_person_without_an_identity_are_not_reset_either(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, quiz={"attempts_per_day": 1})
    await fill_bank(kit, campaign)
    person, _ = await signed_in(client, kit, "nobody-knows-me")
    assert (await Hands(client, person).start(campaign.slug)).status_code == 201
    erased = await client.delete("/issuance/v1/me", headers=person.headers)
    assert erased.json()["given_up"] == {"vouchers": [], "awards": 0, "chances": 0}
    for _ in range(2):
        back, _ = await signed_in(client, kit, "nobody-knows-me")
        assert back.address == person.address
        assert back.citizen.account_id != person.citizen.account_id
        refused(await Hands(client, back).start(campaign.slug), 409, "attempts_exhausted")
    await sound(kit)


async def test_what_was_done_before_an_older_person_was_adopted_is_told_and_forgotten_too(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, channels=channels())
    first, _ = await signed_in(client, kit, "first-phone")
    number = resident_id(77_001)
    identity = {"name": NAME, "id_type": "resident_id", "id_number": number, "consent_version": "v1"}
    first = await bound(client, kit, first, identity)
    await client.delete("/issuance/v1/me", headers=first.headers)

    second, _ = await signed_in(client, kit, "second-phone")
    await Partaker(client, second).send(campaign.slug, "lead", LEAD)
    adopted = await bound(client, kit, second, identity)
    assert adopted.address == first.address
    told = (await Hands(client, adopted).get("/me/export")).json()
    assert [activity["evidence"]["place"] for activity in told["activities"]] == [LEAD["place"]]

    assert (await client.delete("/issuance/v1/me", headers=adopted.headers)).status_code == 200
    sealed = "SELECT 1 FROM issuance.activity WHERE person_id = :id AND evidence_sealed IS NOT NULL"
    assert await rows(kit, sealed, id=second.address.uuid) == []
    await sound(kit)


async def test_reports_that_waited_for_a_review_are_rejected_with_the_erasure(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    life = await lived(client, kit, clock)
    await life.erase()
    waiting = (await desk.client.get("/issuance/v1/activities", headers=desk.one)).json()["items"]
    assert life.lead_id not in {item["activity_id"] for item in waiting}
    shown = await desk.client.get(f"/issuance/v1/activities/{life.lead_id}", headers=desk.one)
    assert shown.json()["status"] == "rejected", shown.text


async def test_a_token_of_nobody_erases_nobody(client: httpx.AsyncClient) -> None:
    refused(await client.delete("/issuance/v1/me"), 401, "unauthenticated")
    refused(
        await client.delete("/issuance/v1/me", headers={"Authorization": "Bearer x"}), 401, "unauthenticated"
    )


async def test_institutions_are_named_where_a_voucher_was_used(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    """The last of this module: its till writes no redemption, which the integrity check would find."""
    life = await lived(client, kit, clock)
    await run(
        kit,
        "INSERT INTO redemption.institution (id, name, category, created_by, created_at)"
        " VALUES ('clinic-7', '红河州第七诊所', 'clinic', gen_random_uuid(), :now)",
        now=kit.clock.now(),
    )
    assert await redeem(kit, parse_hot_id(life.voucher["id"]))
    [voucher] = (await life.hands.get("/me/export")).json()["vouchers"]
    assert (voucher["institution"], voucher["institution_name"]) == ("clinic-7", "红河州第七诊所")
    _, used = voucher["history"]
    assert (used["event"], used["institution_name"]) == ("redeem", "红河州第七诊所")
