"""What docs/signing.md tells vendors is what the platform checks: vectors and examples."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.signing import authorization, canonical, check, parse_header, sign

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "signing.md").read_text(encoding="utf-8")
VECTORS: list[dict[str, Any]] = json.loads((DOCS / "signing-vectors.json").read_text(encoding="utf-8"))
NODE, JAVA = shutil.which("node"), shutil.which("java")

each_vector = pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])


def example(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def given(vector: dict[str, Any]) -> list[Any]:
    names = ("key_id", "key", "method", "target", "timestamp", "nonce", "body")
    return [vector[name] for name in names]


def test_languages_that_are_missing_here_are_named_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    """A skipped example is easily overlooked: what was not run is said on the terminal itself."""
    missing = [name for name, found in (("JavaScript", NODE), ("Java", JAVA)) if found is None]
    if missing:
        with capsys.disabled():
            sys.stdout.write(f"\n!!! docs/signing.md: NOT RUN on this machine: {', '.join(missing)}\n")


@each_vector
def test_vector_is_what_the_platform_computes(vector: dict[str, Any]) -> None:
    message = canonical(
        method=vector["method"],
        target=vector["target"].encode(),
        timestamp=vector["timestamp"],
        nonce=vector["nonce"],
        body=vector["body"].encode(),
    )
    assert message.decode() == vector["string_to_sign"]
    assert sign(vector["key"], message) == vector["signature"]
    names = ("key_id", "key", "method", "target", "timestamp", "nonce")
    made = authorization(**{name: vector[name] for name in names}, body=vector["body"].encode())
    assert made == vector["authorization"]


@each_vector
def test_vector_is_accepted_at_its_time(vector: dict[str, Any]) -> None:
    header = parse_header(vector["authorization"])
    now = datetime.fromtimestamp(vector["timestamp"], tz=UTC)
    check(header, keys=["another key", vector["key"]], message=vector["string_to_sign"].encode(), now=now)


def test_page_shows_the_first_vector() -> None:
    assert f"Authorization: {VECTORS[0]['authorization']}\n" in PAGE


@each_vector
def test_python_example_signs_alike(vector: dict[str, Any]) -> None:
    scope: dict[str, Callable[..., str]] = {}
    exec(example("python"), scope)  # noqa: S102 - the page's own example is what is tested
    *told, body = given(vector)
    assert scope["authorization"](*told, body.encode()) == vector["authorization"]


@pytest.mark.skipif(NODE is None, reason="no Node on this machine")
def test_javascript_example_signs_alike() -> None:
    script = f"""
        globalThis.crypto ??= require("node:crypto").webcrypto;
        {example("javascript")}
        (async () => {{
          const made = [];
          for (const one of {json.dumps([given(vector) for vector in VECTORS])})
            made.push(await authorization(...one));
          console.log(JSON.stringify(made));
        }})();
    """
    assert json.loads(run([str(NODE), "-e", script])) == [vector["authorization"] for vector in VECTORS]


@pytest.mark.skipif(JAVA is None, reason="no Java on this machine")
async def test_java_example_signs_alike(tmp_path: Path) -> None:
    calls = "\n".join(
        f"System.out.println(Signing.authorization({', '.join(map(java_literal, given(vector)))}));"
        for vector in VECTORS
    )
    source = tmp_path / "Main.java"
    main = f"class Main {{ public static void main(String[] args) throws Exception {{ {calls} }} }}"
    imports, _, signing = example("java").partition("final class")
    source.write_text(f"{imports}\n{main}\nfinal class{signing}", encoding="utf-8")
    printed = await asyncio.to_thread(
        run, [str(JAVA), "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", str(source)]
    )
    assert printed.splitlines() == [vector["authorization"] for vector in VECTORS]


def java_literal(part: str | int) -> str:
    return f"{part}L" if isinstance(part, int) else json.dumps(part)


def run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout  # noqa: S603 - fixed interpreters, our own text
