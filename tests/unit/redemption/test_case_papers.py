"""Every word that a case can say has its Chinese one, so that no clerk reads a code."""

import re
from pathlib import Path
from typing import get_args

from services.redemption.casefiles.rules import DECISIONS, KINDS
from services.redemption.findings.rules import Signal
from services.redemption.risk.rules import CaseKind, Decision
from shared.riskwords import REASONS

ROOMS = Path(__file__).resolve().parents[3] / "services" / "redemption"


def test_kinds_and_decisions_have_their_words() -> None:
    assert set(KINDS) == set(get_args(CaseKind)) >= set(get_args(Signal))
    assert set(DECISIONS) == set(get_args(Decision))


def test_every_reason_that_a_signal_gives_has_its_words() -> None:
    said = {
        code
        for room in ("paces", "handling", "circles")
        for code in re.findall(r'"([a-z]+(?:_[a-z]+)+)"', (ROOMS / room / "rules.py").read_text())
    }
    assert said - set(get_args(Signal)) == set(REASONS)
