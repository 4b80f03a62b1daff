"""No orphan: the tether and the watchdog, each by itself."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from deploy.local import nets
from deploy.local.process import TETHER
from tests.support.launched import ROOT, Started, command_line, descendants, eventually, wait_for

# A launcher with nothing but one child: tethered, or only registered with the watchdog.
TETHERED = """
import asyncio, pathlib, sys
from deploy.local.process import Command, spawn
async def main():
    command = Command(name="sleep", argv=["sleep", "60"], log=pathlib.Path(sys.argv[1]))
    child = await spawn(command)
    print(child.pid, flush=True)
    await child.wait()
asyncio.run(main())
"""
WATCHED = """
import asyncio, sys
from deploy.local.nets import Watchdog
async def main():
    watchdog = Watchdog()
    await watchdog.start()
    children = [await asyncio.create_subprocess_exec("sleep", "60", start_new_session=True) for _ in "ab"]
    for child in children:
        watchdog.add(child.pid)
    watchdog.remove(children[1].pid)
    print(children[0].pid, children[1].pid, flush=True)
    await children[0].wait()
asyncio.run(main())
"""


def launcher(source: str, log: Path) -> tuple[subprocess.Popen[str], set[Started]]:
    process = subprocess.Popen(  # noqa: S603 – ourselves
        [sys.executable, "-c", source, str(log)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline()
    return process, descendants(process.pid)


def kill(process: subprocess.Popen[str]) -> None:
    with process:
        process.kill()


def test_a_tethered_command_dies_with_its_launcher(tmp_path: Path) -> None:
    process, family = launcher(TETHERED, tmp_path / "log")
    assert len(family) == 1
    kill(process)
    wait_for(lambda: not any(one.alive for one in family))


def test_a_tether_whose_launcher_is_gone_starts_nothing(tmp_path: Path) -> None:
    """The launcher may die between the fork and the request to the kernel."""
    never = tmp_path / "never"
    other = str(os.getppid())
    ended = subprocess.run(  # noqa: S603 – ourselves
        [sys.executable, "-I", "-S", TETHER, other, "SIGKILL", "--", "touch", never],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == "tether: the launcher is gone\n"
    assert not never.exists()


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    ended = subprocess.run(  # noqa: S603 – ourselves
        [sys.executable, "-I", "-S", TETHER, str(os.getpid()), "SIGKILL", "--", tmp_path / "nothing"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == f"cannot run {tmp_path / 'nothing'}: No such file or directory\n"


def test_the_watchdog_ends_what_the_tether_did_not(tmp_path: Path) -> None:
    """And only that: what was taken off its list has another keeper."""
    process, family = launcher(WATCHED, tmp_path / "log")
    watchdog, kept, released = sorted(family, key=lambda one: one.pid)
    try:
        kill(process)
        wait_for(lambda: not kept.alive)
        wait_for(lambda: not watchdog.alive)
        assert released.alive
    finally:
        os.kill(released.pid, signal.SIGKILL)


def watchdogs() -> list[Started]:
    return [one for one in descendants(os.getpid()) if "watchdog.py" in command_line(one.pid)]


async def _replaced(first: Started) -> bool:
    return not first.alive and len(watchdogs()) == 1


async def test_a_watchdog_that_was_ended_is_replaced() -> None:
    watchdog = nets.Watchdog()
    await watchdog.start()
    (first,) = watchdogs()
    os.kill(first.pid, signal.SIGKILL)
    await eventually(lambda: _replaced(first))
    await watchdog.stop()
    assert watchdogs() == []
