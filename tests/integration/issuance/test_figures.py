"""The figures tell what was played: from roll-ups, exact at every instant, for dashboards and Prometheus."""

from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from services.issuance.wiring import build
from services.issuance.worker import parts
from shared.clock import ManualClock, local_day
from shared.identity.staff import Role
from shared.jobs.kinds import Kind, Queue
from shared.kit import Kit
from shared.metrics.jobs import fold_tallies
from shared.outbox import OutboxItem, add
from shared.settings import Settings
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, fill_bank, give_chances, new_person
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.people import signed_in_staff

METRICS, PROMETHEUS = "/issuance/v1/metrics", "/issuance/metrics"
TOKEN = {"Authorization": "Bearer metrics-token-of-the-tests"}


async def metrics(client: httpx.AsyncClient, campaign: Published) -> dict[str, Any]:
    answer = await client.get(METRICS, params={"campaign": campaign.slug}, headers=TOKEN)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def way(**counts: int) -> dict[str, int]:
    """A channel's line: what is not named is zero."""
    names = ("accepted", "rejected", "pending", "chances", "draws", "wins", "issued")
    line = dict.fromkeys(names, 0) | counts
    return {"submitted": line["accepted"] + line["rejected"] + line["pending"], **line}


async def samples(client: httpx.AsyncClient) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = await client.get(PROMETHEUS, headers=TOKEN)
    assert answer.status_code == 200
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture(scope="module")
async def played(client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk) -> Published:
    """One passes and wins and claims, one fails, one draws twice at odds that were changed in between."""
    campaign = await open_campaign(kit, clock, odds=1, phases=2, stock={"fitness": 5, "checkup": 2})
    await fill_bank(kit, campaign)
    winner = Hands(client, await new_person(kit))
    await winner.pass_quiz(campaign.slug)
    claimed = await winner.claim(await winner.win(campaign.slug), "fitness")
    assert claimed.status_code == 201, claimed.text
    loser = Hands(client, await new_person(kit))
    attempt = (await loser.start(campaign.slug)).json()
    await loser.submit(attempt["attempt_id"], {})
    lucky = Hands(client, await new_person(kit))
    await give_chances(kit, lucky.person, campaign, 2)
    await lucky.win(campaign.slug)
    clock.advance(hours=24)
    url = f"/issuance/v1/campaigns/{campaign.slug}/phases/1/odds"
    changed = await desk.propose(url, {"odds": "0.000001", "reason": "测试"})
    assert (await desk.approve(changed)).status_code == 200
    drawn = await lucky.draw(campaign.slug)
    assert drawn.json()["won"] is False, drawn.text
    return campaign


async def test_metrics_tell_what_was_played(
    client: httpx.AsyncClient, played: Published, clock: ManualClock
) -> None:
    found = await metrics(client, played)
    daily = found.pop("daily")
    assert found.pop("as_of").endswith("+08:00")
    assert found == {
        "attempts": 2,
        "passed": 1,
        "chances": 3,
        "draws": 3,
        "wins": 2,
        "vouchers_issued": 1,
        "issued_by_type": {"checkup": 0, "fitness": 1, "general_50": 0, "general_100": 0},
        "stock_remaining": {"checkup": 4, "fitness": 9},
        "awards_open": 1,
        "awards_on_hold": 0,
        "observed_odds": "0.666667",
        "announced_odds": "0.666667",
        "odds_drift_p": 1.0,
        "by_channel": {
            "quiz": way(accepted=1, rejected=1, chances=1, draws=1, wins=1, issued=1),
            "event": way(chances=2, draws=2, wins=1),
        },
        "shares_accepted": {},
        "leads_verified": {},
    }
    assert [(day["participants"], day["draws"], day["wins"], day["issued"]) for day in daily] == [
        (2, 2, 2, 1),
        (0, 1, 0, 0),
    ]
    assert daily[1]["date"] == local_day(clock.now(), "Asia/Shanghai").isoformat()


async def test_folding_changes_no_figure(client: httpx.AsyncClient, kit: Kit, played: Published) -> None:
    before = await metrics(client, played)
    await fold_tallies(kit.database).run()
    assert await metrics(client, played) == before
    async with kit.database.snapshot() as tx:
        deltas = await tx.execute(text("SELECT count(*) FROM core.tally_delta"))
        assert deltas.scalar_one() == 0


async def test_prometheus_tells_the_same_totals(client: httpx.AsyncClient, played: Published) -> None:
    found, slug = await samples(client), played.slug
    told: dict[tuple[str, tuple[str, ...]], float] = {
        ("hv_quiz_attempts_total", (slug, "true")): 1,
        ("hv_quiz_attempts_total", (slug, "false")): 1,
        ("hv_draws_total", (slug, "true")): 2,
        ("hv_draws_total", (slug, "false")): 1,
        **{
            ("hv_vouchers_issued_total", (slug, key)): float(key == "fitness")
            for key in ("checkup", "fitness", "general_50", "general_100")
        },
        ("hv_draw_odds_drift_p", (slug,)): 1,
        ("hv_draw_odds_alarm", (slug,)): 0,
        ("hv_awards_on_hold", (slug,)): 0,
        ("hv_stock_remaining", (slug, "1", "checkup")): 2,
        ("hv_stock_remaining", (slug, "1", "fitness")): 4,
        ("hv_stock_remaining", (slug, "2", "checkup")): 2,
        ("hv_stock_remaining", (slug, "2", "fitness")): 5,
        **{("hv_stock_put_in", (slug, seq, "checkup")): 2 for seq in ("1", "2")},
        **{("hv_stock_put_in", (slug, seq, "fitness")): 5 for seq in ("1", "2")},
        **{("hv_stock_claimable", (slug, seq, "checkup")): 2 for seq in ("1", "2")},
        ("hv_stock_claimable", (slug, "1", "fitness")): 4,
        ("hv_stock_claimable", (slug, "2", "fitness")): 5,
        ("hv_phase_open", (slug, "1")): 1,
        ("hv_phase_open", (slug, "2")): 0,
        ("hv_participations", (slug, "quiz", "accepted")): 1,
        ("hv_participations", (slug, "quiz", "rejected")): 1,
        ("hv_participations", (slug, "quiz", "pending")): 0,
        **{("hv_participations", (slug, "event", state)): 0 for state in ("accepted", "rejected", "pending")},
        ("hv_chances_total", (slug, "quiz")): 1,
        ("hv_chances_total", (slug, "event")): 2,
        ("hv_channel_draws_total", (slug, "quiz", "true")): 1,
        ("hv_channel_draws_total", (slug, "quiz", "false")): 0,
        ("hv_channel_draws_total", (slug, "event", "true")): 1,
        ("hv_channel_draws_total", (slug, "event", "false")): 1,
        ("hv_channel_vouchers_issued_total", (slug, "quiz")): 1,
        ("hv_channel_vouchers_issued_total", (slug, "event")): 0,
    }
    assert {key: value for key, value in found.items() if slug in key[1]} == told
    assert found["hv_outbox_pending", ()] >= 1
    assert found["hv_outbox_oldest_seconds", ()] >= 0
    assert any(name == "hv_http_request_duration_seconds_count" for name, _ in found)


async def test_unchanged_figures_are_answered_304(client: httpx.AsyncClient, played: Published) -> None:
    params = {"campaign": played.slug}
    first = await client.get(METRICS, params=params, headers=TOKEN)
    told = TOKEN | {"If-None-Match": first.headers["etag"]}
    assert (await client.get(METRICS, params=params, headers=told)).status_code == 304


async def test_without_a_campaign_all_are_added_up(client: httpx.AsyncClient, played: Published) -> None:
    everything = (await client.get(METRICS, headers=TOKEN)).json()
    assert everything["draws"] >= (await metrics(client, played))["draws"]


async def test_before_the_first_draw_the_odds_in_force_are_announced(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.25")
    found = await metrics(client, campaign)
    assert (found["announced_odds"], found["observed_odds"], found["odds_drift_p"]) == ("0.25", None, None)
    assert found["daily"] == []


async def test_figures_are_for_readers_and_the_metrics_token(
    client: httpx.AsyncClient, kit: Kit, settings: Settings
) -> None:
    assert settings.metrics_token is not None
    for path in (METRICS, PROMETHEUS):
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer wrong"}, 401),
            (TOKEN, 200),
            (await signed_in_staff(kit, Role.AUDITOR), 200),
            (await signed_in_staff(kit, Role.INSTITUTION, institution_id="i1"), 403),
        ):
            assert (await client.get(path, headers=headers)).status_code == status
    unknown = await client.get(METRICS, params={"campaign": "nowhere"}, headers=TOKEN)
    assert unknown.status_code == 404


async def test_every_issued_voucher_becomes_one_notice_however_often_the_job_runs(
    kit: Kit, played: Published
) -> None:
    wiring = build(kit)
    await drain(kit, parts(wiring))
    statement = text(
        "SELECT n.bucket, n.id, n.voucher_id, n.person_id, n.kind FROM issuance.notice n"
        " JOIN core.voucher v ON v.bucket = n.bucket AND v.id = n.voucher_id WHERE v.campaign_id = :id"
    )
    async with kit.database.snapshot() as tx:
        [notice] = (await tx.execute(statement, {"id": played.id})).all()
        [voucher] = (
            await tx.execute(
                text("SELECT core.hot_id_text(bucket, id) FROM core.voucher WHERE campaign_id = :id"),
                {"id": played.id},
            )
        ).scalars()
    assert notice.kind == "issued"
    again = OutboxItem(notice.bucket, notice.id, Kind.VOUCHER_ISSUED, {"voucher_id": voucher}, attempt=2)
    async with kit.database.transaction() as tx:
        await wiring.notices.record(tx, [again, again])
    # Used, given back and used again: the holder is told each time.
    for kind in (Kind.VOUCHER_REDEEMED, Kind.VOUCHER_RESTORED, Kind.VOUCHER_REDEEMED):
        async with kit.database.transaction() as tx:
            await add(tx, Queue.ISSUANCE, kind, {"voucher_id": voucher}, bucket=notice.bucket)
    await drain(kit, parts(wiring))
    async with kit.database.snapshot() as tx:
        kinds = [row.kind for row in await tx.execute(statement, {"id": played.id})]
    assert sorted(kinds) == ["issued", "redeemed", "redeemed", "restored"]
