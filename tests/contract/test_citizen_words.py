"""Whoever is refused on the citizens' page is told what to do next, in both languages."""

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


def test_every_refusal_that_a_citizen_can_get_has_a_next_step_in_both_languages() -> None:
    steps = {code: words for code, *words in _NEXT.findall(WORDS.read_text(encoding="utf-8"))}
    # The catalogue of all refusals, which a test of its own holds to the code.
    listed = _LISTED.findall((ROOT / "docs" / "errors.md").read_text(encoding="utf-8"))
    own = {
        code
        for code, where in listed
        if where.startswith("services/issuance/") and where.rsplit("/", 1)[1] not in STAFF_ROOMS
    }
    shared = {code for code, where in listed if where in SHARED_ROOMS}
    wanted = (own - STAFF_ONLY) | (shared - SHARED_STAFF_ONLY)
    assert len(own) > 25, "the catalogue is read as it is written"
    assert wanted - set(steps) == set()
    assert own >= STAFF_ONLY
    for code, (_, zh, en) in steps.items():
        assert not zh.isascii(), code
        assert en.isascii() or "“" in en or "’" in en, code


def test_every_word_stands_in_both_languages() -> None:
    pairs = re.findall(r'^  (\w+): \["(.+)", "(.+)"\],$', WORDS.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(pairs) > 200
    for key, zh, en in pairs:
        assert zh, key
        assert en, key
        assert set(re.findall(r"\{(\w+)\}", zh)) == set(re.findall(r"\{(\w+)\}", en)), key
