"""Somebody erases the account while it is in use: one order of events, nothing lost, nothing left."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.issuance.app import create_app
from services.issuance.vouchers.schemas import Revocation
from services.issuance.wiring import build
from services.redemption.app import create_app as create_redemption
from shared.clients.terminal import Refused, TerminalClient
from shared.clock import ManualClock
from shared.errors import NoLongerFits
from shared.identity.staff import Role
from shared.ids import parse_hot_id
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers import catalogue
from tests.support.citizens import Hands, give_chances
from tests.support.gates import race_at
from tests.support.http import serving
from tests.support.lives import Life, bound, lived, signed_in
from tests.support.people import staff_member
from tests.support.pictures import photo
from tests.support.tills import bureau
from tests.support.ways import LEAD, Partaker, rows

# Each decides on who comes first; a few rounds see both orders.
ROUNDS = 4


@pytest.fixture(scope="module")
async def clients(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Two instances of issuance, and a till's service beside the first."""
    async with (
        serving(
            issuance=create_app(settings, clock=clock), redemption=create_redemption(settings, clock=clock)
        ) as one,
        serving(issuance=create_app(settings, clock=clock)) as other,
    ):
        yield [one, other]


async def sound(kit: Kit) -> None:
    report = await recompute(kit)
    assert [(check.name, check.detail) for check in report.checks if not check.ok] == []


async def open_award(life: Life) -> str:
    items = (await life.hands.get("/me/awards")).json()["items"]
    return str(next(item["id"] for item in items if item["state"] == "open"))


async def vouchers(kit: Kit, life: Life) -> list[Any]:
    sql = "SELECT state, code_sealed FROM core.voucher WHERE person_id = :id ORDER BY issued_at"
    return await rows(kit, sql, id=life.hands.person.address.uuid)


async def test_a_claim_is_either_before_the_erasure_and_given_up_or_refused(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    for number in range(ROUNDS):
        life = await lived(clients[0], kit, clock)
        award = await open_award(life)
        calls = [Hands(clients[1], life.hands.person).claim(award, "general_50"), life.erase(clients[0])]
        answers = await asyncio.gather(*(calls if number % 2 else reversed(calls)))
        claimed, erased = answers if number % 2 else reversed(answers)
        assert erased.status_code == 200, erased.text
        given_up = erased.json()["given_up"]
        if claimed.status_code == 201:
            assert (len(given_up["vouchers"]), given_up["awards"]) == (2, 0)
        else:
            assert claimed.json()["code"] in {"award_expired", "unauthenticated"}
            assert (len(given_up["vouchers"]), given_up["awards"]) == (1, 1)
        assert {tuple(row) for row in await vouchers(kit, life)} == {("revoked", None)}
    await sound(kit)


async def test_a_claim_that_waits_behind_the_erasure_finds_the_award_ended(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    """Both wait at the person's award: whoever gets it first, the other sees what became of it."""
    life = await lived(clients[0], kit, clock)
    award = await open_award(life)
    claimed, erased = await race_at(
        kit,
        "SELECT FROM issuance.award WHERE person_id = $1 FOR UPDATE",
        life.hands.person.address.uuid,
        racers=[Hands(clients[1], life.hands.person).claim(award, "general_50"), life.erase(clients[0])],
    )
    assert isinstance(claimed, httpx.Response)
    assert isinstance(erased, httpx.Response)
    assert erased.status_code == 200, erased.text
    given_up = erased.json()["given_up"]
    assert len(given_up["vouchers"]) + given_up["awards"] == 2
    assert (claimed.status_code == 201) == (given_up["awards"] == 0)
    assert {tuple(row) for row in await vouchers(kit, life)} == {("revoked", None)}
    await sound(kit)


async def test_a_draw_is_either_before_the_erasure_and_given_up_or_refused(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    for _ in range(ROUNDS):
        life = await lived(clients[0], kit, clock, keep_award=False)
        drawn, erased = await race_at(
            kit,
            "SELECT FROM issuance.participant WHERE person_id = $1 FOR UPDATE",
            life.hands.person.address.uuid,
            racers=[Hands(clients[1], life.hands.person).draw(life.campaign.slug), life.erase(clients[0])],
        )
        assert isinstance(drawn, httpx.Response)
        assert isinstance(erased, httpx.Response)
        assert erased.status_code == 200, erased.text
        if drawn.status_code == 201:
            assert erased.json()["given_up"]["awards"] == 1
        else:
            assert drawn.json()["code"] in {"identity_required", "no_chance"}
            assert erased.json()["given_up"]["awards"] == 0
    await sound(kit)


async def test_a_voucher_is_either_redeemed_or_given_up(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    office = await bureau(clients[0], kit)
    for _ in range(ROUNDS):
        life = await lived(clients[0], kit, clock)
        async with kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, life.campaign.slug)
        till = await office.till(await office.institution(campaign))
        redeemed, erased = await race_at(
            kit,
            "SELECT FROM core.voucher WHERE id = $1 FOR UPDATE",
            parse_hot_id(life.voucher["id"]).uuid,
            racers=[_redeem(till, life), _erased(life, clients[1])],
        )
        assert redeemed in {"redeemed", "voucher_revoked"}, redeemed
        assert isinstance(erased, httpx.Response), erased
        given_up = [voucher["id"] for voucher in erased.json()["given_up"]["vouchers"]]
        assert given_up == ([] if redeemed == "redeemed" else [life.voucher["id"]])
        states = {tuple(row) for row in await vouchers(kit, life)}
        assert states == {(str(redeemed).removeprefix("voucher_"), None)}
    await sound(kit)


async def test_a_voucher_that_staff_revoke_meanwhile_returns_its_piece_once(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    one, other = await staff_member(kit, Role.OPERATOR), await staff_member(kit, Role.OPERATOR)
    for number in range(ROUNDS):
        life = await lived(clients[0], kit, clock)
        wiring, address = build(kit), parse_hot_id(life.voucher["id"])
        asked = await wiring.vouchers.propose_revocation(one, address, Revocation(reason="发放有误"), None)
        racers: list[Any] = [
            wiring.approvals.approve(other, UUID(asked.body["change_id"])),
            _erased(life, clients[number % 2]),
        ]
        approved, erased = await race_at(
            kit, "SELECT FROM core.fund WHERE campaign_id = $1 FOR UPDATE", life.campaign.id, racers=racers
        )
        assert isinstance(erased, httpx.Response), erased
        given_up = erased.json()["given_up"]["vouchers"]
        assert isinstance(approved, NoLongerFits) == (len(given_up) == 1), approved
        [stock] = await rows(
            kit,
            "SELECT remaining, returned FROM issuance.phase_stock"
            " WHERE phase_id = :phase AND voucher_type = 'fitness'",
            phase=life.campaign.phases[0],
        )
        assert tuple(stock) == (20, 1)
    await sound(kit)


async def _redeem(till: TerminalClient, life: Life) -> str | httpx.Response:
    try:
        await till.redeem(life.voucher["code"])
    except Refused as refusal:
        return refusal.code
    return "redeemed"


async def _erased(life: Life, client: httpx.AsyncClient) -> str | httpx.Response:
    return await life.erase(client)


async def test_nothing_personal_comes_after_the_erasure(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    """A report and a photo wait for the account, as the erasure does: what comes second is refused."""
    for seed in range(ROUNDS):
        life = await lived(clients[0], kit, clock)
        partaker = Partaker(clients[1], life.hands.person)
        sent, uploaded, erased = await race_at(
            kit,
            "SELECT FROM core.account WHERE id = $1 FOR UPDATE",
            life.hands.person.citizen.account_id,
            racers=[
                partaker.take_part(life.campaign.slug, "lead", LEAD),
                partaker.upload(photo(1000 + seed)),
                life.erase(clients[0]),
            ],
        )
        for answer in (sent, uploaded):
            assert isinstance(answer, httpx.Response)
            assert answer.status_code in {201, 401}, answer.text
        assert isinstance(erased, httpx.Response)
        assert erased.status_code == 200
        person = life.hands.person.address.uuid
        sealed = "SELECT 1 FROM issuance.activity WHERE person_id = :id AND evidence_sealed IS NOT NULL"
        assert await rows(kit, sealed, id=person) == []
        assert await rows(kit, "SELECT 1 FROM issuance.photo WHERE person_id = :id", id=person) == []
    await sound(kit)


async def test_erased_by_two_phones_at_once_is_erased_once(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    life = await lived(clients[0], kit, clock)
    answers = await asyncio.gather(*(life.erase(clients[number % 2]) for number in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert [answer.headers.get("idempotent-replay") for answer in answers].count(None) == 1
    await sound(kit)


async def test_coming_back_at_once_from_two_phones_makes_one_account(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    life = await lived(clients[0], kit, clock)
    await life.erase()
    back = [await signed_in(clients[number], kit, f"back-{number}") for number in range(2)]
    answers = await asyncio.gather(
        *(
            clients[number].put("/issuance/v1/me/identity", json=life.identity, headers=person.headers)
            for number, (person, _) in enumerate(back)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    winner = next(number for number, answer in enumerate(answers) if answer.status_code == 200)
    person = await bound(clients[0], kit, back[winner][0], life.identity)
    assert person.address == life.hands.person.address
    await give_chances(kit, person, life.campaign)
    await sound(kit)
