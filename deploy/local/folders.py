"""The data folder and the short-lived runtime folder of one stack."""

import errno
import hashlib
import os
import random
import re
import shutil
import socket
import tempfile
from pathlib import Path

from deploy.local.accounts import Account, can_use, private_folder
from deploy.local.errors import LaunchError

# A fresh database is 40 MB and keeps up to 1 GB of log; below this a start would only fail later.
NEEDED_BYTES = 300_000_000
# A socket path holds 107 bytes; the longest name in the folder is `/.s.PGSQL.32767`.
SOCKET_FOLDER_MAX = 107 - len("/.s.PGSQL.32767")
# arq does not decode escapes in a URL, and a comma separates hosts for Postgres.
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._+-]+")
# Below the range that the kernel gives to outgoing connections: a port freed for a restart stays free.
PORTS = range(20_000, 32_000)
PORT_ATTEMPTS = 50


def prepare_home(home: Path) -> None:
    """Makes the data folder; as root others may pass through it (the servers' account), not read it.

    An existing folder keeps its mode, whoever made it had a reason.
    """
    try:
        is_new = not home.exists()
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if is_new and os.geteuid() == 0:
            home.chmod(0o711)
        free = shutil.disk_usage(home).free
    except OSError as error:
        raise LaunchError(f"cannot use the data directory {home}: {error.strerror}") from None
    if not os.access(home, os.W_OK | os.X_OK):
        raise LaunchError(f"cannot write to the data directory {home}: use another --data-dir or its owner")
    if free < NEEDED_BYTES:
        raise LaunchError(
            f"the disk of {home} is full ({free // 1_000_000} MB free, {NEEDED_BYTES // 1_000_000} MB "
            "needed): free some space or use another --data-dir"
        )


def timings_folder(home: Path) -> Path:
    """An empty folder in which the processes share their timings, so that each can tell those of all."""
    folder = home / "timings"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder


def socket_folder(home: Path, account: Account | None) -> Path:
    """DIR/run, or a folder elsewhere when its path does not do or is closed to the servers' account."""
    inside = home / "run"
    if _fits(inside) and can_use(account, home):
        return private_folder(inside, account)
    owner = account.uid if account else os.geteuid()
    name = hashlib.sha256(f"{owner}:{home.resolve()}".encode()).hexdigest()[:12]
    bases = [os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp"]  # noqa: S108 – made private
    for base in bases:
        folder = Path(base or "", f"hv-{name}")
        if base and _fits(folder) and os.access(base, os.W_OK) and can_use(account, Path(base)):
            return private_folder(folder, account)
    raise LaunchError("no folder for the servers' sockets: set TMPDIR to a short path that all can enter")


def _fits(folder: Path) -> bool:
    """Short, and of characters that mean themselves in every URL and settings file."""
    return len(os.fsencode(folder)) <= SOCKET_FOLDER_MAX and bool(PLAIN_PATH.fullmatch(str(folder)))


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on; several copies side by side pick at random."""
    for port in random.SystemRandom().sample(PORTS, PORT_ATTEMPTS):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise LaunchError(f"cannot listen on 127.0.0.1: {error.strerror}") from None
                continue
            return port
    raise LaunchError(f"no free port on 127.0.0.1 between {PORTS.start} and {PORTS.stop}")
