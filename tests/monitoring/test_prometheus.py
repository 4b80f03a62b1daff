"""A real Prometheus scrapes the services; every query of alerts and dashboards is run and tells something."""

import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from deploy.local.asgi import OneOrigin
from services.console.app import create_app as console
from services.console.wiring import build as build_console
from services.console.worker import parts as console_parts
from services.issuance.app import create_app as issuance
from services.quota.app import create_app as quota
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock, machine_now
from shared.jobs.awaited import AwaitedJobs
from shared.jobs.kinds import Kind, Queue
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import open_campaign
from tests.support.citizens import Hands, fill_bank, new_person
from tests.support.drain import drain
from tests.support.http import listening
from tests.support.launched import eventually
from tests.support.monitoring import (
    DASHBOARDS,
    PROMETHEUS,
    Prometheus,
    alerts,
    chosen,
    names_in,
    panel_expressions,
    program,
    prometheus,
    values_expression,
    variable_queries,
)
from tests.support.quota import bureau_of, many

pytestmark = pytest.mark.monitoring

JOBS = {"hv-issuance", "hv-redemption", "hv-quota", "hv-console"}
# A rate needs two scrapes; a third shows that it goes on.
SCRAPES = 3
SCRAPED_WITHIN_SECONDS = 60.0
_TROUBLE = """
    INSERT INTO core.outbox (bucket, id, queue, kind, payload, state, next_at, created_at)
    VALUES (0, gen_random_uuid(), 'issuance', 'issuance.notice_due', '{}', 'dead', :now, :now);
    INSERT INTO core.job (id, kind, state, arguments, created_at, finished_at)
    VALUES (gen_random_uuid(), 'redemption.settlement_requested', 'failed', '{}', :clock, :clock);
    INSERT INTO core.worker (queue, seen_at) VALUES ('quota', :now);
    INSERT INTO core.schedule (name, next_at) VALUES ('core.fold_tallies', :now)
"""


async def lived(address: str, kit: Kit, clock: ManualClock) -> None:
    """A voucher is claimed, cards are counted, the invariants are recomputed, and a little goes wrong."""
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        campaign = await open_campaign(kit, clock, odds=1, stock={"fitness": 5})
        await fill_bank(kit, campaign)
        winner = Hands(client, await new_person(kit))
        await winner.pass_quiz(campaign.slug)
        claimed = await winner.claim(await winner.win(campaign.slug), "fitness")
        assert claimed.status_code == 201, claimed.text
        bureau = await bureau_of(client, kit)
        programme = await bureau.programme(f"watched-{secrets.token_hex(4)}", total=1000)
        await programme.send(*many(programme, "甲", 4, "2020-10-20"))
        await client.get(f"/quota/v1/s/{programme.scene('甲')}")
    async with kit.database.transaction() as tx:
        await AwaitedJobs(kit, Queue.CONSOLE).request_once(tx, Kind.INTEGRITY_WANTED, {})
        for statement in _TROUBLE.split(";"):
            values = {"now": machine_now(), "clock": kit.clock.now()}
            await tx.execute(
                text(statement), {key: at for key, at in values.items() if f":{key}" in statement}
            )
    await drain(kit, console_parts(build_console(kit)))


def configured(folder: Path, address: str, token: str) -> None:
    """The configuration that operators are given, at this address and in a hurry."""
    given = (PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8")
    for old, new in (
        ("127.0.0.1:8000", address.removeprefix("http://")),
        ("_interval: 15s", "_interval: 1s"),
        ("scrape_timeout: 10s", "scrape_timeout: 1s"),
    ):
        assert old in given
        given = given.replace(old, new)
    (folder / "prometheus.yml").write_text(given, encoding="utf-8")
    shutil.copy(PROMETHEUS / "alerts.yml", folder)
    (folder / "hv-metrics-token").write_text(f"{token}\n", encoding="utf-8")


async def _scraped(running: Prometheus) -> bool:
    return len(await running.value(f"sum_over_time(up[1m]) >= {SCRAPES}")) == len(JOBS)


async def _judged(running: Prometheus) -> dict[str, Any]:
    """The alerts by name; none while one has not been judged yet."""
    groups = (await running.get("rules"))["groups"]
    rules = {rule["name"]: rule for group in groups for rule in group["rules"]}
    return rules if all(rule["health"] != "unknown" for rule in rules.values()) else {}


@pytest.fixture(scope="module")
async def watched(
    settings: Settings, clock: ManualClock, kit: Kit, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Prometheus]:
    program("prometheus")
    makers = {"issuance": issuance, "redemption": redemption, "quota": quota, "console": console}
    apps = {name: make(settings, clock=clock) for name, make in makers.items()}
    folder = tmp_path_factory.mktemp("prometheus")
    assert settings.metrics_token is not None
    async with listening(OneOrigin(apps, rest="console")) as address:
        await lived(address, kit, clock)
        configured(folder, address, settings.metrics_token.get_secret_value())
        async with prometheus(folder) as running:
            await eventually(partial(_scraped, running), SCRAPED_WITHIN_SECONDS)
            yield running


async def test_every_service_is_scraped(watched: Prometheus) -> None:
    targets = (await watched.get("targets"))["activeTargets"]
    assert {target["labels"]["job"] for target in targets} == JOBS
    assert [target["lastError"] for target in targets if target["health"] != "up"] == []


async def test_every_alert_can_be_judged(watched: Prometheus) -> None:
    await eventually(partial(_judged, watched), SCRAPED_WITHIN_SECONDS)
    rules = await _judged(watched)
    assert rules.keys() == {rule["alert"] for rule in alerts()}
    assert {name: rule.get("lastError") for name, rule in rules.items() if rule["health"] != "ok"} == {}
    silent = {"ServiceNotScraped", "ServerErrors", "IntegrityOld", "DrawOddsDrift", "OutboxDead"}
    assert {rules[name]["state"] for name in silent} == {"inactive"}
    assert rules["SettlementFailed"]["state"] == "firing"
    assert rules["NoticesDead"]["state"] == "pending"


async def test_what_alerts_read_is_there(watched: Prometheus) -> None:
    names = {name for rule in alerts() for name in names_in(rule["expr"])}
    assert [name for name in sorted(names) if not await watched.value(name)] == []
    for rule in alerts():
        await watched.value(rule["expr"])


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
async def test_every_query_of_a_dashboard_tells_something(watched: Prometheus, path: Path) -> None:
    queries = [(title, chosen(expression)) for title, expression in panel_expressions(path)]
    queries += [(query, values_expression(query)) for query in variable_queries(path)]
    empty = [(title, query) for title, query in queries if not await watched.value(query)]
    assert empty == []


async def test_a_sum_over_services_counts_no_request_twice(watched: Prometheus) -> None:
    """All services tell their timings from the same processes here."""
    owners = await watched.value("count by (job, service) (hv_http_request_duration_seconds_count)")
    assert {(one["metric"]["job"], one["metric"]["service"]) for one in owners} == {
        (job, job.removeprefix("hv-")) for job in JOBS
    }


@pytest.mark.parametrize(
    "check",
    [
        ["check", "config", "--syntax-only", "prometheus.yml"],
        ["check", "rules", "alerts.yml"],
        ["test", "rules", "alerts_test.yml"],
    ],
    ids=lambda check: "-".join(check[:2]),
)
def test_promtool_agrees(check: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 - Debian's promtool with fixed arguments
        [program("promtool"), *check], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
