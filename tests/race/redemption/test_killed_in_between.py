"""Service processes and the whole database are killed while vouchers are written off: one truth each.

On servers of its own, which sync every commit. The clients keep what was told them; at the end that is held
against the tables, and every number that had no answer is asked once more.
"""

import asyncio
import os
import random
import secrets
import signal
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from deploy.local.folders import free_port, prepare_home
from deploy.local.postgres import Postgres, locate_postgres
from deploy.local.process import log_size, spawn, stop
from deploy.local.readiness import wait_ready
from migrations.runner import upgrade
from shared.clients.terminal import TerminalClient
from shared.integrity.operations import recompute
from shared.kit import Kit, build_kit
from shared.settings import Settings
from tests.race.redemption.test_two_processes import SERVE, answers, environment
from tests.support.launched import ROOT, eventually
from tests.support.tills import bureau, signed
from tests.support.vouchers import HeldVoucher, held_vouchers, published

pytestmark = pytest.mark.soak

KILLS, VOUCHERS_EACH = 12, 30
START_SECONDS = 120.0


@dataclass
class Durable:
    """A Postgres that may be killed and comes back with what it had acknowledged."""

    postgres: Postgres
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        command = await self.postgres.prepare()
        begin = log_size(self.postgres.log)
        self.process = await spawn(command)
        await wait_ready(
            self.process,
            self.postgres.ready,
            seconds=START_SECONDS,
            explain=lambda: self.postgres.explain(begin),
        )

    async def crash(self) -> None:
        assert self.process is not None
        self.process.kill()
        await self.process.wait()
        await self.start()

    async def stop(self) -> None:
        assert self.process is not None
        await stop(self.process, await self.postgres.prepare())


@dataclass
class Shop:
    """One service process on a port of its own, started again whenever it was killed."""

    settings: Settings
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603, ASYNC220 - ourselves, and it returns at once
            [*SERVE, "--port", str(self.port)],
            cwd=ROOT,
            env=environment(self.settings),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        async with httpx.AsyncClient(base_url=self.address, timeout=5) as http:
            await eventually(lambda: answers(http), seconds=START_SECONDS)

    async def crash(self) -> None:
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        await asyncio.to_thread(self.process.wait)
        await self.start()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=40)


@dataclass
class Clients:
    """A till's program, which asks again until it is told; `told`: what it was, by voucher and number."""

    shops: Sequence[Shop]
    till: TerminalClient
    kit: Kit
    told: dict[tuple[HeldVoucher, str], int] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)

    async def redeem(self, voucher: HeldVoucher) -> None:
        """One request, sent again and again under its number until there is an answer that decides."""
        number = secrets.token_hex(8)
        body = {"request_no": number, "voucher": voucher.code}
        for shop in cycle(random.sample(self.shops, len(self.shops))):
            try:
                async with httpx.AsyncClient(base_url=shop.address, timeout=10) as http:
                    answer = await signed(self.till, http, "POST", "/redemptions", body, kit=self.kit)
            except httpx.TransportError as error:
                self.unknown[type(error).__name__] += 1
            else:
                if answer.status_code in {200, 201, 409}:
                    self.told[voucher, number] = answer.status_code
                    return
                assert answer.status_code in {429, 503}, answer.text
                self.unknown[str(answer.status_code)] += 1
            await asyncio.sleep(0.05)


@asynccontextmanager
async def durable(folder: Path) -> AsyncIterator[Durable]:
    prepare_home(folder)
    server = Durable(locate_postgres(folder, password=secrets.token_hex(16), durable=True))
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def test_killed_processes_and_a_killed_database_lose_and_double_nothing(settings: Settings) -> None:
    # Directly below the temporary folder: pytest's own are closed to the account that Postgres needs.
    with tempfile.TemporaryDirectory(prefix="hv-killed-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o711)  # noqa: PTH101, S103 - one call at the start; others may pass through it
        async with durable(Path(folder)) as database:
            await play(database, settings)


async def play(database: Durable, settings: Settings) -> None:
    url = database.postgres.url()
    await asyncio.to_thread(upgrade, url)
    ours = settings.model_copy(update={"database_url": url})
    kit = build_kit(ours)
    await kit.database.start()
    shops = [Shop(ours, free_port()) for _ in range(2)]
    try:
        await asyncio.gather(*(shop.start() for shop in shops))
        async with httpx.AsyncClient(base_url=shops[0].address, timeout=30) as http:
            campaign = await published(kit, "honghe-2020", budget_fen=1_000_000_000_00)
            staff = await bureau(http, kit)
            till = await staff.till(await staff.institution(campaign))
        vouchers = await held_vouchers(kit, campaign, "fitness", KILLS * VOUCHERS_EACH)
        await kit.database.stop()
        clients = Clients(shops, till, kit)
        await write_off_among_kills(database, clients, vouchers)
    finally:
        for shop in shops:
            shop.stop()
    after = build_kit(ours)
    await after.database.start()
    await judge(after, vouchers, clients)
    await after.database.stop()


async def write_off_among_kills(database: Durable, clients: Clients, vouchers: Sequence[HeldVoucher]) -> None:
    """Each kill comes among requests, two numbers for each of its vouchers; whatever dies comes back."""
    rng = random.Random(20201101)
    crashes = cycle((database.crash, *(shop.crash for shop in clients.shops)))
    for kill in range(KILLS):
        some = vouchers[kill * VOUCHERS_EACH : (kill + 1) * VOUCHERS_EACH]
        asked = [asyncio.create_task(clients.redeem(voucher)) for voucher in [*some, *some]]
        await asyncio.sleep(rng.uniform(0.0, 0.25))
        await next(crashes)()
        await asyncio.gather(*asked)
    print(f"{KILLS} kills, {len(clients.told)} answers, no answer: {dict(clients.unknown)}")  # noqa: T201 - the figure
    assert sum(clients.unknown.values()) > KILLS, "nobody noticed anything: the kills came too late"


async def judge(kit: Kit, vouchers: Sequence[HeldVoucher], clients: Clients) -> None:
    """Of two numbers one has the voucher, whatever was killed in between; every invariant holds."""
    told = defaultdict[HeldVoucher, list[bool]](list)
    for (voucher, _), status in clients.told.items():
        told[voucher].append(status == 409)
    assert {tuple(sorted(refused)) for refused in told.values()} == {(False, True)}
    assert len(told) == len(vouchers)
    async with kit.database.snapshot() as tx:
        rows = await tx.execute(
            text(
                "SELECT voucher_id, count(*) FROM redemption.redemption WHERE voucher_id = ANY (:ids)"
                " GROUP BY voucher_id"
            ),
            {"ids": [voucher.id for voucher in vouchers]},
        )
        assert Counter(row[1] for row in rows) == {1: len(vouchers)}
    report = await recompute(kit)
    assert [check for check in report.checks if not check.ok] == []
