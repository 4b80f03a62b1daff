"""What a launcher killed with -9 may leave for a moment: servers on their way out, and their pid files."""

import os
import signal
import time
from pathlib import Path

from deploy.local.errors import LaunchError

PATIENCE_SECONDS = 10.0


def clear_pid_file(pid_file: Path, data: Path) -> None:
    """Waits for a server still running on this data, ends it at last, and removes a stale pid file.

    Only for callers that hold the lock of the data folder: then such a server has lost its launcher.
    A pid alone proves nothing (it may belong to another program by now), so the working directory of the
    process is compared; where that cannot be read (not Linux), the server's own check decides.
    """
    try:
        pid = int(pid_file.read_text().split()[0])
    except FileNotFoundError:
        return
    except (OSError, ValueError, IndexError):
        pid = 0
    if not Path("/proc/self/cwd").exists():
        return
    deadline = time.monotonic() + PATIENCE_SECONDS
    while works_in(pid, data):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            deadline += PATIENCE_SECONDS
        time.sleep(0.05)
    try:
        pid_file.unlink(missing_ok=True)
    except OSError as error:
        raise LaunchError(f"cannot remove {pid_file}: {error.strerror}") from None


def works_in(pid: int, folder: Path) -> bool:
    try:
        return pid > 0 and Path(f"/proc/{pid}/cwd").samefile(folder)
    except OSError:
        return False
