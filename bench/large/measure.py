"""Runs the platform beside a campaign as large as a big prefecture's, and says how long things take.

The data is made below the platform; everything that is measured goes through it, and the run ends with the
integrity check.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.large.store import ATTEMPTS_PER_DAY, Counts, populating
from bench.scenarios.honghe_plan import shifted
from bench.simulator.clerks import Clerks
from bench.simulator.platform import Platform, bearer
from shared.clock import machine_seconds
from shared.crypto import Keys
from shared.identity.citizens import CitizenTokens
from shared.vouchers.offline import LATE_ARRIVAL

SLUG = "large"
ATTEMPTS_EACH = 5
_ASKED = 100
_VERIFIER = Path(__file__).resolve().parents[2] / "deploy" / "verify_draws.py"
_JOB_LOOK_SECONDS = 1.0
_JOB_SECONDS_MAX = 1800.0
# Enough for every winner, whatever luck decides.
_STOCK_PER_PERSON = 0.1


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    figure: str


@dataclass(slots=True)
class LargeRun:
    """`persons` with five attempts each; about one in five attempts passes and one draw in five wins."""

    platform: Platform
    clerks: Clerks
    base_url: str
    keys: Keys
    database_url: str
    definition: dict[str, Any]
    questions: list[dict[str, Any]]
    folder: Path
    say: Callable[[str], None]
    lines: list[Line] = field(default_factory=list)
    integrity_ok: bool = False

    async def run(self, persons: int) -> None:
        phase = await self._publish(persons)
        opens_at, closes_at = (datetime.fromisoformat(phase[edge]) for edge in ("opens_at", "closes_at"))
        await self.clerks.move_clock(opens_at + timedelta(seconds=1))
        # Filled before the phase's hours are over: what is sealed must be there by then.
        person = await self._fill(persons)
        await self.clerks.move_clock(closes_at - timedelta(minutes=1))
        await self._reads(person)
        await self._statistics()
        await self._log(closes_at)
        await self._expiry(closes_at)
        await self._integrity()
        self._note("peak memory of one process", _peak_memory())

    def as_json(self) -> dict[str, Any]:
        return {
            "integrity_ok": self.integrity_ok,
            "lines": [{"name": line.name, "figure": line.figure} for line in self.lines],
        }

    async def _publish(self, persons: int) -> dict[str, Any]:
        campaign = shifted(self.definition, await self.clerks.clock(), SLUG)
        first = campaign["phases"][0]
        each = round(persons * _STOCK_PER_PERSON)
        first["stock"] = dict.fromkeys(first["stock"], each)
        first["quiz"] |= {"attempts_per_day": ATTEMPTS_PER_DAY, "pass_score": 60}
        limits = {"vouchers_per_phase": ATTEMPTS_EACH, "draws_per_day": ATTEMPTS_EACH}
        campaign |= {"phases": [first], "budget_fen": each * 100_000, "per_person_limits": limits}
        await self.clerks.load_campaign(campaign, self.questions)
        return dict(first)

    async def _fill(self, persons: int) -> Any:  # noqa: ANN401 - a row of the driver
        started = machine_seconds()
        async with populating(
            self.database_url, slug=SLUG, keys=self.keys, persons=persons, each=ATTEMPTS_EACH
        ) as population:
            async for step in population.fill():
                self.say(f"{step}: {machine_seconds() - started:.0f} s")
            counts: Counts = await population.counts()
            person = await population.some_person()
        self._note(
            "made",
            f"{counts.persons:,} persons, {counts.attempts:,} attempts, {counts.draws:,} draws, "
            f"{counts.vouchers:,} vouchers in {machine_seconds() - started:.0f} s",
        )
        return person

    async def _reads(self, person: Any) -> None:  # noqa: ANN401 - a row of the driver
        now = await self.clerks.clock()
        token = CitizenTokens(self.keys.token).issue(
            account_id=person["account_id"],
            bucket=person["bucket"],
            person_id=person["id"],
            now=now,
            life=timedelta(days=1),
        )
        staff, citizen = self.clerks.first, bearer(token)
        for path, headers in (
            (f"/issuance/v1/metrics?campaign={SLUG}", staff),
            ("/issuance/metrics", staff),
            (f"/issuance/v1/campaigns/{SLUG}", {}),
            (f"/issuance/v1/campaigns/{SLUG}/draw-audit", {}),
            (f"/issuance/v1/campaigns/{SLUG}/draw-monitor", staff),
            (f"/issuance/v1/campaigns/{SLUG}/funnel", staff),
            (f"/issuance/v1/vouchers?campaign={SLUG}", staff),
            (f"/issuance/v1/vouchers?campaign={SLUG}&status=issued&voucher_type=general_50", staff),
            ("/issuance/v1/me/vouchers", citizen),
            ("/issuance/v1/me/awards", citizen),
            ("/issuance/v1/me/chances", citizen),
        ):
            await self._asked(path, headers)

    async def _asked(self, path: str, headers: dict[str, str]) -> None:
        """The same question many times; no answer is kept by whoever asks."""
        seconds = [await self._timed(lambda: self.platform.get(path, headers=headers)) for _ in range(_ASKED)]
        cuts = quantiles(seconds, n=100)
        figure = f"p50 {cuts[49] * 1e3:.1f} ms, p99 {cuts[98] * 1e3:.1f} ms"
        self._note(f"GET {path}", figure)

    async def _statistics(self) -> None:
        path = f"/issuance/v1/campaigns/{SLUG}/questions/statistics"
        started = machine_seconds()
        asked = await self.platform.post(path, {}, headers=self.clerks.first)
        job = await self._ended(str(asked.body["job_id"]))
        seconds = machine_seconds() - started
        self._note("statistics of all questions (job)", f"{seconds:.1f} s, {job['state']}")
        await self._asked(path, self.clerks.first)

    async def _ended(self, job_id: str) -> dict[str, Any]:
        started = machine_seconds()
        while machine_seconds() - started < _JOB_SECONDS_MAX:
            job: dict[str, Any] = await self.platform.get(
                f"/issuance/v1/jobs/{job_id}", headers=self.clerks.first
            )
            if job["state"] in {"succeeded", "failed"}:
                return job
            await asyncio.sleep(_JOB_LOOK_SECONDS)
        raise TimeoutError(job_id)

    async def _log(self, closes_at: datetime) -> None:
        await self.clerks.move_clock(closes_at + timedelta(minutes=10))
        path = f"/issuance/v1/campaigns/{SLUG}/draw-audit"
        seconds = await self._timed(lambda: self._sealed(path))
        self._note("phase closed: seed revealed and every hour sealed", f"{seconds:.1f} s")
        audit = await self.platform.get(path)
        (phase,) = audit["phases"]
        log, told = self.folder / "draws.jsonl", self.folder / "audit.json"
        await asyncio.to_thread(told.write_text, json.dumps(audit), encoding="utf-8")
        seconds = await self._timed(lambda: _download(self.base_url, str(phase["log_url"]), log))
        size = log.stat().st_size / 1e6
        self._note("draw log, streamed", f"{phase['draws']:,} draws, {size:,.0f} MB in {seconds:.1f} s")
        seconds = await self._timed(lambda: _verified(log, told))
        self._note("draw log and roots verified by the stand-alone file", f"{seconds:.1f} s")

    async def _sealed(self, path: str) -> None:
        """Until the roots cover every draw of the closed phase."""
        while True:
            (phase,) = (await self.platform.get(path))["phases"]
            sealed = phase["log_roots"][-1]["draws"] if phase["log_roots"] else 0
            if phase["seed"] is not None and sealed == phase["draws"]:
                return
            await asyncio.sleep(_JOB_LOOK_SECONDS)

    async def _expiry(self, closes_at: datetime) -> None:
        """Every voucher's time is over: the sweep gives all of them back."""
        validity = max(kind["validity_days"] for kind in self.definition["voucher_types"])
        await self.clerks.move_clock(closes_at + timedelta(days=validity) + LATE_ARRIVAL + timedelta(hours=1))
        seconds = await self._timed(self._swept)
        self._note("expiry sweep of all vouchers", f"{seconds:.1f} s")

    async def _swept(self) -> None:
        """Until no voucher can be found that is issued still."""
        async with populating(self.database_url, slug=SLUG, keys=self.keys, persons=0, each=0) as population:
            while True:
                if not await population.issued():
                    return
                await asyncio.sleep(_JOB_LOOK_SECONDS)

    async def _integrity(self) -> None:
        """A platform as large as this has its report made by a job: asked for until it is there."""
        report = await self.clerks.integrity()
        jobs = await self.platform.get("/console/v1/jobs?state=succeeded", headers=self.clerks.first)
        seconds = max((job["result"]["seconds"] for job in jobs["items"]), default=0.0)
        self.integrity_ok = bool(report["ok"])
        self._note("integrity, every check", f"{seconds:.1f} s, {'ok' if self.integrity_ok else 'BROKEN'}")
        for check in report["checks"]:
            if not check["ok"]:
                self._note(check["name"], str(check["detail"]))

    async def _timed(self, act: Callable[[], Awaitable[object]]) -> float:
        started = machine_seconds()
        await act()
        return machine_seconds() - started

    def _note(self, name: str, figure: str) -> None:
        self.lines.append(Line(name, figure))
        self.say(f"{name}: {figure}")


def _peak_memory() -> str:
    """The largest of each kind among the processes that this one started."""
    peaks: dict[str, float] = {}
    for process in descendants(os.getpid()):
        told = dict(
            line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text("utf-8").splitlines()
        )
        name, peak = told["Name"].strip(), int(told.get("VmHWM", "0 kB").split()[0]) / 1024
        peaks[name] = max(peak, peaks.get(name, 0))
    return ", ".join(f"{name} {peak:,.0f} MiB" for name, peak in sorted(peaks.items()))


def descendants(process: int) -> list[str]:
    """The ids of all processes that it started, and those that these did; one may end at any moment."""
    found: list[str] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{process}/task").iterdir():
            for child in (thread / "children").read_text("utf-8").split():
                found += [child, *descendants(int(child))]
    return found


async def _download(base_url: str, url: str, target: Path) -> None:
    """By curl, as an outsider would."""
    address = url if url.startswith("http") else base_url + url
    await _ran("curl", "-sSf", "-o", str(target), address)


async def _verified(log: Path, audit: Path) -> None:
    await _ran(sys.executable, str(_VERIFIER), str(log), str(audit))


async def _ran(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    _, told = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed: {told.decode()[-500:]}")
