"""A bureau where every text that anybody may type begins as a formula does, down to write-offs and cases."""

import secrets
from dataclasses import dataclass

import httpx

from services.issuance.wiring import build as build_issuance
from services.issuance.worker import parts as issuance_parts
from shared.clock import CHINA, ManualClock, local_day, rfc3339
from shared.identity.staff import Role
from shared.kit import Kit
from shared.vouchers import catalogue
from tests.support import quota
from tests.support.campaigns import definition, publish_campaign
from tests.support.cases import Scene
from tests.support.drain import drain
from tests.support.people import signed_in_staff
from tests.support.settlements import Books, books
from tests.support.tills import ALL_TYPES, Bureau
from tests.support.vouchers import held_vouchers

# Without a comma: it is a cell of a CSV as it stands.
PLANTED = '=HYPERLINK("http://example.invalid")'


@dataclass(frozen=True, slots=True)
class Planted:
    """By what addresses ask for; settlements in the order in which they were made."""

    campaign: str
    programme: str
    hospital_id: str
    case_id: str
    settlements: tuple[str, ...]
    reconciliation_id: str
    job_id: str


async def plant(client: httpx.AsyncClient, kit: Kit, clock: ManualClock) -> Planted:
    programme, hospital_id = await _programme(client, kit)
    names = [{**one, "name": PLANTED} for one in definition(kit.clock.now())["voucher_types"]]
    payers = [{**one, "name": PLANTED} for one in definition(kit.clock.now())["funding_sources"]]
    campaign = await publish_campaign(kit, title=PLANTED, voucher_types=names, funding_sources=payers)
    desk = await books(kit, Bureau(client, kit, await signed_in_staff(kit, Role.OPERATOR)))
    async with kit.database.snapshot() as tx:
        found = await catalogue.campaign_by_slug(tx, campaign.slug)
    named = {"name": f"{PLANTED}{secrets.token_hex(2)}", "address": PLANTED, "county": PLANTED}
    institution = await desk.bureau.institution(found, accepts=ALL_TYPES, **named)
    label = {"label": PLANTED}
    (await desk.bureau.post(f"/institutions/{institution}/terminals", label)).raise_for_status()
    till = await desk.bureau.till(institution)
    scene = Scene(kit, clock, desk.bureau, found, institution, till)
    # What the case holds back is told by the settlements after it.
    case_id = await _case(scene)
    settlements = await _settled(scene, desk)
    return Planted(
        campaign=campaign.slug,
        programme=programme,
        hospital_id=hospital_id,
        case_id=case_id,
        settlements=settlements,
        reconciliation_id=await _reconciled(scene),
        job_id=await _job(client, kit, campaign.slug, desk.bureau.headers),
    )


async def _programme(client: httpx.AsyncClient, kit: Kit) -> tuple[str, str]:
    """A hospital of it has appealed, and been answered."""
    bureau = await quota.bureau_of(client, kit)
    name = f"{PLANTED}{secrets.token_hex(2)}"
    made = await bureau.programme(
        f"planted-{secrets.token_hex(4)}", (PLANTED, name, 60), ("", "乙", 40), total=100, title=PLANTED
    )
    hospital_id = made.id(name)
    await made.send(quota.issued(made, name, 1, 1, "2020-08-10"))
    own = await signed_in_staff(kit, Role.HOSPITAL, hospital_id=hospital_id)
    appeal = await bureau.post(f"{made.path}/events/e-1/appeals", {"reason": PLANTED}, headers=own)
    answer = {"status": "rejected", "answer": PLANTED}
    await bureau.post(f"{made.path}/appeals/{appeal['id']}/answer", answer, status=200)
    named = {"kind": "department", "label": PLANTED}
    await bureau.post(f"hospitals/{hospital_id}/codes", named)
    link = {"label": PLANTED, "valid_days": 1}
    made_link = await client.post("/console/v1/screen-links", json=link, headers=bureau.admin)
    made_link.raise_for_status()
    return made.slug, hospital_id


async def _settled(scene: Scene, desk: Books) -> tuple[str, ...]:
    """One settlement of a write-off, and one that takes it back beside another, whose own waits."""
    day = local_day(scene.clock.now(), "Asia/Shanghai").isoformat()
    made: list[str] = []
    for voucher in await held_vouchers(scene.kit, scene.campaign, "checkup", 2):
        done = await scene.till.redeem(voucher.code)
        await desk.settle(scene.campaign, day, day)
        newest = (await desk.of(scene.institution))[0]
        await desk.confirm(newest)
        if made:
            await desk.bureau.post(f"/redemptions/{done.id}/corrections", {"reason": PLANTED})
        else:
            await desk.correct(done.id, PLANTED)
        made.append(str(newest["id"]))
    return tuple(made)


async def _case(scene: Scene) -> str:
    """Decided, opened again, and decided for good: its write-offs are held back."""
    await scene.write_off()
    await scene.work()
    case = await scene.case()
    (await scene.decide(case, "watch", note=PLANTED)).raise_for_status()
    path = f"/risk/cases/{case['id']}/reopen"
    (await scene.staff.post(path, {"reason": PLANTED})).raise_for_status()
    (await scene.decide(case, "hold_settlement", note=PLANTED)).raise_for_status()
    return str(case["id"])


async def _reconciled(scene: Scene) -> str:
    """A list of which every column says it, and a line that differs from ours by its kind."""
    (voucher,) = await held_vouchers(scene.kit, scene.campaign, "fitness")
    done = await scene.till.redeem(voucher.code)
    day = local_day(scene.clock.now(), "Asia/Shanghai").isoformat()
    lines = (
        "request_no,voucher_type,applied_fen,redeemed_at",
        f"{done.request_no},{PLANTED},5000,{rfc3339(done.redeemed_at.astimezone(CHINA))}",
        f"{PLANTED},{PLANTED},5000,",
        ",".join([PLANTED] * 4),
    )
    answer = await scene.staff.http.post(
        "/redemption/v1/reconciliations",
        files={"file": ("list.csv", "\n".join(lines).encode())},
        data={"institution_id": scene.institution, "from": day, "to": day},
        headers=scene.staff.headers,
    )
    answer.raise_for_status()
    return str(answer.json()["id"])


async def _job(client: httpx.AsyncClient, kit: Kit, slug: str, headers: dict[str, str]) -> str:
    """Questions of which one is taken in at once, and a long file whose faults a job tells."""
    head = "题目,选项A,选项B,答案,解析,难度,类别\n"
    sound = f"{PLANTED},{PLANTED},否,A,{PLANTED},1,{PLANTED}\n"
    url = f"/issuance/v1/campaigns/{slug}/questions/import"
    taken = await client.post(url, files={"file": ("q.csv", (head + sound).encode())}, headers=headers)
    taken.raise_for_status()
    faulty = (head + ",".join([PLANTED] * 7) + "\n").encode()
    query = {"background": "true"}
    asked = await client.post(url, params=query, files={"file": ("q.csv", faulty)}, headers=headers)
    asked.raise_for_status()
    job_id: str = asked.json()["job_id"]
    await drain(kit, issuance_parts(build_issuance(kit)))
    job = (await client.get(f"/issuance/v1/jobs/{job_id}", headers=headers)).json()
    assert job["result"]["errors"], job
    return job_id
