"""The second net: ends what is left when the launcher dies without a word (see also tether.py).

The launcher holds the other end of this process's standard input and writes `+PID` and `-PID` lines. When
the launcher ends, in whatever way, the kernel closes that end; children that the tether did not reach get
a moment and are then killed. Started by file path with the bare interpreter: standard library only.
"""

import os
import signal
import sys
import time
from contextlib import suppress

# The tether's signals have long worked by then; Postgres and its sessions need about 0.1 s.
PATIENCE_SECONDS = 3.0
POLL_SECONDS = 0.1


class Ward:
    """A child of the launcher, held by a handle of the kernel: its number may be given to another later."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.handle = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else None

    def signal(self, number: int) -> bool:
        """False when it is gone."""
        try:
            if self.handle is None:
                os.kill(self.pid, number)
            else:
                signal.pidfd_send_signal(self.handle, number)
        except ProcessLookupError:
            return False
        return True

    def release(self) -> None:
        if self.handle is not None:
            os.close(self.handle)


def watch() -> dict[int, Ward]:
    """Who is still registered when the launcher is gone."""
    wards: dict[int, Ward] = {}
    for line in sys.stdin:
        pid = int(line)
        if pid < 0:
            if gone := wards.pop(-pid, None):
                gone.release()
            continue
        with suppress(ProcessLookupError):  # it has ended already
            wards[pid] = Ward(pid)
    return wards


def clean_up(wards: dict[int, Ward]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    left = list(wards.values())
    while left and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        left = [ward for ward in left if ward.signal(0)]
    for ward in left:
        ward.signal(signal.SIGKILL)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    clean_up(watch())


if __name__ == "__main__":
    main()
