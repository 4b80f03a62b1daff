"""Two decisions, two scans or two freezes at one moment: one wins, and it happens once."""

import asyncio
import secrets
from collections import Counter
from datetime import timedelta

from sqlalchemy import text

from services.redemption.wiring import build
from services.redemption.worker import parts
from shared.clock import ManualClock
from shared.identity.staff import Role
from tests.race.redemption.conftest import Town
from tests.support.drain import drain
from tests.support.people import signed_in_staff
from tests.support.vouchers import held_vouchers, published

MANY = 12


async def burst(town: Town, clock: ManualClock) -> tuple[str, str]:
    """An institution of its own that writes off what was just issued, counted; (campaign, institution)."""
    campaign = await published(town.kit, f"case-{secrets.token_hex(4)}")
    institution = await town.staff.institution(campaign)
    till = await town.staff.till(institution)
    for place, voucher in enumerate(await held_vouchers(town.kit, campaign, "general_50", MANY)):
        await till.redeem(voucher.code, 6_001 + 37 * place)
    await drain(town.kit, parts(build(town.kit)))
    clock.advance(minutes=2)
    return campaign.slug, institution


async def scan(town: Town) -> None:
    signals = build(town.kit).signals
    while await signals.scan():
        pass


async def count(town: Town, statement: str, institution: str) -> int:
    async with town.kit.database.snapshot() as tx:
        return int((await tx.execute(text(statement), {"institution": institution})).scalar_one())


async def test_many_scans_open_one_case_with_each_write_off_once(town: Town, clock: ManualClock) -> None:
    _, institution = await burst(town, clock)
    await asyncio.gather(*(scan(town) for _ in range(4)))
    cases = "SELECT count(*) FROM redemption.risk_case WHERE institution_id = :institution"
    items = (
        "SELECT count(*) FROM redemption.risk_case_item i JOIN redemption.risk_case k ON k.id = i.case_id"
        " WHERE k.institution_id = :institution"
    )
    assert (await count(town, cases, institution), await count(town, items, institution)) == (1, MANY)


async def test_of_many_decisions_one_wins_and_holds_once(town: Town, clock: ManualClock) -> None:
    slug, institution = await burst(town, clock)
    await scan(town)
    (case,) = (await town.staff.get("/risk/cases", campaign=slug)).json()["items"]
    path = f"/redemption/v1/risk/cases/{case['id']}/decide"
    clerks = [town.staff.headers, await signed_in_staff(town.kit, Role.OPERATOR)]
    answers = await asyncio.gather(
        *(
            town.apps[place % 2].post(
                path,
                json={"decision": ("hold_settlement", "dismiss")[place // 2 % 2], "note": "x"},
                headers=clerks[place % 2],
            )
            for place in range(12)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 11}
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"already_decided"}
    holds = "SELECT count(*) FROM redemption.settlement_hold WHERE institution_id = :institution"
    assert await count(town, holds, institution) == won["held"]
    assert won["held"] == (MANY if won["decision"] == "hold_settlement" else 0)


async def test_the_same_decision_sent_at_once_is_one(town: Town, clock: ManualClock) -> None:
    slug, institution = await burst(town, clock)
    await scan(town)
    (case,) = (await town.staff.get("/risk/cases", campaign=slug)).json()["items"]
    path, body = (
        f"/redemption/v1/risk/cases/{case['id']}/decide",
        {"decision": "hold_settlement", "note": "x", "request_no": secrets.token_hex(4)},
    )
    answers = await asyncio.gather(
        *(town.apps[place % 2].post(path, json=body, headers=town.staff.headers) for place in range(8))
    )
    assert {answer.status_code for answer in answers} == {200}
    assert sum("Idempotent-Replay" in answer.headers for answer in answers) == 7
    assert len({answer.text for answer in answers}) == 1
    holds = "SELECT count(*) FROM redemption.settlement_hold WHERE institution_id = :institution"
    assert await count(town, holds, institution) == MANY


async def test_of_many_who_take_a_decision_back_one_does_and_its_holds_end_once(
    town: Town, clock: ManualClock
) -> None:
    slug, institution = await burst(town, clock)
    await scan(town)
    (case,) = (await town.staff.get("/risk/cases", campaign=slug)).json()["items"]
    path = f"/redemption/v1/risk/cases/{case['id']}"
    held = await town.staff.post(
        f"/risk/cases/{case['id']}/decide", {"decision": "hold_settlement", "note": "x"}
    )
    assert held.json()["held"] == MANY
    answers = await asyncio.gather(
        *(
            town.apps[place % 2].post(
                f"{path}/{('reopen', 'release')[place // 2 % 2]}",
                json={"reason": "x"},
                headers=town.staff.headers,
            )
            for place in range(12)
        )
    )
    assert sum(answer.json().get("released", 0) for answer in answers) == MANY
    reopened = [answer for answer in answers if answer.json().get("status") == "open"]
    assert len(reopened) == 1
    codes = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert codes <= {"case_open", "no_open_holds"}
    still = (
        "SELECT count(*) FROM redemption.settlement_hold"
        " WHERE institution_id = :institution AND released_at IS NULL"
    )
    assert await count(town, still, institution) == 0
    acted = (
        "SELECT count(*) FROM redemption.risk_case_action a JOIN redemption.risk_case k ON k.id = a.case_id"
        " WHERE k.institution_id = :institution"
    )
    assert await count(town, acted, institution) == 1 + sum(answer.status_code == 200 for answer in answers)


async def test_of_two_freezes_of_a_month_one_makes_the_edition(town: Town, clock: ManualClock) -> None:
    slug, institution = await burst(town, clock)
    month = f"{clock.now():%Y-%m}"
    clock.set(clock.now().replace(day=1, hour=12) + timedelta(days=35))
    body = {"campaign": slug, "month": month}
    proposed = [(await town.staff.post("/rankings/freeze", body)).json()["change_id"] for _ in range(6)]
    other = await signed_in_staff(town.kit, Role.OPERATOR)
    answers = await asyncio.gather(
        *(
            town.apps[place % 2].post(f"/redemption/v1/changes/{one}/approve", json={}, headers=other)
            for place, one in enumerate(proposed)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 5}
    lines = "SELECT count(*) FROM redemption.ranking_item WHERE institution_id = :institution"
    assert await count(town, lines, institution) == 1
