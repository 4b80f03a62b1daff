"""The mini-program that we give away thinks as the page does, and its own tests are green."""

import asyncio
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "deploy" / "miniprogram-sample"
PAGE_LOGIC = ROOT / "services" / "console" / "pages" / "static" / "citizen" / "logic"


def test_its_logic_is_the_pages_byte_for_byte() -> None:
    copies = SAMPLE / "miniprogram" / "logic"
    assert {file.name: file.read_bytes() for file in copies.iterdir()} == {
        file.name: file.read_bytes() for file in PAGE_LOGIC.iterdir()
    }, "the page's logic has changed: run `make clients` and commit the copies"


async def test_its_own_tests_are_green() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("NODE IS MISSING: the tests of the mini-program were not run")
    files = [str(file) for file in sorted((SAMPLE / "tests").glob("*.test.js"))]
    process = await asyncio.create_subprocess_exec(
        node, "--test", *files, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
