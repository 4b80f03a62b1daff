"""A held win at the same moment: released, rejected, claimed, swept; one decision counts, once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from services.issuance.app import create_app
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from tests.support.desk import Desk
from tests.support.holds import decide, held, somebody, watching
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.ways import rows


@pytest.fixture(scope="module")
async def clients(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with (
        serving(issuance=create_app(settings, clock=clock)) as one,
        serving(issuance=create_app(settings, clock=clock)) as other,
    ):
        yield [one, other]


async def test_one_decision_counts_whatever_comes_with_it(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    campaign = await watching(
        kit, clock, parts={"stock": {"fitness": 100}, "lasts": timedelta(days=90)}, persons_per_device=1
    )
    desks = []
    for client in clients:
        staff = await signed_in_staff(kit, Role.OPERATOR)
        desks.append(Desk(client, staff, staff))
    wiring = build(kit)
    for number in range(8):
        hands, award = await held(clients[0], kit, campaign, f"farm-race-{number}")
        # Every award's time is long over when they meet: only the hold keeps it.
        clock.advance(days=4 if number % 2 else 0)
        decisions = asyncio.gather(
            *(decide(desks[n % 2], award, "release" if n < 2 else "reject") for n in range(4))
        )
        claiming, sweeping = hands.claim(award, "fitness"), wiring.lottery.expire_awards()
        decided, claim, _ = await asyncio.gather(decisions, claiming, sweeping)
        codes = Counter(answer.status_code for answer in decided)
        assert codes == {200: 1, 409: 3}
        [winner] = [answer.json()["status"] for answer in decided if answer.status_code == 200]
        [[state]] = await rows(kit, "SELECT state FROM issuance.award WHERE id = :id", id=award_uuid(award))
        if claim.status_code == 201:
            assert (winner, state) == ("released", "claimed")
        else:
            assert claim.json()["code"] in {"award_on_hold", "award_withdrawn"}
            assert state == ("open" if winner == "released" else "expired")
    assert (await recompute(kit)).ok


async def test_of_two_wins_of_one_device_at_once_one_is_held(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    campaign = await watching(kit, clock, wins_per_device=1)
    for number in range(5):
        device = f"two-at-once-{number}"
        people = [await somebody(client, kit, campaign, device=device) for client in clients]
        drawn = await asyncio.gather(*(hands.draw(campaign.slug) for hands in people))
        assert [answer.status_code for answer in drawn] == [201, 201]
    [[count]] = await rows(
        kit, "SELECT count(*) FROM issuance.award_hold WHERE campaign_id = :id", id=campaign.id
    )
    assert count == 5


def award_uuid(award: str) -> str:
    return award[2:]
