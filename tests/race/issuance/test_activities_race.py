"""Many at once, over real connections and two apps: limits, places and decisions hold to the last one."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from services.issuance.app import create_app
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from tests.support.citizens import Person, new_person, request_no
from tests.support.desk import Desk
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.pictures import photo
from tests.support.ways import (
    LEAD,
    Partaker,
    count,
    made_event,
    open_ways,
    reviewed,
    rows,
)

TRIES = 12


@pytest.fixture(scope="module")
def settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("objects")
    return settings.model_copy(update={"objects_dir": folder})


@pytest.fixture(scope="module")
async def apps(settings: Settings, clock: ManualClock) -> AsyncIterator[Sequence[httpx.AsyncClient]]:
    """Two processes' worth of the service, each with its own connections."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(serving(issuance=create_app(settings, clock=clock)))
            for _ in range(2)
        ]


@pytest.fixture(scope="module")
async def desk(apps: Sequence[httpx.AsyncClient], kit: Kit) -> Desk:
    one = await signed_in_staff(kit, Role.OPERATOR)
    return Desk(apps[0], one, await signed_in_staff(kit, Role.OPERATOR))


@pytest.fixture(autouse=True)
async def afterwards_everything_adds_up(kit: Kit) -> AsyncIterator[None]:
    yield
    report = await recompute(kit)
    assert [check for check in report.checks if not check.ok] == []


def devices(apps: Sequence[httpx.AsyncClient], person: Person, many: int = TRIES) -> list[Partaker]:
    """One person with many devices, at either app."""
    return [Partaker(apps[number % 2], person) for number in range(many)]


def outcomes(answers: Sequence[httpx.Response]) -> Counter[tuple[int, str]]:
    return Counter((answer.status_code, answer.json().get("code", "")) for answer in answers)


async def test_a_person_with_many_devices_checks_in_once(
    apps: Sequence[httpx.AsyncClient], desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock, event={"per_day": None})
    code = (await made_event(desk, clock, campaign.slug, capacity=50))["check_in_code"]
    everywhere = devices(apps, await new_person(kit))
    answers = await asyncio.gather(*(device.check_in(campaign.slug, code) for device in everywhere))
    assert outcomes(answers) == {(201, ""): 1, (409, "already_checked_in"): TRIES - 1}
    assert (await count(kit, "activity", campaign), await count(kit, "chance", campaign)) == (1, 1)


async def test_the_last_place_of_an_event_is_given_once(
    apps: Sequence[httpx.AsyncClient], desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock)
    made = await made_event(desk, clock, campaign.slug, capacity=3)
    people = [Partaker(apps[number % 2], await new_person(kit)) for number in range(TRIES)]
    answers = await asyncio.gather(
        *(someone.check_in(campaign.slug, made["check_in_code"]) for someone in people)
    )
    assert outcomes(answers) == {(201, ""): 3, (409, "event_full"): TRIES - 3}
    [row] = await rows(kit, "SELECT seats_taken FROM issuance.event WHERE campaign_id = :id", id=campaign.id)
    assert (
        row.seats_taken == await count(kit, "activity", campaign) == await count(kit, "chance", campaign) == 3
    )


async def test_a_day_has_no_more_than_it_allows_however_many_come_at_once(
    apps: Sequence[httpx.AsyncClient], kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock, lead={"review": False, "per_day": 3})
    everywhere = devices(apps, await new_person(kit))
    answers = await asyncio.gather(*(device.take_part(campaign.slug, "lead", LEAD) for device in everywhere))
    assert outcomes(answers) == {(201, ""): 3, (409, "limit_reached"): TRIES - 3}
    found = await rows(
        kit, "SELECT day_no FROM issuance.activity WHERE campaign_id = :id ORDER BY 1", id=campaign.id
    )
    assert [row.day_no for row in found] == [1, 2, 3]
    assert await count(kit, "chance", campaign) == 6


async def test_the_same_request_many_times_at_once_is_one(
    apps: Sequence[httpx.AsyncClient], desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock)
    code = (await made_event(desk, clock, campaign.slug, capacity=50))["check_in_code"]
    everywhere, number = devices(apps, await new_person(kit)), request_no()
    answers = await asyncio.gather(
        *(device.check_in(campaign.slug, code, number=number) for device in everywhere)
    )
    assert outcomes(answers) == {(201, ""): 1, (200, ""): TRIES - 1}
    assert len({answer.text for answer in answers}) == 1
    assert await count(kit, "chance", campaign) == 1


async def test_of_many_clerks_at_once_one_decides_and_chances_are_granted_once(
    apps: Sequence[httpx.AsyncClient], desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock)
    clerks = [
        Desk(apps[number % 2], (desk.one, desk.other)[number // 2 % 2], desk.other) for number in range(TRIES)
    ]
    accepted = 0
    for _ in range(5):
        lead = await Partaker(apps[0], await new_person(kit)).send(campaign.slug, "lead", LEAD)
        answers = await asyncio.gather(
            *(
                reviewed(clerk, lead, ("accept", "reject")[place % 2], note=f"审核 {place}")
                for place, clerk in enumerate(clerks)
            )
        )
        assert outcomes(answers) == {(200, ""): 1, (409, "already_decided"): TRIES - 1}
        [won] = [answer.json() for answer in answers if answer.status_code == 200]
        accepted += won["status"] == "accepted"
    assert await count(kit, "chance", campaign) == 2 * accepted
    audited = await rows(
        kit,
        "SELECT count(*) FROM core.audit_entry WHERE action = 'activity.review'",
    )
    assert audited[0][0] == 5


async def test_a_photo_becomes_evidence_of_one_lead(
    apps: Sequence[httpx.AsyncClient], kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock, lead={"per_day": None})
    person = await new_person(kit)
    everywhere = devices(apps, person)
    uploads = await asyncio.gather(*(device.upload(photo(1)) for device in everywhere))
    assert outcomes(uploads) == {(201, ""): 1, (200, ""): TRIES - 1}
    [photo_id] = {upload.json()["photo_id"] for upload in uploads}
    answers = await asyncio.gather(
        *(device.take_part(campaign.slug, "lead", LEAD | {"photos": [photo_id]}) for device in everywhere)
    )
    assert outcomes(answers) == {(201, ""): 1, (422, "invalid_request"): TRIES - 1}


async def test_taking_part_and_drawing_at_once_never_lock_each_other_out(
    apps: Sequence[httpx.AsyncClient], desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    """Both queue up at the person's turn, and take what else they lock after it."""
    campaign = await open_ways(kit, clock, parts={"odds": 1}, lead={"review": False, "per_day": None})
    code = (await made_event(desk, clock, campaign.slug, capacity=50))["check_in_code"]
    person = await new_person(kit)
    everywhere = devices(apps, person)
    url = f"/issuance/v1/campaigns/{campaign.slug}/draws"
    answers = await asyncio.gather(
        everywhere[0].check_in(campaign.slug, code),
        *(device.take_part(campaign.slug, "lead", LEAD) for device in everywhere),
        *(
            device.client.post(url, json={"request_no": request_no()}, headers=person.headers)
            for device in everywhere
        ),
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert Counter(answer.status_code for answer in answers[: TRIES + 1]) == {201: TRIES + 1}
