"""Rules about data: who opens a transaction, who speaks SQL, what money is."""

import ast
import re
from collections.abc import Iterator

from tests.architecture.source import Module, docstrings, dotted_name, string_text

# `snapshot`, the read-only view of shared/db, is not among them: it has nothing to commit.
TRANSACTION_CALLS = frozenset({"transaction", "begin", "begin_nested", "commit", "rollback"})
# Names from sqlalchemy that make a statement.
STATEMENT_BUILDERS = frozenset(
    {
        "bindparam",
        "cast",
        "delete",
        "exists",
        "func",
        "insert",
        "literal_column",
        "select",
        "text",
        "union",
        "union_all",
        "update",
        "values",
    }
)
# What we call the things that run statements, and how they do it.
RUNNERS = frozenset({"tx", "connection", "conn", "session", "database", "db", "pool"})
RUN_CALLS = frozenset(
    {
        "call",
        "copy_records_to_table",
        "execute",
        "executemany",
        "fetch",
        "fetchrow",
        "fetchval",
        "scalar",
        "scalar_one",
        "scalars",
        "stream",
        "stream_scalars",
    }
)
# A statement's beginning in capitals is SQL. In small letters it may be prose ("select a hospital"),
# so there the second keyword must follow too. Prose begins with one capital and is never matched.
SQL_TEXT = re.compile(
    r"\s*(?:SELECT\b|INSERT\s+INTO\b|UPDATE\s+\S+.*\bSET\b|DELETE\s+FROM\b|WITH\s+(?:RECURSIVE\s+)?\w+.*\bAS\b"
    r"|MERGE\s+INTO\b|TRUNCATE\b|LOCK\s+TABLE\b|(?:CREATE|ALTER|DROP)\s+(?:UNIQUE\s+|OR\s+REPLACE\s+)?"
    r"(?:TABLE|INDEX|FUNCTION|SCHEMA|VIEW|TRIGGER|DATABASE|ROLE|TYPE)\b"
    r"|select\s.*\sfrom\s|insert\s+into\s|update\s+\S+\s+set\s|delete\s+from\s)",
    re.DOTALL,
)


def transactions_open_in_operations_only(module: Module) -> Iterator[str]:
    """One operation is one visible transaction, committed before the answer is built.

    A transaction that opens deeper (in a store, a rule, a dependency) nests or commits too early; one
    that opens further out (a route, a middleware) commits after the reply was sent. Both have lost
    money elsewhere. See docs/decisions/0002.
    """
    if module.within("shared/db", "shared/jobs", "deploy/local", "migrations", "tests"):
        return
    if module.name in {"operations.py", "jobs.py"}:
        return
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in TRANSACTION_CALLS
        ):
            yield module.finding(node, f".{node.func.attr}( belongs into operations.py or jobs.py")


def sql_lives_in_stores(module: Module) -> Iterator[str]:
    """Each statement is a named function in a store, with one sentence on what it returns and locks.

    So every lock and every index can be found by reading the stores, and an operation reads as the
    business speaks. The launcher is exempt: it speaks to the server it starts, not to our tables.
    """
    if module.within("shared/db", "deploy/local", "migrations", "tests"):
        return
    if module.name in {"store.py", "tables.py"}:
        return
    prose = docstrings(module.tree)
    for node in ast.walk(module.tree):
        fault = None if node in prose else _sql_fault(node)
        if fault:
            yield module.finding(node, f"{fault} belongs into store.py")


def _sql_fault(node: ast.AST) -> str | None:
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sqlalchemy":
        names = sorted({alias.name for alias in node.names} & STATEMENT_BUILDERS)
        return f"building statements ({', '.join(names)})" if names else None
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        receiver = dotted_name(node.func.value).rpartition(".")[2].lstrip("_")
        if receiver in RUNNERS and node.func.attr in RUN_CALLS:
            return f"{receiver}.{node.func.attr}("
    text = string_text(node)
    if text is not None and SQL_TEXT.match(text):
        return f"the statement {' '.join(text.split())[:40]!r}"
    return None


def money_is_whole_fen(module: Module) -> Iterator[str]:
    """Money is a whole number of fen. A float loses fen silently, and sums then never agree with the bank."""
    for node in ast.walk(module.tree):
        name = _float_money(node)
        if name:
            yield module.finding(node, f"{name} is money: an int, never a float")


def _float_money(node: ast.AST) -> str | None:
    if isinstance(node, ast.AnnAssign):
        name = dotted_name(node.target)
        return name if name.endswith("_fen") and _says_float(node.annotation) else None
    if isinstance(node, ast.arg):
        return node.arg if node.arg.endswith("_fen") and _says_float(node.annotation) else None
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name if node.name.endswith("_fen") and _says_float(node.returns) else None
    if isinstance(node, ast.Call) and dotted_name(node.func) == "float" and node.args:
        name = dotted_name(node.args[0])
        return name if name.endswith("_fen") else None
    return None


def _says_float(annotation: ast.expr | None) -> bool:
    if annotation is None:
        return False
    return any(
        (isinstance(part, ast.Name) and part.id == "float")
        or (isinstance(part, ast.Constant) and isinstance(part.value, str) and "float" in part.value)
        for part in ast.walk(annotation)
    )
