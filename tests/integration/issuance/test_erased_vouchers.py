"""What an erasure gives up returns as after a revocation: value, piece and the payers' parts."""

from datetime import timedelta

import httpx
import pytest

from shared.clock import ManualClock
from shared.integrity.operations import recompute
from shared.kit import Kit
from tests.support.citizens import Hands, give_chances, new_person
from tests.support.desk import Desk
from tests.support.held import Held, held_voucher, refused, rows, winner
from tests.support.lives import lived

pytestmark = pytest.mark.usefixtures("clock_returns")

STOCK = (
    "SELECT s.put_in, s.remaining, s.issued, s.returned, p.left_to_award FROM issuance.phase_stock s"
    " JOIN issuance.award_pool p USING (phase_id) WHERE s.phase_id = :phase AND s.voucher_type = 'fitness'"
)
VERSIONS = "SELECT actor, put_up_fen FROM core.fund_version WHERE campaign_id = :id ORDER BY version"
SHARES = {"treasury": "0.3333", "institutions": "0.3333", "insurance": "0.3334"}


async def sound(kit: Kit) -> None:
    report = await recompute(kit)
    assert [(check.name, check.detail) for check in report.checks if not check.ok] == []


async def erase(held: Held) -> None:
    answer = await held.hands.client.delete("/issuance/v1/me", headers=held.hands.person.headers)
    assert answer.status_code == 200, answer.text
    assert [voucher["id"] for voucher in answer.json()["given_up"]["vouchers"]] == [held.id]


async def test_the_piece_of_a_voucher_that_was_given_up_can_be_won_and_claimed_by_another(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    held = await held_voucher(client, kit, clock, stock={"fitness": 1})
    other = Hands(client, await new_person(kit))
    await give_chances(kit, other.person, held.campaign)
    refused(await other.draw(held.campaign.slug), 409, "awards_exhausted")
    await erase(held)
    assert tuple((await rows(kit, STOCK, phase=held.campaign.phases[0]))[0]) == (1, 1, 1, 1, 1)
    claimed = await other.claim(await other.win(held.campaign.slug), "fitness")
    assert claimed.status_code == 201, claimed.text
    await sound(kit)


async def test_an_award_and_a_voucher_of_one_person_each_return_once(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    life = await lived(client, kit, clock)
    phase = life.campaign.phases[0]
    assert tuple((await rows(kit, STOCK, phase=phase))[0]) == (20, 19, 1, 0, 98)
    assert (await life.erase()).status_code == 200
    assert (await life.erase()).status_code == 200
    assert tuple((await rows(kit, STOCK, phase=phase))[0]) == (20, 20, 1, 1, 100)
    await sound(kit)


async def test_after_new_shares_every_payer_has_its_part_of_the_piece_that_returned(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    hands, campaign = await winner(desk.client, kit, clock, stock={"fitness": 1}, budget_fen=5_000)
    claimed = await hands.claim(await hands.win(campaign.slug), "fitness")
    held = Held(hands, campaign, claimed.json())
    sources = [{"key": key, "share": share} for key, share in SHARES.items()]
    wanted: dict[str, object] = {"funding_sources": sources, "reason": "比例调整"}
    path = f"/issuance/v1/campaigns/{campaign.slug}/funding-shares"
    assert (await desk.approve(await desk.propose(path, wanted))).json()["status"] == "applied"
    await erase(held)
    *_, latest = await rows(kit, VERSIONS, id=campaign.id)
    assert (latest.actor, sum(latest.put_up_fen)) == ("citizen", 5_000)
    assert all(abs(part - 1_667) <= 1 for part in latest.put_up_fen), latest
    await sound(kit)


async def test_after_the_phase_the_piece_is_there_to_be_carried_over(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    held = await held_voucher(client, kit, clock)
    clock.set(held.campaign.closes_at + timedelta(days=1))
    await erase(held)
    assert tuple((await rows(kit, STOCK, phase=held.campaign.phases[0]))[0]) == (20, 20, 1, 1, 100)
    await sound(kit)
