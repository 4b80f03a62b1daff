"""Where files are kept that do not belong into the database, such as the photos of a report.

An object is addressed by its content: it never changes, a torn or altered one is noticed when it is read,
and storing it twice is storing it once. What is personal is sealed before it is put here.
"""

import asyncio
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Protocol

from shared.errors import invariant
from shared.settings import Settings

_ADDRESS = re.compile(r"[0-9a-f]{64}")


class ObjectStore(Protocol):
    async def put(self, content: bytes) -> str:
        """Keeps the content for good once this returns; the answer is its address."""
        ...

    async def get(self, address: str) -> bytes | None:
        """The content; None for an address at which nothing is kept (any more)."""
        ...

    async def delete(self, address: str) -> None:
        """Forgets it. Nothing happens when it is gone already."""
        ...


class LocalObjects:
    """A folder of this machine, or one that several machines mount.

    A file appears under its name whole and on the disk, or not at all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, content: bytes) -> str:
        return await asyncio.to_thread(self._put, content)

    async def get(self, address: str) -> bytes | None:
        """Raises InvariantBroken when the file is not what was put there."""
        return await asyncio.to_thread(self._get, address)

    async def delete(self, address: str) -> None:
        await asyncio.to_thread(self._path(address).unlink, missing_ok=True)

    def _put(self, content: bytes) -> str:
        address = hashlib.sha256(content).hexdigest()
        path = self._path(address)
        if path.exists():
            return address
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(unfinished).replace(path)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
        return address

    def _get(self, address: str) -> bytes | None:
        try:
            content = self._path(address).read_bytes()
        except FileNotFoundError:
            return None
        whole = hashlib.sha256(content).hexdigest() == address
        invariant(whole, f"object {address} is not what was stored")
        return content

    def _path(self, address: str) -> Path:
        invariant(_ADDRESS.fullmatch(address), "an object's address is a SHA-256 in hex")
        # Two levels of 256 folders: no folder gets so full that it is slow to list or back up.
        return self._folder / address[:2] / address[2:4] / address


def objects_of(settings: Settings) -> ObjectStore:
    """The store that is set up. Nothing is written before the first object is put."""
    return LocalObjects(settings.objects_dir or _default_folder())


def _default_folder() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base, "health-vouchers", "objects")


def _sync_folder(folder: Path) -> None:
    """A new name is safe only when its folder is on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
