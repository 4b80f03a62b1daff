"""The stand-alone verifier finds every change of a log, and nothing wrong with a sound one."""

import ast
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deploy.verify_draws import findings
from tests.support.draw_logs import COMMITMENT, draw, line, log_of, sound_log
from tests.support.mutations import MUTATORS, mutated

FILE = Path(__file__).parents[3] / "deploy" / "verify_draws.py"
MUTATIONS = 1500
LONG_AGO = 5


@pytest.mark.parametrize("odds", ["0.2", "0.000001", "0.999999", "1"])
def test_a_sound_log_has_no_findings(odds: str) -> None:
    log = sound_log(odds)
    assert list(findings(log.lines)) == []
    assert list(findings(log.lines, [log.audit, *(log.running(hours) for hours in range(1, 6))])) == []


def test_a_phase_without_draws_has_roots_and_no_findings() -> None:
    empty = log_of([], hours=[0, 0])
    assert list(findings(empty.lines, [empty.audit])) == []


# What a log shows by itself. The rest takes knowing what was published: the number of draws, the roots.
SEEN_WITHOUT_AUDIT = {
    "flip_bit", "new_letter", "duplicate", "alter_client_seed", "alter_chance", "alter_won"
}  # fmt: skip


def test_every_mutation_of_a_log_is_found() -> None:
    log = sound_log("0.2", later_odds="0.4")
    tried: Counter[str] = Counter()
    for name, lines in mutated(log, MUTATIONS):
        assert b"".join(lines) != b"".join(log.lines), name
        assert list(findings(lines, [log.audit])), (name, lines)
        tried[name] += 1
    assert min(tried.values()) == MUTATIONS // len(MUTATORS)


def test_every_mutation_of_what_was_sealed_is_found_with_an_audit_saved_meanwhile() -> None:
    """Though its draws have not ended, and the audit of today may have been changed along with the log."""
    log = sound_log("0.2", later_odds="0.4")
    saved = log.running(LONG_AGO)
    sealed = saved["phases"][0]["log_roots"][-1]["draws"]
    for name, lines in mutated(log, MUTATIONS):
        if lines[: sealed + 1] != log.lines[: sealed + 1]:
            assert list(findings(lines, [saved])), (name, lines)


def test_what_a_log_shows_by_itself() -> None:
    log = sound_log("0.2", later_odds="0.4")
    missed = Counter(name for name, lines in mutated(log, MUTATIONS) if not list(findings(lines)))
    # White space at the ends of JSON says the same; with roots it is found nevertheless.
    assert {name for name in missed if name in SEEN_WITHOUT_AUDIT} <= {"flip_bit", "new_letter"}
    assert {
        "cut_off_the_end",
        "swap",
        "reorder",
        "replace_draw",
        "add_draw",
        "alter_odds",
        "draw_anew",
    } <= set(missed)


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (lambda log: log[:-1], "the log has 39 draws, the audit tells of 40"),
        (lambda log: [*log, log[5]], "line 42: this chance was drawn on line 6 already"),
        (lambda log: log[1:], "line 1: must have slug"),
        (lambda _log: [], "line 1: is not a JSON object"),
        (lambda log: [*log, b""], "line 42: is not a JSON object"),
        (lambda log: [*log, b"\xff"], "line 42: is not a JSON object"),
        (lambda log: [*log, b"[" * 100_000], "line 42: is not a JSON object"),
        (lambda log: [*log, log[1][:-2] + b',"won":true}'], "line 42: must have chance_id"),
        (lambda log: [*log, log[1][:-2] + b',"person":"1"}'], "line 42: must have chance_id"),
        (lambda log: [log[0], *(each.replace(b"0.2", b"0.21") for each in log[1:])], "'0.21' are not odds"),
        (lambda log: [*log, line(draw(99) | {"odds": "1e-1"})], "'1e-1' are not odds"),
        (lambda log: [*log, line(draw(99) | {"client_seed": "\ud800"})], "line 42: is not a JSON object"),
        (lambda log: [*log, line(draw(99) | {"won": not draw(99)["won"]})], "line 42: won is"),
        (lambda log: [log[0], log[2], log[1], *log[3:]], "line 8: the root of 2020-10-31T13:00:00+08:00"),
    ],
)
def test_each_kind_of_fault_is_named(change: Any, finding: str) -> None:  # noqa: ANN401 - a function of a log
    log = sound_log()
    found = list(findings(change(log.lines), [log.audit]))
    assert any(finding in each for each in found), found


def test_a_fault_is_told_of_in_its_own_hour_only() -> None:
    log = sound_log()
    swapped = [*log.lines[:10], log.lines[11], log.lines[10], *log.lines[12:]]
    assert list(findings(swapped, [log.audit])) == [
        "line 20: the root of 2020-10-31T14:00:00+08:00 is not the one of these lines"
    ]


def test_two_audits_that_differ_about_an_hour_are_found() -> None:
    log, another = sound_log(), sound_log()
    another.audit["phases"][0]["log_roots"][2]["root"] = "0" * 64
    assert list(findings(log.lines, [log.audit])) == []
    assert len(list(findings(log.lines, [log.audit, another.audit]))) >= 1


def test_an_audit_of_something_else_does_not_pass() -> None:
    log, another = sound_log(), sound_log()
    another.audit["phases"][0]["seq"] = 2
    assert "line 1: the seed is not the one that was promised for this phase" in list(
        findings(log.lines, [another.audit])
    )


def run(*paths: Path) -> tuple[int, str]:
    command = [sys.executable, "-I", *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
    return done.returncode, done.stdout


def test_it_runs_alone_as_a_file(tmp_path: Path) -> None:
    log, audit, copy = tmp_path / "draws.jsonl", tmp_path / "audit.json", tmp_path / "verify.py"
    sound = sound_log()
    audit.write_text(json.dumps(sound.audit), encoding="utf-8")
    copy.write_bytes(FILE.read_bytes())
    log.write_bytes(b"".join(sound.lines))
    assert run(copy, log) == (0, "every draw is as published\n")
    assert run(copy, log, audit) == (0, "every draw is as published\n")
    log.write_bytes(b"".join(sound.lines[:-1]))
    assert run(copy, log) == (0, "every draw is as published\n")
    assert run(copy, log, audit) == (1, "the log has 39 draws, the audit tells of 40\n")
    assert COMMITMENT in audit.read_text(encoding="utf-8")


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
