"""With a share verifier set up, shares are asked about by a job, and staff have the rest."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.issuance.app import create_app
from services.issuance.reviews.jobs import ask_verifier
from services.issuance.wiring import Wiring, build
from services.issuance.worker import parts
from shared.clock import ManualClock, machine_now
from shared.ids import parse_hot_id
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.outbox import OutboxItem
from shared.settings import Settings
from tests.support.campaigns import Published
from tests.support.citizens import new_person
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.http import serving
from tests.support.sharing import FakeVerifier, verifying
from tests.support.ways import SHARE, Partaker, count, open_ways, queue, refused, reviewed, rows

pytestmark = pytest.mark.usefixtures("clock_returns")


@pytest.fixture(scope="module")
def verifier() -> FakeVerifier:
    return FakeVerifier()


@pytest.fixture(scope="module")
async def settings(settings: Settings, verifier: FakeVerifier) -> AsyncIterator[Settings]:
    async with verifying(verifier) as url:
        yield settings.model_copy(
            update={"share_verifier_url": url, "share_verifier_token": SecretStr(verifier.token)}
        )


@pytest.fixture
def wiring(kit: Kit, verifier: FakeVerifier) -> Wiring:
    verifier.status = 200
    return build(kit)


@pytest.fixture
async def someone(client: httpx.AsyncClient, kit: Kit) -> Partaker:
    return Partaker(client, await new_person(kit))


async def unreviewed(kit: Kit, clock: ManualClock) -> Published:
    return await open_ways(kit, clock, share={"review": False, "per_day": None, "chances": 2})


async def waiting(kit: Kit) -> list[str]:
    found = await rows(kit, "SELECT state FROM core.outbox WHERE kind = :kind", kind=Kind.SHARE_SUBMITTED)
    return [row.state for row in found]


async def test_a_share_waits_for_the_verifier_and_its_verdict_decides(
    someone: Partaker, wiring: Wiring, verifier: FakeVerifier, desk: Desk, clock: ManualClock
) -> None:
    kit = wiring.kit
    campaign = await unreviewed(kit, clock)
    verifier.answers = {
        "https://x.cn/genuine": "genuine",
        "https://x.cn/fake": {"verdict": "not_genuine", "reason": "未找到该条转发", "more": 1},
        "https://x.cn/deleted": "not_genuine",
        "https://x.cn/unsure": {"verdict": "unsure", "reason": None},
    }
    sent = {}
    for url in verifier.answers:
        answer = await someone.take_part(campaign.slug, "share", SHARE | {"url": url})
        assert (answer.json()["status"], answer.json()["chances_granted"]) == ("pending", 0)
        sent[answer.json()["activity_id"]] = url.rpartition("/")[2]
    await drain(kit, parts(wiring))
    assert await waiting(kit) == []

    items = (await someone.get(f"/me/activities?campaign={campaign.slug}")).json()["items"]
    became = {
        sent[item["activity_id"]]: (item["status"], item["chances_granted"], item["note"]) for item in items
    }
    assert became == {
        "genuine": ("accepted", 2, None),
        "fake": ("rejected", 0, "未找到该条转发"),
        "deleted": ("rejected", 0, "未能核实该次转发。"),
        "unsure": ("pending", 0, None),
    }
    [left] = await queue(desk, campaign=campaign.slug)
    assert sent[left["activity_id"]] == "unsure"
    [accepted] = await queue(desk, campaign=campaign.slug, status="accepted")
    assert accepted["decision"]["decided_by"] == "verifier"
    assert verifier.asked[0] == {
        "campaign": campaign.slug,
        "kind": "forwarded",
        "url": "https://x.cn/genuine",
        "text": SHARE["text"],
    }
    assert len(set(verifier.keys)) == len(verifier.keys)
    assert (await reviewed(desk, left["activity_id"])).status_code == 200
    assert await waiting(kit) == []


@pytest.mark.parametrize(
    "trouble",
    [(500, "genuine"), (302, "genuine"), (200, "perhaps"), (200, {}), (200, []), (200, {"verdict": None})],
)
async def test_a_verifier_that_gives_no_verdict_is_asked_again(
    someone: Partaker,
    wiring: Wiring,
    verifier: FakeVerifier,
    clock: ManualClock,
    trouble: tuple[int, object],
) -> None:
    kit = wiring.kit
    campaign = await unreviewed(kit, clock)
    verifier.status, verifier.answers = trouble[0], {"https://x.cn/1": trouble[1]}
    await someone.send(campaign.slug, "share", SHARE | {"url": "https://x.cn/1"})
    await drain(kit, parts(wiring))
    assert await waiting(kit) == ["ready"]
    assert (await someone.get(f"/me/activities?campaign={campaign.slug}")).json()["items"][0][
        "status"
    ] == "pending"

    verifier.status, verifier.answers = 200, {"https://x.cn/1": "genuine"}
    async with kit.database.transaction() as tx:
        await tx.execute(
            text("UPDATE core.outbox SET next_at = :now"), {"now": machine_now() - timedelta(seconds=1)}
        )
    await drain(kit, parts(wiring))
    assert await waiting(kit) == []
    assert await count(kit, "chance", campaign) == 2
    assert verifier.keys[-1] == verifier.keys[-2]


async def again(kit: Kit) -> None:
    """Everything that waits for its time is due now."""
    async with kit.database.transaction() as tx:
        await tx.execute(
            text("UPDATE core.outbox SET next_at = :now"), {"now": machine_now() - timedelta(seconds=1)}
        )


async def test_what_the_verifier_cannot_see_yet_is_asked_later_and_in_the_end_left_to_staff(
    someone: Partaker, wiring: Wiring, verifier: FakeVerifier, desk: Desk, clock: ManualClock
) -> None:
    kit = wiring.kit
    campaign = await unreviewed(kit, clock)
    verifier.answers = {"https://x.cn/soon": "later", "https://x.cn/never": "later"}
    sent = [
        await someone.send(campaign.slug, "share", SHARE | {"url": url, "kind": kind})
        for url, kind in (("https://x.cn/soon", "followed"), ("https://x.cn/never", "registered"))
    ]
    await drain(kit, parts(wiring))
    assert await waiting(kit) == ["ready", "ready"]
    assert {question["kind"] for question in verifier.asked[-2:]} == {"followed", "registered"}
    verifier.answers["https://x.cn/soon"] = "genuine"
    await again(kit)
    await drain(kit, parts(wiring))
    assert await waiting(kit) == ["ready"]
    asked = len(verifier.asked)
    while await waiting(kit):
        await again(kit)
        await drain(kit, parts(wiring))
    assert len(verifier.asked) - asked == 16 - 2
    assert [entry["activity_id"] for entry in await queue(desk, campaign=campaign.slug)] == sent[1:]
    assert (await metrics(desk, campaign))["shares_accepted"] == {"followed": 1}


async def metrics(desk: Desk, campaign: Published) -> dict[str, Any]:
    url = f"/issuance/v1/metrics?campaign={campaign.slug}"
    found: dict[str, Any] = (await desk.client.get(url, headers=desk.one)).json()
    return found


async def test_what_staff_decided_stays_and_is_not_asked_about(
    someone: Partaker, wiring: Wiring, verifier: FakeVerifier, desk: Desk, clock: ManualClock
) -> None:
    kit = wiring.kit
    campaign = await unreviewed(kit, clock)
    verifier.answers = {"https://x.cn/2": "genuine"}
    sent = await someone.send(campaign.slug, "share", SHARE | {"url": "https://x.cn/2"})
    await reviewed(desk, sent, "reject", note="链接与活动无关")
    asked = len(verifier.asked)
    await drain(kit, parts(wiring))
    assert await waiting(kit) == []
    assert len(verifier.asked) == asked
    assert await count(kit, "chance", campaign) == 0
    refused(await reviewed(desk, sent), 409, "already_decided")


async def test_a_verdict_that_comes_twice_or_after_a_decision_grants_once(
    someone: Partaker, wiring: Wiring, verifier: FakeVerifier, clock: ManualClock
) -> None:
    kit = wiring.kit
    campaign = await unreviewed(kit, clock)
    verifier.answers = {"https://x.cn/3": "genuine"}
    sent = await someone.send(campaign.slug, "share", SHARE | {"url": "https://x.cn/3"})
    share_verifier = wiring.share_verifier
    assert share_verifier is not None
    share = await wiring.reviews.waiting_share(parse_hot_id(sent))
    assert share is not None
    finding = await share_verifier.verify(share, question_id="one")
    for _ in range(2):
        await wiring.reviews.settle(parse_hot_id(sent), finding)
    await drain(kit, parts(wiring))
    assert await waiting(kit) == []
    assert await count(kit, "chance", campaign) == 2


async def test_questions_that_were_under_way_when_the_verifier_was_taken_away_go_to_staff(
    someone: Partaker, wiring: Wiring, desk: Desk, clock: ManualClock
) -> None:
    campaign = await unreviewed(wiring.kit, clock)
    sent = await someone.send(campaign.slug, "share", SHARE)
    job = ask_verifier(wiring.reviews, None)
    assert job.errand is not None
    item = OutboxItem(0, parse_hot_id(sent).uuid, job.kind, {"activity_id": sent}, 1)
    await job.errand(item)
    assert [entry["activity_id"] for entry in await queue(desk, campaign=campaign.slug)] == [sent]
    await drain(wiring.kit, parts(wiring))
    assert await waiting(wiring.kit) == []


async def test_without_a_verifier_nothing_is_asked(settings: Settings, kit: Kit, clock: ManualClock) -> None:
    campaign = await unreviewed(kit, clock)
    without = create_app(settings.model_copy(update={"share_verifier_url": None}), clock=clock)
    async with serving(issuance=without) as client:
        someone = Partaker(client, await new_person(kit))
        answer = await someone.take_part(campaign.slug, "share", SHARE)
    assert (answer.json()["status"], answer.json()["chances_granted"]) == ("accepted", 2)
    assert await waiting(kit) == []
