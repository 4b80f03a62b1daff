"""Whoever is refused on the citizens' page is told what to do next, in both languages."""

import re

from tests.support.citizen_codes import STAFF_ONLY, WORDS, citizens_codes, citizens_own, next_steps


def test_every_refusal_that_a_citizen_can_get_has_a_next_step_in_both_languages() -> None:
    steps = next_steps()
    assert len(citizens_own()) > 25, "the catalogue is read as it is written"
    assert citizens_codes() - set(steps) == set()
    assert citizens_own() >= STAFF_ONLY
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
