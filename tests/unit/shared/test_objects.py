"""The object store keeps what it was given, whole or not at all."""

import asyncio
import hashlib
from pathlib import Path

import pytest
from pydantic import SecretStr

from shared.errors import InvariantBroken
from shared.objects import LocalObjects, objects_of
from shared.settings import Settings


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_was_put_is_found_under_the_hash_of_its_content(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path / "new" / "folder")
    address = await objects.put(b"picture")
    assert address == hashlib.sha256(b"picture").hexdigest()
    assert await objects.get(address) == b"picture"
    assert await objects.put(b"picture") == address
    assert len(files(tmp_path)) == 1


async def test_many_writers_of_one_object_leave_one_whole_file(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    content = b"x" * 200_000
    addresses = await asyncio.gather(*(objects.put(content) for _ in range(20)))
    assert len(set(addresses)) == 1
    assert [file.read_bytes() for file in files(tmp_path)] == [content]


async def test_what_was_deleted_is_gone_and_may_be_deleted_again(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    address = await objects.put(b"picture")
    await objects.delete(address)
    await objects.delete(address)
    assert await objects.get(address) is None
    assert files(tmp_path) == []


async def test_an_altered_file_is_noticed(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    address = await objects.put(b"picture")
    files(tmp_path)[0].write_bytes(b"another picture")
    with pytest.raises(InvariantBroken, match=address):
        await objects.get(address)


@pytest.mark.parametrize("address", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "/.."])
async def test_nothing_outside_the_folder_can_be_named(tmp_path: Path, address: str) -> None:
    with pytest.raises(InvariantBroken):
        await LocalObjects(tmp_path).get(address)


async def test_a_write_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shared.objects.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        await LocalObjects(tmp_path).put(b"picture")
    assert files(tmp_path) == []


async def test_the_folder_is_that_of_the_settings_else_the_users_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "user"))
    given = Settings(
        environment="local",
        database_url="postgresql://nowhere/x",
        redis_url="redis://nowhere",
        data_keys=SecretStr("-"),
        index_key=SecretStr("-"),
        token_key=SecretStr("-"),
        objects_dir=tmp_path / "given",
    )
    await objects_of(given).put(b"one")
    assert len(files(tmp_path / "given")) == 1
    assert not (tmp_path / "user").exists()
    await objects_of(given.model_copy(update={"objects_dir": None})).put(b"one")
    assert len(files(tmp_path / "user" / "health-vouchers" / "objects")) == 1
