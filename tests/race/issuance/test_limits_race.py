"""Limits, releases and changes at the same moment, over two processes' worth of apps."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import cycle, islice
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert, text

from services.issuance.app import create_app
from services.issuance.phases.schemas import CarryOver
from services.issuance.terms.schemas import SharesChange
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.errors import NoLongerFits
from shared.identity.citizens import CitizenTokens
from shared.identity.lifetimes import citizen_token_life
from shared.identity.staff import Role, Staff
from shared.identity.tables import AccountRow
from shared.ids import new_id
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, Person, give_chances, new_person
from tests.support.gates import race_at
from tests.support.http import serving
from tests.support.people import staff_member

Call = Callable[[Hands], Awaitable[httpx.Response]]
LOCK_ALL_STOCK = "SELECT FROM issuance.phase_stock WHERE phase_id = ANY($1) FOR UPDATE"
LOCK_STOCK = "SELECT FROM issuance.phase_stock WHERE phase_id = $1 FOR UPDATE"


@pytest.fixture(scope="module")
async def clients(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with (
        serving(issuance=create_app(settings, clock=clock)) as one,
        serving(issuance=create_app(settings, clock=clock)) as other,
    ):
        yield [one, other]


@pytest.fixture(scope="module")
async def staff(kit: Kit) -> list[Staff]:
    return [await staff_member(kit, Role.OPERATOR) for _ in range(2)]


async def second_account(kit: Kit, person: Person) -> Person:
    """Another sign-in that acts for the same person."""
    account_id, now = new_id(), kit.clock.now()
    subject = kit.keys.index.digest("test-subject", account_id.hex)
    async with kit.database.transaction() as tx:
        await tx.execute(
            insert(AccountRow).values(
                id=account_id,
                provider="demo",
                subject_hash=subject,
                subject_sealed=b"sealed",
                bucket=person.address.bucket,
                person_id=person.address.uuid,
                created_at=now,
            )
        )
    tokens = CitizenTokens(kit.keys.token)
    token = tokens.issue(
        account_id=account_id,
        bucket=person.address.bucket,
        person_id=person.address.uuid,
        now=now,
        life=citizen_token_life(kit.settings),
    )
    headers = {"Authorization": f"Bearer {token}"}
    return replace(person, citizen=tokens.read(token, now), headers=headers)


async def forget_second_accounts(kit: Kit, person: Person, *, but: Person) -> None:
    """The database keeps one live account for each person: the check at the end looks for it."""
    async with kit.database.transaction() as tx:
        await tx.execute(
            text("DELETE FROM core.account WHERE person_id = :person AND id <> :keep"),
            {"person": person.address.uuid, "keep": but.citizen.account_id},
        )


def outcomes(answers: Sequence[httpx.Response]) -> Counter[object]:
    return Counter(answer.status_code if answer.is_success else answer.json()["code"] for answer in answers)


async def through_two_accounts(
    kit: Kit, clients: Sequence[httpx.AsyncClient], person: Person, calls: Sequence[Call]
) -> list[httpx.Response]:
    """All calls at the same moment: each app serves both accounts of the person."""
    other = await second_account(kit, person)
    hands = islice(
        cycle([Hands(client, account) for client in clients for account in (person, other)]), len(calls)
    )
    answers = await asyncio.gather(*(call(hand) for call, hand in zip(calls, hands, strict=True)))
    await forget_second_accounts(kit, person, but=person)
    return answers


@pytest.mark.parametrize("limits", [{"draws_per_day": 3}, {"draws_per_phase": 3, "draws_per_day": 100}])
async def test_draws_of_a_person_with_two_accounts_keep_to_the_limits_of_one(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient], limits: dict[str, int]
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.000001", limits=limits)
    person = await new_person(kit)
    await give_chances(kit, person, campaign, 12)
    answers = await through_two_accounts(kit, clients, person, [lambda hands: hands.draw(campaign.slug)] * 12)
    assert outcomes(answers) == {201: 3, "limit_reached": 9}


async def test_of_two_claims_of_the_last_voucher_of_a_type_one_is_made_also_with_two_accounts(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    campaign = await open_campaign(kit, clock, odds="1", limits={"vouchers_per_type": 1})
    for _ in range(3):
        person = await new_person(kit)
        await give_chances(kit, person, campaign, 2)
        first, second = [await Hands(clients[0], person).win(campaign.slug) for _ in range(2)]
        calls: list[Call] = [
            lambda hands, award=first: hands.claim(award, "fitness"),  # type: ignore[misc]
            lambda hands, award=second: hands.claim(award, "fitness"),  # type: ignore[misc]
        ]
        answers = await through_two_accounts(kit, clients, person, calls)
        assert outcomes(answers) == {201: 1, "limit_reached": 1}


async def test_awards_of_two_phases_claimed_at_once_keep_to_the_limit_of_a_type(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    """Their stock rows are two, so nothing but the person's awards keeps the claims apart."""
    campaign = await open_campaign(
        kit, clock, odds="1", limits={"vouchers_per_type": 1}, phases=2, award_valid_days=30
    )
    people = [await new_person(kit) for _ in range(3)]
    awards: list[list[str]] = [[], [], []]
    for moved in (False, True):
        if moved:
            clock.set(campaign.closes_at - timedelta(hours=1))
        for person, won in zip(people, awards, strict=True):
            await give_chances(kit, person, campaign)
            won.append(await Hands(clients[0], person).win(campaign.slug))
    for person, won in zip(people, awards, strict=True):
        claims = [
            Hands(client, person).claim(award, "fitness") for client, award in zip(clients, won, strict=True)
        ]
        answers = await race_at(kit, LOCK_ALL_STOCK, list(campaign.phases), racers=claims)
        assert outcomes([a for a in answers if isinstance(a, httpx.Response)]) == {201: 1, "limit_reached": 1}


async def test_a_release_is_claimed_once_and_its_others_wait(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    plan = {"release_plan": {"every": "hour", "amounts": {"fitness": 5}}}
    campaign = await open_campaign(kit, clock, odds="1", stock={"fitness": 24}, every_phase=plan)
    hands = [Hands(client, await new_person(kit)) for client in islice(cycle(clients), 24)]
    for each in hands:
        await give_chances(kit, each.person, campaign)
    awards = await asyncio.gather(*(each.win(campaign.slug) for each in hands))
    waiting = list(zip(hands, awards, strict=True))
    for released in (5, 5, 5, 5, 4):
        answers = await asyncio.gather(*(each.claim(award, "fitness") for each, award in waiting))
        assert outcomes(answers)[201] == released
        waiting = [one for one, answer in zip(waiting, answers, strict=True) if not answer.is_success]
        clock.advance(hours=1)
    assert waiting == []


async def pending(kit: Kit, staff: list[Staff], campaign: Published, **body: object) -> UUID:
    wanted = CarryOver.model_validate({"to": 2, "reason": "结转下一期"} | body)
    answer = await build(kit).phases.propose_carry_over(staff[0], campaign.slug, 1, wanted, None)
    return UUID(answer.body["change_id"])


async def test_stock_is_carried_over_once_however_many_approve_at_once(
    kit: Kit, clock: ManualClock, staff: list[Staff]
) -> None:
    campaign = await open_campaign(kit, clock, stock={"general_50": 5}, phases=2)
    clock.advance(days=10)
    changes = [await pending(kit, staff, campaign) for _ in range(5)]
    approvals = build(kit).approvals
    outcomes = await race_at(
        kit,
        LOCK_STOCK,
        campaign.phases[0],
        racers=[approvals.approve(staff[1], change) for change in changes],
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(refusal) for refusal in refused] == [NoLongerFits] * 4
    assert await put_in(kit, campaign) == [0, 10]


async def test_a_claim_and_a_carry_over_at_once_share_what_remains(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient], staff: list[Staff]
) -> None:
    """Two open awards when the phase closes: their pieces stay, whoever comes first."""
    campaign = await open_campaign(
        kit, clock, odds="1", stock={"general_50": 5}, phases=2, award_valid_days=30
    )
    hands = [Hands(client, await new_person(kit)) for client in clients]
    for each in hands:
        await give_chances(kit, each.person, campaign)
    awards = [await each.win(campaign.slug) for each in hands]
    clock.advance(days=10)
    changes = [await pending(kit, staff, campaign) for _ in range(2)]
    approvals = build(kit).approvals
    done = await asyncio.gather(
        *(each.claim(award, "general_50") for each, award in zip(hands, awards, strict=True)),
        *(approvals.approve(staff[1], change) for change in changes),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, NoLongerFits) for outcome in done) == 1
    assert [answer.status_code for answer in done if isinstance(answer, httpx.Response)] == [201, 201]
    assert await put_in(kit, campaign) == [2, 8]


async def put_in(kit: Kit, campaign: Published) -> list[int]:
    statement = text(
        "SELECT s.put_in FROM issuance.phase_stock s JOIN issuance.phase p ON p.id = s.phase_id"
        " WHERE p.campaign_id = :id ORDER BY p.seq"
    )
    async with kit.database.snapshot() as tx:
        return list((await tx.execute(statement, {"id": campaign.id})).scalars())


async def test_claims_while_the_shares_change_are_split_by_one_of_the_two(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient], staff: list[Staff]
) -> None:
    """The stock is worth the whole budget: one fen of a wrong payer would be missing in the end."""
    people = 24
    campaign = await open_campaign(
        kit, clock, odds="1", stock={"general_100": people}, budget_fen=people * 10_000
    )
    hands = [Hands(client, await new_person(kit)) for client in islice(cycle(clients), people)]
    for each in hands:
        await give_chances(kit, each.person, campaign)
    awards = await asyncio.gather(*(each.win(campaign.slug) for each in hands))
    wanted = SharesChange.model_validate(
        {
            "funding_sources": [
                {"key": "treasury", "share": "0.333333"},
                {"key": "institutions", "share": "0.333333"},
                {"key": "insurance", "share": "0.333334"},
            ],
            "reason": "比例调整",
        }
    )
    wiring = build(kit)
    answer = await wiring.terms.propose_shares(staff[0], campaign.slug, wanted, None)
    change = UUID(answer.body["change_id"])

    async def approve() -> None:
        await asyncio.sleep(0.02)
        await wiring.approvals.approve(staff[1], change)

    claims = (each.claim(award, "general_100") for each, award in zip(hands, awards, strict=True))
    done, _ = await asyncio.gather(asyncio.gather(*claims), approve())
    assert outcomes(done) == {201: people}
    statement = text("""
        SELECT bool_and(v.split_fen = core.split_fen(v.amount_fen, f.shares_ppm)), count(*)
        FROM core.voucher v
        JOIN core.fund_version f ON f.campaign_id = v.campaign_id AND f.version = v.fund_version
        WHERE v.campaign_id = :id
    """)
    async with kit.database.snapshot() as tx:
        assert tuple((await tx.execute(statement, {"id": campaign.id})).one()) == (True, people)


async def test_after_all_of_this_every_invariant_holds(kit: Kit) -> None:
    report = await recompute(kit)
    assert [f"{check.name}: {check.detail}" for check in report.checks if not check.ok] == []
