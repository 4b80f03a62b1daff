"""Runs a command that cannot outlive its launcher: `PARENT_PID SIGNAL [UID:GID [FOLDER]] -- COMMAND…`.

Started by file path with the bare interpreter, so it needs the standard library only and costs a few
milliseconds. It opens FOLDER for the command as FOLDER_HANDLE, gives up root (when an account is named),
asks the kernel for SIGNAL when the launcher dies, and becomes the command.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
# Any number that neither the standard streams nor the interpreter use.
FOLDER_HANDLE = 9


def die_with_parent(parent: int, death_signal: int) -> None:
    """Linux only; elsewhere the watchdog alone cleans up."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        sys.exit(f"tether: prctl failed: {os.strerror(ctypes.get_errno())}")
    # The launcher may have died before the request was in place; then nobody would send the signal.
    if os.getppid() != parent:
        sys.exit("tether: the launcher is gone")


def hand_over(folder: str) -> None:
    """Opened while still root: the command's account need not be able to pass the parent folders."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.dup2(opened, FOLDER_HANDLE, inheritable=True)


def give_up_root(account: str) -> None:
    uid, gid = (int(part) for part in account.split(":"))
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def main(arguments: list[str]) -> None:
    border = arguments.index("--")
    parent, death_signal, *drop = arguments[:border]
    command = arguments[border + 1 :]
    account, folder = (*drop, None, None)[:2]
    if folder:
        hand_over(folder)
    if account:
        give_up_root(account)
    # After the change of user: the kernel forgets the request when credentials change.
    die_with_parent(int(parent), signal.Signals[death_signal])
    os.umask(0o077)
    try:
        os.execvp(command[0], command)  # noqa: S606 – a fixed list from the launcher, no shell wanted
    except OSError as error:
        sys.exit(f"cannot run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
