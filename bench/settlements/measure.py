"""Settles a large campaign through the real job, and says how long it takes and what the worker holds.

The write-offs are made below HTTP; the settlement is asked for as a clerk asks, on a database that syncs
every commit, and the run ends with the integrity check.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.large.measure import Line, descendants
from bench.large.store import populating
from bench.scenarios.honghe_plan import shifted
from bench.settlements.store import writing_off
from bench.simulator.cashiers import activated
from bench.simulator.clerks import Clerks
from bench.simulator.platform import Platform
from shared.clock import machine_seconds
from shared.crypto import Keys

SLUG = "settled"
INSTITUTIONS = 90
_TYPES = ("general_50", "general_100")
_ATTEMPTS_EACH = 5
# About one person in ten passes no quiz in five; every other one has a voucher.
_PERSONS_PER_VOUCHER = 1.3
_JOB_LOOK_SECONDS = 0.2
_JOBS_PROCESS = "deploy.local.jobs"


@dataclass(slots=True)
class SettlementRun:
    platform: Platform
    clerks: Clerks
    keys: Keys
    database_url: str
    definition: dict[str, Any]
    questions: list[dict[str, Any]]
    say: Callable[[str], None]
    lines: list[Line] = field(default_factory=list)
    integrity_ok: bool = False

    async def run(self, write_offs: int) -> None:
        phase = await self._publish(write_offs)
        closes_at = datetime.fromisoformat(phase["closes_at"])
        await self._institutions()
        await self.clerks.move_clock(datetime.fromisoformat(phase["opens_at"]) + timedelta(minutes=1))
        await self._fill(write_offs)
        await self.clerks.move_clock(closes_at + timedelta(days=11))
        await self._write_off(write_offs, closes_at)
        await self._settle(closes_at)
        report = await self.clerks.integrity()
        self.integrity_ok = bool(report["ok"])
        self._note("integrity, every check", "ok" if self.integrity_ok else "BROKEN")
        for check in report["checks"]:
            if not check["ok"]:
                self._note(check["name"], str(check["detail"]))

    def as_json(self) -> dict[str, Any]:
        return {
            "integrity_ok": self.integrity_ok,
            "lines": [{"name": line.name, "figure": line.figure} for line in self.lines],
        }

    async def _publish(self, write_offs: int) -> dict[str, Any]:
        campaign = shifted(self.definition, await self.clerks.clock(), SLUG)
        first = campaign["phases"][0]
        first |= {"odds": 1, "stock": dict.fromkeys(_TYPES, 4 * write_offs)}
        first["quiz"] |= {"attempts_per_day": _ATTEMPTS_EACH, "pass_score": 60}
        limits = {"vouchers_per_phase": _ATTEMPTS_EACH, "draws_per_day": _ATTEMPTS_EACH}
        campaign |= {
            "phases": [first],
            "budget_fen": write_offs * 100_000,
            "per_person_limits": limits,
        }
        await self.clerks.load_campaign(campaign, self.questions)
        return dict(first)

    async def _institutions(self) -> None:
        """Each with a till of its own."""
        directory = [
            {"name": f"示例·第{number}机构", "category": "general_merchant", "accepts": list(_TYPES)}
            for number in range(1, INSTITUTIONS + 1)
        ]
        found = await self.clerks.load_institutions(SLUG, directory, lambda _: None)
        now = await self.clerks.clock()
        for place, institution in enumerate(found):
            code = await self.clerks.activation_code(institution, "前台1号")
            await activated(self.platform, code, device_id=f"device-{place}", now=lambda: now)

    async def _fill(self, write_offs: int) -> None:
        started = machine_seconds()
        persons = round(write_offs * _PERSONS_PER_VOUCHER)
        async with populating(
            self.database_url, slug=SLUG, keys=self.keys, persons=persons, each=_ATTEMPTS_EACH
        ) as population:
            async for step in population.fill():
                self.say(f"{step}: {machine_seconds() - started:.0f} s")

    async def _write_off(self, write_offs: int, first: datetime) -> None:
        started = machine_seconds()
        async with writing_off(self.database_url, slug=SLUG) as tills:
            done = await tills.make(write_offs, first=first)
            self.say(f"{done:,} write-offs: {machine_seconds() - started:.0f} s")
            await tills.counted()
            self._note("database", ", ".join(await tills.synced()))
        self._note("write-offs", f"{done:,} of {INSTITUTIONS} institutions")

    async def _settle(self, closes_at: datetime) -> None:
        before = _jobs_memory(forget=True)
        body = {
            "campaign": SLUG,
            "from": closes_at.date().isoformat(),
            "to": (closes_at + timedelta(days=11)).date().isoformat(),
        }
        started = machine_seconds()
        asked = await self.platform.post("/redemption/v1/settlements", body, headers=self.clerks.first)
        path = f"/redemption/v1/jobs/{asked.body['job_id']}"
        job = await self.platform.get(path, headers=self.clerks.first)
        while job["state"] not in {"succeeded", "failed"}:
            await asyncio.sleep(_JOB_LOOK_SECONDS)
            job = await self.platform.get(path, headers=self.clerks.first)
        seconds = machine_seconds() - started
        result = job["result"] or {}
        self._note(
            "settlement job, from the request on",
            f"{seconds:.1f} s, {job['state']}: {result.get('settlements')} settlements, "
            f"{result.get('count'):,} write-offs, {result.get('amount_fen'):,} fen",
        )
        self._note("peak memory of the worker", f"{_jobs_memory():.0f} MiB (before: {before:.0f} MiB)")

    def _note(self, name: str, figure: str) -> None:
        self.lines.append(Line(name, figure))
        self.say(f"{name}: {figure}")


def _jobs_memory(*, forget: bool = False) -> float:
    """The most that the process of the jobs ever held, in MiB; from now on, where it is told to forget."""
    for process in descendants(os.getpid()):
        folder = Path(f"/proc/{process}")
        with suppress(FileNotFoundError, ProcessLookupError):
            if _JOBS_PROCESS not in (folder / "cmdline").read_bytes().decode("utf-8", "replace"):
                continue
            status = dict(line.split(":", 1) for line in (folder / "status").read_text("utf-8").splitlines())
            if forget:
                (folder / "clear_refs").write_text("5", "utf-8")
            return int(status["VmHWM"].split()[0]) / 1024
    return float("nan")
