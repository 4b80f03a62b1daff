"""Hourly roots: they appear while a phase runs, cover every draw, and tell when the log is not as it was."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from structlog.testing import capture_logs
from typer.testing import CliRunner

from deploy.commands.verify_draws import app as hv
from deploy.verify_draws import findings
from services.issuance.drawlog import operations
from services.issuance.drawlog.rules import due_seals, first_head, next_head
from services.issuance.wiring import Wiring, build
from services.issuance.worker import parts
from shared.clock import CHINA, ManualClock
from shared.errors import InvariantBroken
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign, publish_campaign
from tests.support.citizens import Hands, give_chances, new_person

pytestmark = pytest.mark.usefixtures("clock_returns")
LIMITS = {"draws_per_day": 100, "vouchers_per_phase": 100}


@pytest.fixture
def wiring(kit: Kit) -> Wiring:
    return build(kit)


async def drawn(client: httpx.AsyncClient, kit: Kit, campaign: Published, *client_seeds: str) -> None:
    hands = Hands(client, await new_person(kit))
    await give_chances(kit, hands.person, campaign, len(client_seeds))
    for client_seed in client_seeds:
        answer = await hands.draw(campaign.slug, client_seed=client_seed)
        assert answer.status_code == 201, answer.text


async def audit_of(client: httpx.AsyncClient, campaign: Published) -> dict[str, Any]:
    audit: dict[str, Any] = (await client.get(f"/issuance/v1/campaigns/{campaign.slug}/draw-audit")).json()
    return audit


async def log_of(client: httpx.AsyncClient, campaign: Published) -> list[bytes]:
    answer = await client.get(f"/issuance/v1/campaigns/{campaign.slug}/phases/1/draw-log")
    assert answer.status_code == 200, answer.text
    return answer.content.splitlines(keepends=True)


def sealed(audit: dict[str, Any]) -> list[tuple[str, int]]:
    return [(root["at"], root["draws"]) for root in audit["phases"][0]["log_roots"]]


async def run(kit: Kit, sql: str, **values: object) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(text(sql), values)


def minutes(campaign: Published, count: float) -> datetime:
    return campaign.opens_at + timedelta(minutes=count)


async def test_roots_appear_while_the_phase_runs_and_anybody_can_recompute_them_after_it(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, wiring: Wiring
) -> None:
    """From 10:00 to 12:30: two full hours, and the last half of one at the close."""
    campaign = await open_campaign(kit, clock, odds="0.5", limits=LIMITS, lasts=timedelta(minutes=150))
    await wiring.draw_logs.publish()
    assert sealed(await audit_of(client, campaign)) == []
    await drawn(client, kit, campaign, "", "红河/州", 'a"b\\c')
    clock.set(minutes(campaign, 60) + timedelta(seconds=9))
    await wiring.draw_logs.publish()
    assert sealed(await audit_of(client, campaign)) == []  # a draw may still be under way
    await drawn(client, kit, campaign, "after the hour")
    clock.advance(seconds=1)
    await wiring.draw_logs.publish()
    running = await audit_of(client, campaign)
    assert sealed(running) == [("2020-10-31T11:00:00+08:00", 3)]
    assert (running["phases"][0]["draws"], running["phases"][0]["seed"]) == (4, None)
    assert running["phases"][0]["log_roots"][0]["sealed_at"] == "2020-10-31T11:00:10+08:00"

    clock.set(minutes(campaign, 140))
    await drawn(client, kit, campaign, "last")
    clock.set(minutes(campaign, 151))
    audit, lines = await audit_of(client, campaign), await log_of(client, campaign)
    assert sealed(audit) == [
        ("2020-10-31T11:00:00+08:00", 3), ("2020-10-31T12:00:00+08:00", 4), ("2020-10-31T12:30:00+08:00", 5)
    ]  # fmt: skip
    assert audit["phases"][0]["log_roots"][0] == running["phases"][0]["log_roots"][0]
    assert list(findings(lines, [running, audit])) == []
    assert len(list(findings([*lines[:2], lines[3], lines[2], *lines[4:]], [running]))) == 1
    assert [json.loads(line)["client_seed"] for line in lines[1:]][3:] == ["after the hour", "last"]


async def test_the_chain_is_the_documented_one(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "CHAIN_PAGE", 2)
    monkeypatch.setattr(operations, "LOG_PAGE", 3)
    campaign = await open_campaign(kit, clock, odds="0.5", limits=LIMITS, lasts=timedelta(minutes=30))
    await drawn(client, kit, campaign, *"abcdefg")
    clock.set(minutes(campaign, 31))
    audit, lines = await audit_of(client, campaign), await log_of(client, campaign)
    head = first_head(campaign.slug, 1, audit["phases"][0]["seed_commitment"])
    for line in lines[1:]:
        head = next_head(head, line.removesuffix(b"\n"))
    assert audit["phases"][0]["log_roots"][-1]["root"] == head.hex()


async def test_a_worker_seals_and_what_was_not_sealed_in_time_is_made_up_for(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, wiring: Wiring
) -> None:
    [job] = [each for each in parts(wiring).periodics if each.name == "issuance.publish_draws"]
    campaign = await open_campaign(kit, clock, odds="0.5", limits=LIMITS)
    await drawn(client, kit, campaign, "1", "2")
    clock.set(minutes(campaign, 200))
    await drawn(client, kit, campaign, "3")
    clock.set(minutes(campaign, 301))
    await job.run()
    first = await audit_of(client, campaign)
    assert [draws for _, draws in sealed(first)] == [2, 2, 2, 3, 3]
    await job.run()
    await build(kit).draw_logs.publish()
    assert await audit_of(client, campaign) == first


async def test_a_draw_with_a_late_clock_goes_to_the_hour_that_is_not_sealed_yet(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, wiring: Wiring
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.5", limits=LIMITS)
    await drawn(client, kit, campaign, "in time")
    clock.set(minutes(campaign, 61))
    await wiring.draw_logs.publish()
    clock.set(minutes(campaign, 59))
    await drawn(client, kit, campaign, "late")
    async with kit.database.snapshot() as tx:
        found = await tx.execute(
            text("SELECT drawn_at FROM issuance.draw WHERE phase_id = :id AND client_seed = 'late'"),
            {"id": campaign.phases[0]},
        )
        assert found.scalar_one() == minutes(campaign, 60)
    clock.set(minutes(campaign, 121))
    await wiring.draw_logs.publish()
    assert [draws for _, draws in sealed(await audit_of(client, campaign))] == [1, 2]


async def test_a_phase_whose_log_is_sealed_to_its_end_draws_no_more(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, wiring: Wiring
) -> None:
    campaign = await open_campaign(kit, clock, lasts=timedelta(minutes=30))
    hands = Hands(client, await new_person(kit))
    await give_chances(kit, hands.person, campaign)
    clock.set(minutes(campaign, 31))
    await wiring.draw_logs.seal()
    clock.set(minutes(campaign, 29))
    assert (await hands.draw(campaign.slug)).json()["code"] == "phase_not_open"


SLIP_IN = (
    "INSERT INTO issuance.draw SELECT bucket, gen_random_uuid(), campaign_id, phase_id, person_id,"
    " gen_random_uuid(), channel, 'slipped in', odds_version_id, value, won, drawn_at, day, day_no + 50"
    " FROM issuance.draw WHERE phase_id = :id AND client_seed = 'a'"
)


@pytest.mark.parametrize(
    "change", [SLIP_IN, "DELETE FROM issuance.draw WHERE phase_id = :id AND client_seed = 'a'"]
)
async def test_a_draw_that_appears_or_goes_later_is_told_loudly(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, wiring: Wiring, change: str
) -> None:
    campaign = await open_campaign(kit, clock, limits=LIMITS, lasts=timedelta(minutes=90))
    await drawn(client, kit, campaign, "a", "b")
    clock.set(minutes(campaign, 61))
    await wiring.draw_logs.publish()
    await run(kit, change, id=campaign.phases[0])
    clock.set(minutes(campaign, 95))
    with capture_logs() as logged, pytest.raises(InvariantBroken):
        await wiring.draw_logs.publish()
    [told] = [entry for entry in logged if entry["log_level"] == "error"]
    assert (told["event"], told["sealed"]) == ("Draw log is not as it was sealed", 2)
    # Everybody may see what is wrong: the seed is public, and no root says that all is well.
    audit = await audit_of(client, campaign)
    assert audit["phases"][0]["seed"] is not None
    assert len(audit["phases"][0]["log_roots"]) == 1
    assert list(findings(await log_of(client, campaign), [audit]))
    await run(kit, "DELETE FROM issuance.draw_log_root WHERE phase_id = :id", id=campaign.phases[0])


async def test_a_broken_log_keeps_no_other_phase_from_being_sealed(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, wiring: Wiring
) -> None:
    one = await publish_campaign(kit, limits=LIMITS, lasts=timedelta(minutes=90))
    other = await open_campaign(kit, clock, limits=LIMITS, lasts=timedelta(minutes=90))
    for campaign in (one, other):
        await drawn(client, kit, campaign, "a")
    clock.set(minutes(other, 61))
    await wiring.draw_logs.publish()
    await run(kit, "DELETE FROM issuance.draw WHERE phase_id = :id", id=one.phases[0])
    clock.set(minutes(other, 95))
    with pytest.raises(InvariantBroken):
        await wiring.draw_logs.publish()
    assert [draws for _, draws in sealed(await audit_of(client, other))] == [1, 1]
    await run(kit, "DELETE FROM issuance.draw_log_root WHERE phase_id = :id", id=one.phases[0])


async def test_roots_are_append_only(kit: Kit, clock: ManualClock, wiring: Wiring) -> None:
    await open_campaign(kit, clock, lasts=timedelta(minutes=30))
    clock.advance(hours=1)
    await wiring.draw_logs.publish()
    for change in ("UPDATE issuance.draw_log_root SET draws = 7", "DELETE FROM issuance.draw_log_root"):
        with pytest.raises(Exception, match="append-only"):
            async with kit.database.transaction() as tx:
                await tx.execute(text(change))


@pytest.fixture
def verify(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    def call(log: bytes, audit: object | None, *options: str) -> tuple[int, str]:
        (tmp_path / "log.jsonl").write_bytes(log)
        arguments = [str(tmp_path / "log.jsonl"), *options]
        if audit is not None:
            (tmp_path / "audit.json").write_text(json.dumps(audit), encoding="utf-8")
            arguments += ["--audit", str(tmp_path / "audit.json")]
        done = CliRunner().invoke(hv, arguments)
        return done.exit_code, done.output

    return call


async def test_the_command_line_compares_a_log_with_its_audit(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, verify: Callable[..., tuple[int, str]]
) -> None:
    campaign = await open_campaign(kit, clock, limits=LIMITS, lasts=timedelta(minutes=30))
    await drawn(client, kit, campaign, "a", "b")
    clock.set(minutes(campaign, 31))
    audit, lines = await audit_of(client, campaign), await log_of(client, campaign)
    log = b"".join(lines)
    assert verify(log, audit) == (0, "every draw is as published\n")
    code, told = verify(log, None)
    assert code == 0
    assert "no --audit was given" in told
    code, told = verify(b"".join(lines[:-1]), audit, "--json")
    assert code == 1
    assert json.loads(told) == {
        "ok": False, "audits": 1, "findings": ["the log has 1 draws, the audit tells of 2"]
    }  # fmt: skip
    assert verify(log, {"no": "audit"})[0] == 2


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 200_000),
    st.timedeltas(timedelta(seconds=1), timedelta(days=2)),
    st.timedeltas(timedelta(0), timedelta(days=3)),
)
def test_seals_are_due_at_full_hours_and_at_the_close(
    opens: int, lasts: timedelta, passed: timedelta
) -> None:
    opens_at = datetime.fromtimestamp(1_600_000_000 + opens, tz=CHINA)
    closes_at, now = opens_at + lasts, opens_at + passed
    all_of_them = list(due_seals(opens_at, closes_at, sealed_until=None, now=closes_at + timedelta(days=1)))
    assert all_of_them[-1] == closes_at
    assert all(at.timestamp() % 3600 == 0 for at in all_of_them[:-1])
    assert all(
        0 < (b - a).total_seconds() <= 3600
        for a, b in zip([opens_at, *all_of_them], all_of_them, strict=False)
    )
    due = list(due_seals(opens_at, closes_at, sealed_until=None, now=now))
    assert due == [at for at in all_of_them if at <= now - timedelta(seconds=10)]
    if due:
        assert list(due_seals(opens_at, closes_at, sealed_until=due[-1], now=now)) == []


async def test_a_line_of_the_log_is_json_of_what_was_drawn(kit: Kit) -> None:
    seeds = ["", "c1", "红河/州 🎲", 'a"b\\c/', "\u2028\u2029\u00ad\ufeff", "<&>'", "x" * 64]
    async with kit.database.snapshot() as tx:
        for seed in seeds:
            for odds_ppm, odds in ((1, "0.000001"), (200_000, "0.2"), (123_450, "0.12345"), (1_000_000, "1")):
                row = await tx.execute(
                    text(
                        "SELECT issuance.draw_log_line(CAST(33 AS smallint), CAST(:id AS uuid), :seed, :odds,"
                        " sha256('x'), :won)"
                    ),
                    {
                        "id": "0123456789abcdef0123456789abcdef",
                        "seed": seed,
                        "odds": odds_ppm,
                        "won": odds == "1",
                    },
                )
                line = row.scalar_one()
                told = {
                    "chance_id": "110123456789abcdef0123456789abcdef",
                    "client_seed": seed,
                    "odds": odds,
                    "value": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
                    "won": odds == "1",
                }
                assert line == json.dumps(told, ensure_ascii=False, separators=(",", ":"))
