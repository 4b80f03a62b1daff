"""The stand-alone verifier finds every change of a log, and nothing wrong with a sound one."""

import ast
import hashlib
import hmac
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest

from deploy.verify_draws import findings

FILE = Path(__file__).parents[3] / "deploy" / "verify_draws.py"
SEED = hashlib.sha256(b"a phase's seed").digest()
COMMITMENT = hashlib.sha256(SEED).hexdigest()
DRAWS = 40


def draw(number: int, odds: str = "0.2") -> dict[str, Any]:
    chance_id, client_seed = f"T0{number:032x}", ["", "c1", "红河/州", "🎲"][number % 4]
    value = hmac.new(SEED, f"honghe-2020/1/{chance_id}/{client_seed}".encode(), hashlib.sha256).digest()
    won = int.from_bytes(value[:8], "big") < int(Fraction(odds) * 2**64)
    return {
        "chance_id": chance_id, "client_seed": client_seed, "odds": odds, "value": value.hex(), "won": won
    }  # fmt: skip


def sound_log(*, odds: str = "0.2") -> list[str]:
    head = {"slug": "honghe-2020", "seq": 1, "seed_commitment": COMMITMENT, "seed": SEED.hex()}
    return [json.dumps(line, ensure_ascii=False) for line in [head, *(draw(n, odds) for n in range(DRAWS))]]


@pytest.mark.parametrize("odds", ["0.2", "0.000001", "0.999999", "1"])
def test_a_sound_log_has_no_findings(odds: str) -> None:
    assert list(findings(sound_log(odds=odds), COMMITMENT, (odds,), DRAWS)) == []


def test_every_changed_character_is_found() -> None:
    rng, log = Random(1), sound_log()
    for _ in range(1500):
        number = rng.randrange(len(log))
        place = rng.randrange(len(log[number]))
        old = log[number][place]
        new = rng.choice([letter for letter in '0123456789abcdef"{}:,.xT /true红' if letter != old])
        changed = [*log]
        changed[number] = log[number][:place] + new + log[number][place + 1 :]
        try:
            if json.loads(changed[number]) == json.loads(log[number]):
                continue  # white space for white space
        except ValueError:
            pass
        assert list(findings(changed, COMMITMENT, ("0.2",), DRAWS)), (log[number], changed[number])


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda log: log[:-1], "39 sound draws, the audit tells of 40"),
        (lambda log: [*log, log[5]], "line 42: this chance was drawn on line 6 already"),
        (lambda log: log[1:], "line 1: must have slug"),
        (lambda _log: [], "line 1: is not a JSON object"),
        (lambda log: [*log, ""], "line 42: is not a JSON object"),
        (lambda log: [*log, "[" * 100_000], "line 42: is not a JSON object"),
        (lambda log: [*log, log[1][:-1] + ', "won": true}'], "line 42: must have chance_id"),
        (lambda log: [*log, log[1][:-1] + ', "person": "1"}'], "line 42: must have chance_id"),
        (lambda log: [log[0], *(line.replace("0.2", "0.21") for line in log[1:])], "'0.21' are not the odds"),
        (lambda log: [*log, json.dumps(draw(99) | {"odds": "1e-1"})], "'1e-1' are not the odds"),
        (lambda log: [*log, json.dumps(draw(99) | {"client_seed": "\ud800"})], "line 42: value is"),
        (lambda log: [*log, json.dumps(draw(99) | {"won": not draw(99)["won"]})], "line 42: won is"),
    ],
)
def test_each_kind_of_fault_is_named(change: Any, finding: str) -> None:  # noqa: ANN401 - a function of a log
    found = list(findings(change(sound_log()), COMMITMENT, ("0.2",), DRAWS))
    assert any(finding in line for line in found), found


def test_a_seed_of_ones_own_is_found_by_the_commitment_that_was_published() -> None:
    other = hashlib.sha256(b"another").digest()
    head = {"slug": "a", "seq": 1, "seed_commitment": hashlib.sha256(other).hexdigest(), "seed": other.hex()}
    assert list(findings([json.dumps(head)])) == []
    assert list(findings([json.dumps(head)], COMMITMENT)) == [
        "line 1: the seed is not the one that was promised"
    ]


def test_it_runs_alone_as_a_file(tmp_path: Path) -> None:
    log, copy = tmp_path / "draws.jsonl", tmp_path / "verify.py"
    log.write_text("\n".join(sound_log()) + "\n", encoding="utf-8")
    copy.write_bytes(FILE.read_bytes())
    command = [sys.executable, "-I", str(copy), str(log), "--commitment", COMMITMENT, "--draws"]
    sound = subprocess.run([*command, "40"], capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
    short = subprocess.run([*command, "41"], capture_output=True, text=True, check=False)  # noqa: S603 - the same
    assert (sound.returncode, sound.stdout) == (0, "every draw is as published\n")
    assert (short.returncode, short.stdout) == (1, "the log has 40 sound draws, the audit tells of 41\n")


def test_it_stays_short_and_needs_only_the_standard_library() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 100
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names
