"""The house keeps its rules. Each rule's docstring says why it exists; a finding says where it is broken."""

from collections.abc import Iterable
from inspect import cleandoc
from pathlib import PurePosixPath

import pytest

from tests.architecture import rules_data, rules_kit, rules_shape
from tests.architecture.source import ROOT, Rule, house

RULES: tuple[Rule, ...] = (
    rules_shape.module_fits_its_budget,
    rules_shape.function_fits_its_budget,
    rules_data.transactions_open_in_operations_only,
    rules_data.sql_lives_in_stores,
    rules_data.money_is_whole_fen,
    rules_kit.frameworks_stay_at_the_edge,
    rules_kit.now_comes_from_the_clock,
    rules_kit.settings_have_no_default_secret,
    rules_kit.refusals_live_in_errors,
)


def refuse(reason: str | None, findings: Iterable[str]) -> None:
    """Fails with the findings and the rule's reason, and without a traceback that would bury them."""
    found = list(findings)
    if found:
        pytest.fail("\n".join([*found, "", cleandoc(reason or "")]), pytrace=False)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds_in_the_whole_house(rule: Rule) -> None:
    refuse(rule.__doc__, (finding for module in house() for finding in rule(module)))


def test_every_file_of_a_service_has_its_room() -> None:
    rule = rules_shape.every_file_has_its_room
    files = (
        PurePosixPath(file.relative_to(ROOT))
        for file in sorted((ROOT / "services").rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts
    )
    refuse(rule.__doc__, rule(files))


def test_every_rule_says_why() -> None:
    assert [rule.__name__ for rule in RULES if not rule.__doc__] == []
