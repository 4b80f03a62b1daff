"""One launcher for one data folder: two would start two servers on the same files."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.local.errors import LaunchError


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Held until the launcher ends in whatever way: the kernel gives the lock of a dead process back."""
    path = home / "lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LaunchError(f"cannot write {path}: {error.strerror}") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(handle, 20).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        raise LaunchError(
            f"another `hv up` (process {pid}) runs on {home}: stop it or use another --data-dir"
        ) from None
    try:
        os.truncate(handle, 0)
        os.write(handle, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)
