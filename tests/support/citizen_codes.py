"""Which refusals a citizen can get, and what the citizens' page says to do after each."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORDS = ROOT / "services" / "console" / "pages" / "static" / "citizen" / "logic" / "words.js"
_NEXT = re.compile(r'^  (\w+): \["(\w+)", "(.+)", "(.+)"\],$', re.MULTILINE)
_LISTED = re.compile(r"^\| (?:<a[^>]*></a>)?`(\w+)` \|.*\| `([^`]+)` \|$", re.MULTILINE)

# Rooms in which staff alone are refused anything.
STAFF_ROOMS = {
    "bank",
    "calibration",
    "campaigns",
    "changes",
    "phases",
    "planning",
    "rescoring",
    "reviews",
    "terms",
    "vouchers",
}
# Refusals of staff in rooms that citizens visit too.
STAFF_ONLY = {"already_excluded", "consent_version_taken", "exclusion_already_lifted", "hold_already_decided"}
# What any call of a citizen may answer, wherever it is written.
SHARED_ROOMS = {"shared", "shared/identity", "shared/signin", "shared/http/health", "shared/http/problems"}
# Of staff, though shared: what two pairs of eyes decide on.
SHARED_STAFF_ONLY = {"no_longer_fits"}


def citizens_own() -> set[str]:
    """Codes of the rooms that citizens visit, from the catalogue that a test of its own holds to the code."""
    return {
        code
        for code, where in _listed()
        if where.startswith("services/issuance/") and where.rsplit("/", 1)[1] not in STAFF_ROOMS
    }


def citizens_codes() -> set[str]:
    """Every code that a citizen can be refused with."""
    shared = {code for code, where in _listed() if where in SHARED_ROOMS}
    return (citizens_own() - STAFF_ONLY) | (shared - SHARED_STAFF_ONLY)


def next_steps() -> dict[str, tuple[str, str, str]]:
    """By code: the step that the page offers, and its sentence in Chinese and in English."""
    written = WORDS.read_text(encoding="utf-8")
    return {code: (step, zh, en) for code, step, zh, en in _NEXT.findall(written)}


def _listed() -> list[tuple[str, str]]:
    return _LISTED.findall((ROOT / "docs" / "errors.md").read_text(encoding="utf-8"))
