"""Reads the house's Python files once, as syntax trees, for the rules to judge."""

import ast
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tests.architecture import budgets

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Module:
    """One Python file: its path from the project's root, its text and its tree."""

    path: PurePosixPath
    text: str
    tree: ast.Module

    @classmethod
    def parse(cls, path: str, text: str) -> "Module":
        return cls(PurePosixPath(path), text, ast.parse(text, filename=path))

    @property
    def name(self) -> str:
        return self.path.name

    def nodes(self) -> Iterator[ast.AST]:
        return ast.walk(self.tree)

    def within(self, *folders: str) -> bool:
        """True when the file lies in one of these folders (or is one of these files)."""
        return any(self.path.is_relative_to(folder) for folder in folders)

    def matches(self, *patterns: str) -> bool:
        """True for patterns such as `services/*/app.py`, part by part; a final `**` stands for all below."""
        return any(_matches(self.path.parts, pattern.split("/")) for pattern in patterns)

    def finding(self, node: ast.AST, message: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}: {message}"


Rule = Callable[[Module], Iterator[str]]


def _matches(parts: tuple[str, ...], pattern: list[str]) -> bool:
    if pattern[-1] == "**":
        pattern = pattern[:-1]
        parts = parts[: len(pattern)]
    return len(parts) == len(pattern) and all(
        want in ("*", part) for part, want in zip(parts, pattern, strict=True)
    )


@functools.cache
def house() -> tuple[Module, ...]:
    """Every Python file of ours."""
    files = (
        file
        for folder in budgets.CODE_FOLDERS
        for file in sorted((ROOT / folder).rglob("*.py"))
        if "__pycache__" not in file.parts
    )
    return tuple(
        Module.parse(file.relative_to(ROOT).as_posix(), file.read_text(encoding="utf-8")) for file in files
    )


def docstrings(tree: ast.Module) -> set[ast.AST]:
    """The string nodes that are prose: docstrings and other strings standing alone."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and _is_string(node.value)}


def _is_string(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def string_text(node: ast.AST) -> str | None:
    """The text of a string or f-string (each placeholder becomes `_`); None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else "_"
            for part in node.values
        )
    return None


def dotted_name(node: ast.AST) -> str:
    """`a.b.c` for names and attributes; what cannot be named (a call, an index) is left out."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        parent = dotted_name(node.value)
        return f"{parent}.{node.attr}" if parent else node.attr
    return ""


def imported_modules(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """Each import statement with the module that it names, also those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node, node.module
