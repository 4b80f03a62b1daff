"""One child process: started under the tether, with its output in a file, and stopped in good order."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.accounts import Account
from deploy.local.errors import LaunchError

TETHER = Path(__file__).with_name("tether.py")


@dataclass(frozen=True)
class Command:
    name: str
    argv: Sequence[str]
    log: Path
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    account: Account | None = None
    # A folder that the account cannot reach by path; the tether hands it over as an open handle.
    folder: Path | None = None
    pass_fds: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM
    # What the kernel sends when the launcher dies without a word.
    death_signal: signal.Signals = signal.SIGKILL
    stop_seconds: float = 10.0
    # Called when it ended by itself.
    on_death: Callable[[], None] | None = None

    def tethered(self) -> list[str]:
        drop: list[str] = []
        if self.account:
            drop = [f"{self.account.uid}:{self.account.gid}"]
            drop += [str(self.folder)] if self.folder else []
        # -I -S: nothing of the environment or the venv is loaded, the tether starts in milliseconds.
        python = [sys.executable, "-I", "-S", str(TETHER)]
        return [*python, str(os.getpid()), self.death_signal.name, *drop, "--", *self.argv]


def bare_environment() -> dict[str, str]:
    """For the servers: PG* variables would change what they do, and secrets have no business there."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def open_log(path: Path) -> int:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise LaunchError(f"cannot write {path}: {error.strerror}") from None


async def spawn(command: Command) -> asyncio.subprocess.Process:
    """Starts the command. Call it from the main thread: the kernel ties the child to the calling thread."""
    log = open_log(command.log)
    try:
        return await asyncio.create_subprocess_exec(
            *command.tethered(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(command.env),
            cwd="/" if command.account else None,
            pass_fds=command.pass_fds,
            # Ctrl-C reaches the launcher only, which then stops its children in order.
            start_new_session=True,
        )
    finally:
        os.close(log)


async def stop(process: asyncio.subprocess.Process, command: Command) -> None:
    """Asks with the stop signal, waits, and ends the whole group when it does not go."""
    if process.returncode is None:
        _signal(process, command.stop_signal)
        try:
            async with asyncio.timeout(command.stop_seconds):
                await process.wait()
        except TimeoutError:
            _signal(process, signal.SIGKILL)
            await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    try:
        if number is signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    except ProcessLookupError:
        pass  # it went in this moment, which is what was wanted


def last_lines(path: Path, start: int, count: int = 3) -> str:
    """The end of what was logged after `start`, for an error message."""
    try:
        with path.open("rb") as file:
            file.seek(start)
            text = file.read()[-4000:].decode(errors="replace")
    except OSError:
        return ""
    return " | ".join(line.strip() for line in text.splitlines()[-count:] if line.strip())


def log_size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
