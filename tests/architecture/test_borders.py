"""The import contracts hold, can break, and leave no room out."""

from typing import cast

import grimp
import pytest
from importlinter.contracts.layers import Layer, LayersContract
from importlinter.domain.helpers import module_expressions_to_modules
from importlinter.domain.imports import ModuleExpression

from tests.architecture import budgets
from tests.architecture.borders import broken, contracts, whole_house, with_import
from tests.architecture.source import ROOT

QUIZ = "services.issuance.quiz"
# One import each, and the contract that it breaks.
CROSSINGS: list[tuple[str, str, str]] = [
    ("services.issuance.wallet.operations", "services.redemption.writeoff.rules", "services"),
    ("services.console.pages.routes", "services.quota.wiring", "services"),
    ("shared.vouchers.store", "services.issuance.wallet.rules", "programs"),
    ("shared.jobs.queue", "deploy.local", "programs"),
    ("services.quota.cards.operations", "bench.simulator", "programs"),
    ("services.quota.wiring", "deploy.cli", "programs"),
    (f"{QUIZ}.rules", f"{QUIZ}.store", "room"),
    (f"{QUIZ}.store", f"{QUIZ}.operations", "room"),
    (f"{QUIZ}.operations", f"{QUIZ}.routes", "room"),
    (f"{QUIZ}.jobs", f"{QUIZ}.routes", "room"),
    (f"{QUIZ}.store", f"{QUIZ}.schemas", "room"),
    (f"{QUIZ}.errors", f"{QUIZ}.rules", "room"),
    (f"{QUIZ}.utils", "shared.clock", "room"),
    ("shared.ledger.rules", "shared.ledger.store", "shared-package"),
    ("shared.approvals.store", "shared.approvals.routes", "shared-package"),
    (f"{QUIZ}.rules", "shared.clock", "pure-rules"),
    (f"{QUIZ}.rules", "sqlalchemy", "pure-rules"),
    (f"{QUIZ}.rules", "asyncpg", "pure-rules"),
    (f"{QUIZ}.operations", "fastapi", "fastapi"),
    ("services.issuance.wiring", "fastapi", "fastapi"),
    ("shared.identity.tokens", "fastapi", "fastapi"),
    ("deploy.cli", "fastapi", "fastapi"),
    ("shared.identity.tokens", "starlette", "fastapi"),
    (f"{QUIZ}.operations", "arq", "arq"),
    ("shared.outbox.relay", "arq", "arq"),
    ("deploy.cli", "arq", "arq"),
    ("services.issuance.wiring", "services.issuance.app", "entry-points"),
    (f"{QUIZ}.operations", "services.issuance.worker", "entry-points"),
]


def room_contract() -> LayersContract:
    contract = contracts()["room"]
    assert isinstance(contract, LayersContract)
    return contract


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(
        "bench",
        "deploy",
        "migrations",
        "services",
        "shared",
        include_external_packages=True,
        cache_dir=None,
    )


def test_no_border_is_crossed(graph: grimp.ImportGraph) -> None:
    assert broken(graph) == set(), "run lint-imports to see which import crosses which border"


def test_every_room_stands_under_the_room_contract(graph: grimp.ImportGraph) -> None:
    """A folder without `__init__.py`, or one level deeper, would be invisible to import-linter."""
    containers = cast("list[ModuleExpression]", room_contract().containers)
    covered = {module.name for module in module_expressions_to_modules(graph, containers)}
    folders = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for file in (ROOT / "services").rglob("*.py")
        if len(file.relative_to(ROOT).parts) > len(("services", "service", "file"))
    }
    assert folders <= covered


def test_the_room_contract_knows_every_file_of_a_room() -> None:
    layers = cast("list[Layer]", room_contract().layers)
    names = {tail.name for layer in layers for tail in layer.module_tails}
    assert {f"{name}.py" for name in names} == budgets.ROOM_FILES - {"__init__.py"}


def test_the_house_as_planned_keeps_every_contract() -> None:
    assert broken(whole_house()) == set()


@pytest.mark.parametrize(("importer", "imported", "contract"), CROSSINGS)
def test_one_import_across_a_border_breaks_its_contract(importer: str, imported: str, contract: str) -> None:
    assert contract in broken(with_import(importer, imported))


def test_every_contract_is_shown_to_break() -> None:
    assert {contract for _, _, contract in CROSSINGS} == set(contracts())
