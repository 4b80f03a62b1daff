"""Postgres refuses to run as root, so as root the servers run under an account without rights."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LaunchError
from deploy.local.tether import FOLDER_HANDLE

# A dedicated account of the distribution first; `nobody` exists everywhere.
CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def server_account(home: Path) -> Account | None:
    """Whom to run the servers as: oneself when not root; the owner of existing data; else a candidate."""
    if os.geteuid() != 0:
        return None
    existing = [path for path in (home / "postgres", home / "redis") if path.exists()]
    entries = [owner_entry(path) for path in existing[:1]] or [entry_of(name) for name in CANDIDATES]
    for entry in entries:
        if entry is not None and entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    tried = f"the owner of {existing[0]}" if existing else " or ".join(CANDIDATES)
    raise LaunchError(f"Postgres does not run as root and there is no unprivileged account ({tried}) to use")


def owner_entry(path: Path) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(path.stat().st_uid)
    except KeyError:
        return None


def entry_of(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def can_use(account: Account | None, path: Path, right: str = "x") -> bool:
    """Whether the account passes all parent folders and has the right on the path.

    Asked of the kernel in a child under that account: mode bits alone would miss ACLs and mounts.
    """
    modes = {"r": os.R_OK, "w": os.W_OK, "x": os.X_OK}
    if account is None:
        return os.access(path, modes[right])
    answer = subprocess.run(
        ["/bin/sh", "-c", f'test -{right} "$1"', "sh", str(path)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        check=False,
        stderr=subprocess.DEVNULL,
    )
    return answer.returncode == 0


def private_folder(path: Path, account: Account | None) -> Path:
    """A folder of mode 0700 that belongs to the account; an existing one of someone else is refused."""
    owner = account.uid if account else os.geteuid()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if account and path.lstat().st_uid == 0:
            os.chown(path, account.uid, account.gid)
        if path.is_symlink() or path.lstat().st_uid != owner:
            raise LaunchError(f"{path} belongs to another user: remove it or use another --data-dir")
        path.chmod(0o700)
    except OSError as error:
        raise LaunchError(f"cannot use {path}: {error.strerror}") from None
    return path


def reach(account: Account | None, folder: Path) -> tuple[str, Path | None]:
    """How a server under the account names its folder, and the folder that the tether has to hand over.

    By path; or by an open handle when the account cannot pass the parents (as root, below a home of mode
    0700), so that nobody's permissions have to be changed.
    """
    if account is None or can_use(account, folder):
        return str(folder), None
    return f"/proc/self/fd/{FOLDER_HANDLE}", folder


def write_private(path: Path, text: str, account: Account | None) -> None:
    """A file of mode 0600 for the account, complete or not there at all."""
    partial = path.with_name(f"{path.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=0o600)
        partial.write_text(text, encoding="utf-8")
        if account:
            os.chown(partial, account.uid, account.gid)
        partial.replace(path)
    except OSError as error:
        raise LaunchError(f"cannot write {path}: {error.strerror}") from None
