"""A day that cannot be judged holds up no other, is seen, tried again, and waits for staff in the end."""

import secrets
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from services.redemption.signals.operations import DaysFailed
from services.redemption.wiring import build
from services.redemption.worker import parts
from shared.identity.staff import Role
from shared.jobs.kinds import Kind
from shared.jobs.periodic import run_due
from tests.support.cases import Scene
from tests.support.drain import drain
from tests.support.people import signed_in_staff
from tests.support.vouchers import held_vouchers

_BREAK = text("""
    UPDATE redemption.institution SET hours = CAST(:hours AS jsonb) WHERE id = :id
""")
_DUE = text("UPDATE core.outbox SET next_at = created_at WHERE kind = :kind AND state = 'ready'")
_LAST = text("UPDATE core.outbox SET attempt = 11 WHERE kind = :kind AND state = 'ready'")


async def set_hours(scene: Scene, hours: str | None) -> None:
    """Hours that no form lets in, as a repair by hand may leave them."""
    async with scene.kit.database.transaction() as tx:
        await tx.execute(_BREAK, {"hours": hours, "id": scene.institution})


async def told(scene: Scene, statement: Any) -> None:  # noqa: ANN401 - a statement
    async with scene.kit.database.transaction() as tx:
        await tx.execute(statement, {"kind": Kind.RISK_DAY_DEFERRED})


async def deferred(scene: Scene) -> float:
    answer = await scene.staff.http.get("/redemption/metrics", headers=scene.staff.headers)
    (found,) = [
        sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name == "hv_risk_days_deferred" and sample.labels["campaign"] == scene.campaign.slug
    ]
    return found


async def count(scene: Scene) -> None:
    """What was written off is counted, and its day may be judged."""
    await drain(scene.kit, parts(build(scene.kit)))
    scene.clock.advance(minutes=2)


async def broken_day(scene: Scene) -> str:
    """A burst here, where the hours are broken, and one at another institution, which is returned."""
    other = await scene.staff.institution(scene.campaign)
    till = await scene.staff.till(other)
    await scene.write_off()
    for place, voucher in enumerate(await held_vouchers(scene.kit, scene.campaign, "general_50", 9)):
        await till.redeem(voucher.code, 6_001 + 41 * place)
    await count(scene)
    await set_hours(scene, '{"mon": "always", "tue": 7, "wed": 7, "thu": 7, "fri": 7, "sat": 7, "sun": 7}')
    return other


async def test_other_days_are_judged_and_the_failed_one_later(scene: Scene) -> None:
    other = await broken_day(scene)
    with pytest.raises(DaysFailed, match="1 days wait"):
        await build(scene.kit).signals.scan()
    assert [case["institution_id"] for case in await scene.cases()] == [other]
    assert await deferred(scene) == 1
    # Scans leave it alone from now on; its job fails too, and is put back.
    assert await build(scene.kit).signals.scan() == 0
    assert await drain(scene.kit, parts(build(scene.kit))) == 0
    await set_hours(scene, None)
    await told(scene, _DUE)
    assert await drain(scene.kit, parts(build(scene.kit))) == 1
    assert {case["institution_id"] for case in await scene.cases()} == {other, scene.institution}
    assert await deferred(scene) == 0


async def test_the_report_of_the_periodic_work_says_so(scene: Scene) -> None:
    await broken_day(scene)
    (scan,) = [one for one in parts(build(scene.kit)).periodics if one.name == "redemption.risk_signals"]
    async with scene.kit.database.transaction() as tx:
        await tx.execute(text("DELETE FROM core.schedule WHERE name = :name"), {"name": scan.name})
    assert await run_due(scene.kit.database, scan)
    async with scene.kit.database.snapshot() as tx:
        error = await tx.execute(
            text("SELECT last_error FROM core.schedule WHERE name = :name"), {"name": scan.name}
        )
        assert str(error.scalar_one()).startswith("DaysFailed: 1 days wait")
    await set_hours(scene, None)
    await told(scene, _DUE)
    assert await drain(scene.kit, parts(build(scene.kit))) == 1


async def test_a_day_that_failed_too_often_waits_for_staff_who_have_it_tried_again(scene: Scene) -> None:
    other = await broken_day(scene)
    with pytest.raises(DaysFailed):
        await build(scene.kit).signals.scan()
    await told(scene, _LAST)
    await drain(scene.kit, parts(build(scene.kit)))
    page = (await scene.staff.get("/risk/dead-letters", limit="1")).json()
    (letter,) = page["items"]
    of_one = {
        one: (await scene.staff.get("/risk/dead-letters", institution_id=one)).json()
        for one in (scene.institution, other)
    }
    assert of_one[scene.institution]["items"] == [letter]
    assert {one: found["total"] for one, found in of_one.items()} == {scene.institution: 1, other: 0}
    assert of_one[other]["items"] == []
    assert (letter["institution_id"], letter["attempts"]) == (scene.institution, 12)
    assert page["next_cursor"] is None
    # Later write-offs of the day do not wake it, and it is not lost.
    await scene.write_off(2)
    await count(scene)
    assert await build(scene.kit).signals.scan() == 0
    path, number = f"/risk/dead-letters/{letter['id']}/retry", secrets.token_hex(4)
    await set_hours(scene, None)
    queued = await scene.staff.post(path, {"request_no": number})
    assert (queued.status_code, queued.json()["status"]) == (200, "queued")
    assert (await scene.staff.post(path, {"request_no": number})).json() == queued.json()
    assert (await scene.staff.post(path, {})).status_code == 404
    assert await drain(scene.kit, parts(build(scene.kit))) == 1
    (case,) = await scene.cases(institution_id=scene.institution)
    assert case["redemptions"] == 11
    auditor = await signed_in_staff(scene.kit, Role.AUDITOR)
    refused = await scene.staff.http.post(f"/redemption/v1{path}", json={}, headers=auditor)
    assert refused.status_code == 403
