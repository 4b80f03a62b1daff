"""Each of the five ways over HTTP alone: from the first opening to a voucher in hand, and its own line."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.simulator.persons import resident_id
from services.issuance.app import create_app
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import Published
from tests.support.citizens import fill_bank, request_no, right_answers
from tests.support.desk import Desk
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.pictures import telling_photo
from tests.support.ways import LEAD, SHARE, claimed, made_event, open_ways, reviewed

# What each way gives in this campaign (tests/support/ways.py), and whether somebody has to look at it first.
CHANCES = {"quiz": 1, "share": 1, "lead": 2, "event": 1, "fitness": 3}


@dataclass(slots=True)
class Citizen:
    """Somebody with a phone, who knows what the platform has told."""

    client: httpx.AsyncClient
    slug: str
    token: str = ""

    async def ask(self, method: str, path: str, **sent: Any) -> dict[str, Any]:  # noqa: ANN401 - what httpx takes
        answer = await self.client.request(
            method, f"/issuance/v1{path}", headers={"Authorization": f"Bearer {self.token}"}, **sent
        )
        assert answer.status_code in {200, 201}, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def arrive(self, name: str, number: int) -> None:
        """Signs in, binds an identity, and finds the campaign."""
        body = {"provider": "demo", "code": name}
        self.token = (await self.ask("POST", "/sessions", json=body))["access_token"]
        identity = {"name": "王小明", "id_type": "resident_id", "id_number": resident_id(number)}
        await self.ask("PUT", "/me/identity", json=identity | {"consent_version": "2020-11"})
        campaigns = (await self.ask("GET", "/campaigns"))["items"]
        assert self.slug in {campaign["slug"] for campaign in campaigns}

    async def take_part(self, channel: str, evidence: dict[str, Any]) -> dict[str, Any]:
        body = {"request_no": request_no(), "channel": channel, "evidence": evidence}
        return await self.ask("POST", f"/campaigns/{self.slug}/activities", json=body)

    async def to_a_voucher(self, channel: str) -> None:
        """Draws the oldest chance, and shows the voucher's code."""
        chances = await self.ask("GET", f"/me/chances?campaign={self.slug}")
        assert {item["channel"] for item in chances["items"]} == {channel}
        assert chances["available"] == CHANCES[channel]
        drawn = await self.ask("POST", f"/campaigns/{self.slug}/draws", json={"request_no": request_no()})
        claim = {"request_no": request_no(), "voucher_type": "general_50"}
        voucher = await self.ask("POST", f"/awards/{drawn['award']['id']}/claim", json=claim)
        assert voucher["status"] == "issued"
        assert (await self.ask("GET", f"/me/vouchers/{voucher['id']}/token"))["token"]


@pytest.fixture(scope="module")
def settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder: Path = tmp_path_factory.mktemp("objects")
    return settings.model_copy(update={"objects_dir": folder})


@pytest.fixture(scope="module")
async def client(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(issuance=create_app(settings, clock=clock)) as client:
        yield client


@pytest.fixture(scope="module")
async def desk(client: httpx.AsyncClient, kit: Kit) -> Desk:
    one = await signed_in_staff(kit, Role.OPERATOR)
    return Desk(client, one, await signed_in_staff(kit, Role.OPERATOR))


@pytest.fixture(scope="module")
async def campaign(kit: Kit, clock: ManualClock) -> Published:
    made = await open_ways(kit, clock, parts={"odds": 1})
    await fill_bank(kit, made)
    return made


async def by_quiz(someone: Citizen, _desk: Desk, _clock: ManualClock) -> None:
    start = {"request_no": request_no()}
    await someone.ask("POST", f"/campaigns/{someone.slug}/quiz-attempts", json=start)
    # The line is lost: what was shown comes back, and then its result.
    attempt = await someone.ask("GET", f"/campaigns/{someone.slug}/quiz-attempts/current")
    path, answers = f"/quiz-attempts/{attempt['attempt_id']}", right_answers(attempt)
    await someone.ask("PUT", f"{path}/draft", json={"answers": answers})
    left = (await someone.ask("GET", path))["draft"]
    marked = await someone.ask("POST", f"{path}/answers", json={"request_no": request_no(), "answers": left})
    assert (await someone.ask("GET", path))["result"] == marked
    assert all(result["explanation"] for result in marked["results"])


async def by_share(someone: Citizen, desk: Desk, _clock: ManualClock) -> None:
    taken = await someone.take_part("share", SHARE | {"kind": "registered"})
    assert (taken["status"], taken["chances_granted"]) == ("pending", 0)
    [item] = await claimed(desk, campaign=someone.slug, channel="share")
    assert (await reviewed(desk, item["activity_id"])).json()["chances_granted"] == 1


async def by_lead(someone: Citizen, desk: Desk, _clock: ManualClock) -> None:
    files = {"file": ("IMG_1.jpg", telling_photo("JPEG"))}
    photo = (await someone.ask("POST", "/photos", files=files))["photo_id"]
    taken = await someone.take_part("lead", LEAD | {"photos": [photo]})
    assert taken["status"] == "pending"
    [item] = await claimed(desk, campaign=someone.slug, channel="lead")
    assert [shown["photo_id"] for shown in item["photos"]] == [photo]
    assert (await reviewed(desk, item["activity_id"])).status_code == 200


async def by_event(someone: Citizen, desk: Desk, clock: ManualClock) -> None:
    event = await made_event(desk, clock, someone.slug, capacity=1)
    taken = await someone.take_part("event", {"check_in_code": event["check_in_code"]})
    assert taken["status"] == "accepted"


async def by_fitness(someone: Citizen, desk: Desk, clock: ManualClock) -> None:
    event = await made_event(desk, clock, someone.slug, channel="fitness", rotate_seconds=30)
    shown = await desk.client.get(f"/issuance/v1/events/{event['event_id']}", headers=desk.one)
    taken = await someone.take_part("fitness", {"check_in_code": shown.json()["check_in_code"]})
    assert taken["chances_granted"] == CHANCES["fitness"]


WAYS: dict[str, Callable[[Citizen, Desk, ManualClock], Awaitable[None]]] = {
    "quiz": by_quiz,
    "share": by_share,
    "lead": by_lead,
    "event": by_event,
    "fitness": by_fitness,
}


@pytest.mark.parametrize("channel", WAYS)
async def test_a_way_leads_from_the_first_call_to_a_voucher_in_hand_and_has_its_own_line(
    client: httpx.AsyncClient, kit: Kit, desk: Desk, clock: ManualClock, campaign: Published, *, channel: str
) -> None:
    someone = Citizen(client, campaign.slug)
    await someone.arrive(channel, 100 + list(WAYS).index(channel))
    await WAYS[channel](someone, desk, clock)
    await someone.to_a_voucher(channel)
    url = f"/issuance/v1/metrics?campaign={campaign.slug}"
    lines = (await client.get(url, headers=desk.one)).json()["by_channel"]
    assert list(lines) == list(WAYS)
    assert lines[channel] == {
        "submitted": 1,
        "accepted": 1,
        "rejected": 0,
        "pending": 0,
        "chances": CHANCES[channel],
        "draws": 1,
        "wins": 1,
        "issued": 1,
    }
    report = await recompute(kit)
    assert [check.name for check in report.checks if not check.ok] == []
