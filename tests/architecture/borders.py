"""Runs the contracts of .importlinter on a graph: the real one, or one made up by a test."""

from copy import deepcopy

from grimp import ImportGraph
from importlinter import Contract
from importlinter.api import read_configuration
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.independence import IndependenceContract
from importlinter.contracts.layers import LayersContract
from importlinter.contracts.protected import ProtectedContract

from tests.architecture import budgets
from tests.architecture.source import ROOT

CONTRACT_TYPES: dict[str, type[Contract]] = {
    "forbidden": ForbiddenContract,
    "independence": IndependenceContract,
    "layers": LayersContract,
    "protected": ProtectedContract,
}


def contracts() -> dict[str, Contract]:
    """The contracts of .importlinter by their id."""
    configuration = read_configuration(str(ROOT / ".importlinter"))
    return {
        options["id"]: CONTRACT_TYPES[options["type"]](
            options["name"], configuration["session_options"], options
        )
        for options in configuration["contracts_options"]
    }


def broken(graph: ImportGraph) -> set[str]:
    """The ids of the contracts that this graph breaks."""
    return {
        contract_id
        for contract_id, contract in contracts().items()
        if not contract.check(deepcopy(graph), verbose=False).kept
    }


def whole_house() -> ImportGraph:
    """A graph of the house as it will be: every service, every room, every file, and lawful imports only."""
    graph = ImportGraph()
    for name in ("arq", "asyncpg", "fastapi", "sqlalchemy", "starlette"):
        graph.add_module(name, is_squashed=True)
    for name in (
        "bench.baseline",
        "deploy.local",
        "deploy.cli",
        "migrations.head",
        "shared.clock",
        "shared.db",
    ):
        _add(graph, name)
    for name in ("shared.http.app", "shared.jobs.queue", "shared.settings", "shared.approvals.routes"):
        _add(graph, name)
    for service, rooms in budgets.ROOMS.items():
        root = f"services.{service}"
        for name in ("app", "worker", "wiring"):
            _add(graph, f"{root}.{name}")
        for room in rooms:
            for file in budgets.ROOM_FILES - {"__init__.py"}:
                _add(graph, f"{root}.{room}.{file.removesuffix('.py')}")
            _import(graph, f"{root}.{room}.routes", f"{root}.{room}.operations", "fastapi")
            _import(graph, f"{root}.{room}.jobs", f"{root}.{room}.operations", "arq")
            _import(graph, f"{root}.{room}.operations", f"{root}.{room}.store", f"{root}.{room}.rules")
            _import(graph, f"{root}.{room}.store", f"{root}.{room}.tables", "shared.db", "sqlalchemy")
            _import(graph, f"{root}.{room}.rules", f"{root}.{room}.errors")
            _import(graph, f"{root}.wiring", f"{root}.{room}.operations")
            _import(graph, f"{root}.app", f"{root}.{room}.routes")
            _import(graph, f"{root}.worker", f"{root}.{room}.jobs")
        _import(graph, f"{root}.app", f"{root}.wiring", "fastapi")
        _import(graph, f"{root}.worker", f"{root}.wiring", "arq")
        _import(graph, "deploy.local", f"{root}.app", f"{root}.worker")
    _import(graph, "shared.http.app", "fastapi", "starlette", "migrations.head")
    _import(graph, "shared.approvals.routes", "fastapi")
    _import(graph, "shared.jobs.queue", "arq")
    _import(graph, "deploy.local", "arq", "starlette")
    _import(graph, "deploy.cli", "bench")
    return graph


def with_import(importer: str, imported: str) -> ImportGraph:
    """The whole house with one import more."""
    graph = whole_house()
    _add(graph, importer)
    _add(graph, imported)
    _import(graph, importer, imported)
    return graph


def _add(graph: ImportGraph, name: str) -> None:
    """Adds a module and the packages that it lies in."""
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        module = ".".join(parts[:length])
        if module not in graph.modules:
            graph.add_module(module)


def _import(graph: ImportGraph, importer: str, *imported: str) -> None:
    for name in imported:
        graph.add_import(importer=importer, imported=name, line_number=1, line_contents=f"import {name}")
