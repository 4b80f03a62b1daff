"""The whole launcher with real processes; small stub programs stand in for the services."""

import json
import os
import signal
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.support.launched import Launched, descendants, eventually, launched, refusal, run_to_end, wait_for
from tests.support.stub_data import StubData

GONE_SECONDS = 5.0


@pytest.fixture
def home() -> Iterator[Path]:
    """Where every account may pass, as a data folder usually is; the closed kind is tested beside it."""
    with tempfile.TemporaryDirectory(prefix="hv-up-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "data"


async def test_a_second_start_keeps_data_and_secrets(home: Path) -> None:
    data = StubData(home)
    with launched(home) as stack:
        assert stack.get("/console/readyz").json() == {"app": "console"}
        await data.add_note("kept")
        await data.keep("yes")
        before = json.loads((home / "secrets.json").read_text())
        assert stack.stop() == 0
        assert stack.process.stdout
        assert stack.process.stdout.read() == ""
    with launched(home):
        assert await data.notes() == ["kept"]
        assert await data.kept() == "yes"
    assert json.loads((home / "secrets.json").read_text()) == before
    assert stat.S_IMODE((home / "secrets.json").stat().st_mode) == 0o600


async def test_kill_9_leaves_no_orphan_and_the_next_start_continues(home: Path) -> None:
    data = StubData(home)
    with launched(home, workers=2) as stack:
        await data.add_note("committed")
        session = await asyncpg.connect(data.postgres_url)
        family = descendants(stack.process.pid)
        # Watchdog, Postgres with its own children and our session, Valkey, jobs, two HTTP workers.
        assert len(family) > 12
        stack.process.kill()
        stack.process.wait()
        wait_for(lambda: not any(one.alive for one in family), GONE_SECONDS)
        session.terminate()
    with launched(home):
        assert await data.notes() == ["committed"]


def test_clients_that_come_together_are_spread_over_the_workers(home: Path) -> None:
    """And when one worker dies, the other takes its share at once."""
    with launched(home, workers=2) as stack:
        pids = set(pids_of_many_connections(stack))
        assert len(pids) == 2
        os.kill(min(pids), signal.SIGKILL)
        # Nobody is sent to the dead one any more; later its successor takes its share again.
        wait_for(lambda: not {0, min(pids)} & set(pids_of_many_connections(stack)))
        wait_for(lambda: len(set(pids_of_many_connections(stack))) == 2)


def test_processes_share_the_timings_of_this_start_only(home: Path) -> None:
    """Or a scrape would meet now one worker's counters, now the other's; and jobs' none."""
    (home / "timings").mkdir(parents=True)
    (home / "timings" / "of-an-earlier-start.db").touch()
    with launched(home) as stack:
        for words in ("deploy.local.http_worker", "deploy.local.jobs"):
            environment = Path(f"/proc/{stack.child(words).pid}/environ").read_text(encoding="utf-8")
            assert f"PROMETHEUS_MULTIPROC_DIR={home / 'timings'}" in environment.split("\0")
        assert not (home / "timings" / "of-an-earlier-start.db").exists()


def pids_of_many_connections(stack: Launched) -> list[int]:
    """Each request on a connection of its own; 0 for one that went down with its worker."""
    pids = []
    for _ in range(12):
        try:
            pids.append(int(stack.get("/issuance/pid").json()))
        except httpx.TransportError:
            pids.append(0)
    return pids


async def test_what_dies_is_started_again(home: Path) -> None:
    data = StubData(home)
    with launched(home) as stack:
        worker, postgres, valkey, watchdog = (
            stack.child(words)
            for words in ("deploy.local.http_worker", f"-D {home}", "redis.sock", "watchdog.py")
        )
        os.kill(worker.pid, signal.SIGKILL)
        await eventually(lambda: _served_by_another(stack.base_url, worker.pid))

        os.kill(postgres.pid, signal.SIGKILL)
        wait_for(lambda: not postgres.alive)
        await eventually(data.postgres_answers)

        os.kill(valkey.pid, signal.SIGKILL)
        wait_for(lambda: not valkey.alive)
        await eventually(data.redis_answers)
        # The job worker lost its queue and comes back inside its process.
        await data.enqueue_note("after the restarts")
        await eventually(data.notes)

        os.kill(watchdog.pid, signal.SIGKILL)
        wait_for(lambda: not watchdog.alive)
        wait_for(lambda: any(one.alive for one in stack.children("watchdog.py")))
        assert stack.stop() == 0


async def _served_by_another(base_url: str, pid: int) -> bool:
    async with httpx.AsyncClient() as client:
        try:
            answer = await client.get(f"{base_url}/issuance/pid", timeout=1)
        except httpx.TransportError:
            return False
    return bool(answer.json() != pid)


def test_sigterm_finishes_what_is_in_flight(home: Path) -> None:
    with launched(home) as stack, ThreadPoolExecutor(1) as other:
        family = descendants(stack.process.pid)
        begun = home.parent / "begun"
        slow = other.submit(stack.get, f"/issuance/slow?begun={begun}")
        wait_for(begun.exists)
        assert stack.stop() == 0
        assert slow.result().json() == "done"
        assert not any(one.alive for one in family)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_an_end_while_the_database_is_being_made(home: Path, number: signal.Signals, code: int) -> None:
    with launched(home, wait=False) as stack:
        wait_for((home / "postgres.new" / "base").exists)
        family = descendants(stack.process.pid)
        assert stack.stop(number) == code
        wait_for(lambda: not any(one.alive for one in family), GONE_SECONDS)


def test_copies_run_side_by_side(home: Path, tmp_path: Path) -> None:
    """Each with its own folder and port; one folder or one port for two is refused in one sentence.

    pytest's folders have mode 0700: as root, the second copy runs where its servers' account cannot pass.
    """
    with launched(home) as one, launched(tmp_path / "data") as two:
        again = refusal(run_to_end(home))
        assert again == (
            f"another `hv up` (process {one.process.pid}) runs on {home}: stop it or use another --data-dir"
        )
        port = int(two.base_url.rpartition(":")[2])
        other = refusal(run_to_end(home.with_name("other"), port=port))
        assert other == f"port {port} is taken: stop the program that uses it, or choose another with --port"

        assert one.get("/console/readyz").status_code == 200
        assert two.get("/console/readyz").status_code == 200
        sockets = Path(StubData(tmp_path / "data").sockets)
        assert sockets.is_dir()
    assert not sockets.exists()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
