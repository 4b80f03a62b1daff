"""The till's logic, without a page: its own tests are green, and every refusal has words and a next step."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOGIC = ROOT / "services" / "console" / "pages" / "static" / "pos" / "logic"
TESTS = Path(__file__).parent / "till"

_ROW = re.compile(r'^  (\w+): \["(.+)", "(.+)", "(.+)", "(.+)"\],$', re.MULTILINE)
_LISTED = re.compile(r"^\| (?:<a[^>]*></a>)?`(\w+)` \|.*\| `([^`]+)` \|$", re.MULTILINE)

# What no till is ever told, of the rooms that a till calls: these are staff's.
STAFF_ONLY = {
    "already_confirmed",
    "already_corrected",
    "already_decided",
    "already_paid",
    "case_open",
    "contract_price_not_directed",
    "contract_price_too_high",
    "contract_price_too_soon",
    "hold_released",
    "import_already_undone",
    "no_open_holds",
    "nobody_ranked",
    "not_awaiting_approval",
    "not_disputed",
    "not_in_settlement",
    "not_settled",
    "nothing_to_hold",
    "operator_code_taken",
    "operator_ended",
    "original_unpaid",
    "payee_account_changed",
    "payee_account_missing",
    "resume_before_reissue",
    "same_payee_account",
    "settlement_not_confirmed",
    "terminal_not_active",
}
SHARED = {"id_number_invalid", "bad_signature", "clock_skew", "replayed", "unauthenticated", "forbidden"}
SHARED |= {"not_found", "invalid_request", "payload_too_large", "too_many_requests", "request_no_reused"}


async def test_its_own_tests_are_green(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("NODE IS MISSING: the tests of the till's logic were not run")
    shutil.copytree(LOGIC, tmp_path / "logic")
    for file in TESTS.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        node,
        "--test",
        str(tmp_path / "till.test.js"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()


def test_every_refusal_that_a_till_can_get_has_words_and_a_next_step() -> None:
    rows = _ROW.findall((LOGIC / "reasons.js").read_text(encoding="utf-8"))
    worded = {code for code, *words in rows if all(words)}
    # The catalogue of all refusals, which a test of its own holds to the code.
    listed = _LISTED.findall((ROOT / "docs" / "errors.md").read_text(encoding="utf-8"))
    refusals = {code for code, where in listed if where.startswith("services/redemption")}
    assert refusals - STAFF_ONLY | SHARED <= worded
    assert refusals >= STAFF_ONLY, "the list names what is no refusal any more"
