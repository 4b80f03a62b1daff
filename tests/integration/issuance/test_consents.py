"""Texts are published for good; what citizens agree to is written down, and can be taken back."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from shared.clock import ManualClock, rfc3339
from shared.kit import Kit
from tests.support.campaigns import open_campaign
from tests.support.citizens import Hands, fill_bank, give_chances, new_person, request_no
from tests.support.desk import Desk
from tests.support.lives import bound, signed_in
from tests.support.people import resident_id
from tests.support.pictures import photo
from tests.support.ways import LEAD, Partaker, channels, refused, rows

pytestmark = pytest.mark.usefixtures("clock_returns")

TEXTS = "/issuance/v1/consent-texts"


def text(clock: ManualClock, version: str, **parts: object) -> dict[str, Any]:
    return {
        "version": version,
        "kind": "terms",
        "title": "活动规则",
        "text": "第一条 每人只能使用一个账号。",
        "effective_from": rfc3339(clock.now()),
    } | parts


async def publish(desk: Desk, body: dict[str, Any]) -> httpx.Response:
    return await desk.client.post(TEXTS, json=body, headers=desk.one)


async def test_a_published_text_is_public_in_force_from_its_day_and_never_changes(
    desk: Desk, client: httpx.AsyncClient, clock: ManualClock, kit: Kit
) -> None:
    refused(await client.get(f"{TEXTS}/current?kind=terms"), 404, "not_found")
    later = rfc3339(clock.now() + timedelta(days=3))
    assert (await publish(desk, text(clock, "2020-11"))).status_code == 201
    assert (
        await publish(desk, text(clock, "2021-01", text="第二版", effective_from=later))
    ).status_code == 201

    current = await client.get(f"{TEXTS}/current?kind=terms")
    assert (current.json()["version"], current.json()["text"]) == ("2020-11", text(clock, "x")["text"])
    coming = await client.get(f"{TEXTS}/2021-01?kind=terms")
    assert coming.json()["text"] == "第二版"
    listed = await client.get(f"{TEXTS}?kind=terms")
    assert [item["version"] for item in listed.json()["items"]] == ["2021-01", "2020-11"]

    refused(await publish(desk, text(clock, "2020-11", text="改过的")), 409, "consent_version_taken")
    clock.set(clock.now() + timedelta(days=4))
    assert (await client.get(f"{TEXTS}/current?kind=terms")).json()["version"] == "2021-01"
    published = await rows(kit, "SELECT actor FROM core.audit_entry WHERE action = 'consent_text.publish'")
    assert len(published) == 2


async def test_publishing_again_with_its_number_answers_the_same(desk: Desk, clock: ManualClock) -> None:
    body = text(clock, "2020-12", kind="sensitive", request_no="t1")
    first, again = await publish(desk, body), await publish(desk, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()


async def test_the_address_of_the_text_in_force_is_no_version(desk: Desk, clock: ManualClock) -> None:
    refused(await publish(desk, text(clock, "current")), 422, "invalid_request")


async def test_a_fresh_platform_takes_any_version_and_one_with_texts_only_theirs(
    desk: Desk, client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    def identity(number: int, version: str) -> dict[str, str]:
        return {
            "name": "王小明",
            "id_type": "resident_id",
            "id_number": resident_id(number),
            "consent_version": version,
        }

    one, _ = await signed_in(client, kit, "before-any-text")
    await bound(client, kit, one, identity(71_001, "v1"))

    tomorrow = rfc3339(clock.now() + timedelta(days=1))
    assert (await publish(desk, text(clock, "p1", kind="privacy"))).status_code == 201
    assert (
        await publish(desk, text(clock, "p2", kind="privacy", effective_from=tomorrow))
    ).status_code == 201
    two, _ = await signed_in(client, kit, "after-the-text")
    for version in ("v1", "p2"):
        answer = await client.put(
            "/issuance/v1/me/identity", json=identity(71_002, version), headers=two.headers
        )
        refused(answer, 422, "consent_version_unknown")
        [fault] = answer.json()["errors"]
        assert fault["loc"] == "body.consent_version"
        assert version in fault["message"]
    await bound(client, kit, two, identity(71_002, "p1"))
    clock.set(clock.now() + timedelta(days=2))
    await bound(client, kit, two, identity(71_002, "p2"))
    mine = await client.get("/issuance/v1/me/consents", headers=two.headers)
    assert [(item["version"], item["how"]) for item in mine.json()["items"]] == [
        ("p1", "identity_form"),
        ("p2", "identity_form"),
    ]


async def test_whoever_withdraws_takes_part_in_nothing_new_until_consent_is_given_again(
    desk: Desk, client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="1", channels=channels())
    await fill_bank(kit, campaign)
    person, _ = await signed_in(client, kit, "changes-the-mind")
    hands, partaker = Hands(client, person), Partaker(client, person)
    headers, consents = person.headers, "/issuance/v1/me/consents"

    async def withdraw(number: str) -> httpx.Response:
        return await client.post(f"{consents}/withdraw", json={"request_no": number}, headers=headers)

    async def give(number: str, version: str = "s1") -> httpx.Response:
        body = {"request_no": number, "kind": "sensitive", "version": version}
        return await client.post(consents, json=body, headers=headers)

    refused(await withdraw("w0"), 409, "consent_not_given")
    await publish(desk, text(clock, "s1", kind="sensitive"))
    refused(await give("g0", "s9"), 422, "consent_version_unknown")
    assert (await give("g1")).json() == {"withdrawn": False}
    attempt = (await hands.start(campaign.slug)).json()
    await give_chances(kit, person, campaign)

    first, again = await withdraw("w1"), await withdraw("w1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == {"withdrawn": True}
    today = f"/me/today?campaign={campaign.slug}"
    assert (await hands.get(today)).json()["consent_withdrawn"] is True
    refused(await withdraw("w2"), 409, "consent_not_given")
    for refusal in (
        await hands.start(campaign.slug),
        await hands.draw(campaign.slug),
        await partaker.take_part(campaign.slug, "lead", LEAD),
        await partaker.upload(photo(7)),
    ):
        refused(refusal, 409, "consent_withdrawn")
    # What was begun is finished, and everything can still be looked at.
    assert (await hands.submit(attempt["attempt_id"], {})).status_code == 200
    assert (await hands.get("/me/vouchers")).status_code == 200

    clock.set(clock.now() + timedelta(seconds=1))
    assert (await give("g2")).status_code == 201
    assert (await hands.start(campaign.slug)).status_code == 201
    assert (await hands.get(today)).json()["consent_withdrawn"] is False
    history = (await client.get(consents, headers=headers)).json()
    assert history["withdrawn"] is False
    assert [(item["action"], item["version"]) for item in history["items"]] == [
        ("given", "s1"),
        ("withdrawn", "s1"),
        ("given", "s1"),
    ]


async def test_consents_and_texts_are_only_ever_added_to(kit: Kit) -> None:
    for table in ("core.consent", "issuance.consent_text", "issuance.erasure"):
        found = await rows(
            kit,
            "SELECT tgname FROM pg_trigger"
            " WHERE tgrelid = CAST(:table AS regclass) AND tgname = 'append_only'",
            table=table,
        )
        assert len(found) == 1, table


async def test_citizens_publish_nothing(client: httpx.AsyncClient, kit: Kit, clock: ManualClock) -> None:
    person = await new_person(kit)
    answer = await client.post(TEXTS, json=text(clock, request_no()[:8]), headers=person.headers)
    refused(answer, 401, "unauthenticated")
