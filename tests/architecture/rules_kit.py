"""Rules about the kit: frameworks at the edge, one clock, no default secret, one place for refusals."""

import ast
from collections.abc import Iterator

from tests.architecture.source import Module, dotted_name, imported_modules

HTTP_PLACES = (
    # The ordinary way of building a call, which the platform's own is measured against.
    "bench/baseline/**",
    "deploy/local/**",
    "services/*/app.py",
    "services/*/*/routes.py",
    "services/*/*/schemas.py",
    "services/console/pages/**",
    "shared/*/routes.py",
    "shared/*/schemas.py",
    "shared/http/**",
    "tests/**",
)
FRAMEWORK_PLACES = {
    "fastapi": HTTP_PLACES,
    "starlette": HTTP_PLACES,
    "arq": (
        "deploy/local/**",
        "services/*/worker.py",
        "services/*/*/jobs.py",
        "shared/jobs/**",
        "tests/**",
    ),
}

NOW_CALLS = frozenset(
    {
        "date.today",
        "datetime.date.today",
        "datetime.datetime.now",
        "datetime.datetime.today",
        "datetime.datetime.utcnow",
        "datetime.now",
        "datetime.today",
        "datetime.utcnow",
        "time.time",
        "time.time_ns",
    }
)
SECRET_ENDINGS = ("_key", "_keys", "_password", "_secret", "_token")


def frameworks_stay_at_the_edge(module: Module) -> Iterator[str]:
    """FastAPI is known where HTTP is spoken, arq where jobs are run, and nowhere else.

    An operation is called alike from HTTP, a job, the command line and a test. arq is in maintenance
    only: the fewer places know it, the cheaper its successor.
    """
    for node, name in imported_modules(module.tree):
        places = FRAMEWORK_PLACES.get(name.split(".")[0])
        if places and not module.matches(*places):
            yield module.finding(node, f"{name} is imported in {', '.join(places)} only")


def now_comes_from_the_clock(module: Module) -> Iterator[str]:
    """shared/clock is the only source of now.

    The demonstration moves the clock, tests stand it still, and everything that expires must follow.
    Tests, bench and deploy are exempt: they measure real time.
    """
    if module.within("bench", "deploy", "shared/clock", "tests"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and dotted_name(node.func) in NOW_CALLS:
            yield module.finding(node, f"{dotted_name(node.func)}() bypasses shared/clock")
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            for alias in node.names:
                if alias.name in {"time", "time_ns"}:
                    yield module.finding(node, f"time.{alias.name} bypasses shared/clock")


def settings_have_no_default_secret(module: Module) -> Iterator[str]:
    """No secret has a default: a key that everyone can read in the repository is no key.

    A forgotten setting then stops the start, instead of running with a known secret. None is allowed:
    it switches the feature off.
    """
    if module.within("tests"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and dotted_name(node.func).endswith("SecretStr"):
            if node.args and isinstance(node.args[0], ast.Constant):
                yield module.finding(node, "a secret is written into the code")
        elif isinstance(node, ast.ClassDef) and node.name.endswith("Settings"):
            yield from _default_secrets(module, node)


def _default_secrets(module: Module, settings: ast.ClassDef) -> Iterator[str]:
    for field in settings.body:
        if not isinstance(field, ast.AnnAssign) or field.value is None:
            continue
        name = dotted_name(field.target)
        is_secret = "SecretStr" in ast.dump(field.annotation) or name.endswith(SECRET_ENDINGS)
        if is_secret and not _is_empty_default(field.value):
            yield module.finding(field, f"{name} is a secret with a default")


def _is_empty_default(value: ast.expr) -> bool:
    if isinstance(value, ast.Constant):
        return value.value is None
    if not isinstance(value, ast.Call) or not dotted_name(value.func).endswith("Field"):
        return False
    defaults = [*value.args, *(word.value for word in value.keywords if word.arg == "default")]
    made = any(word.arg == "default_factory" for word in value.keywords)
    return not made and all(
        isinstance(default, ast.Constant) and default.value in (None, ...) for default in defaults
    )


def refusals_live_in_errors(module: Module) -> Iterator[str]:
    """A service's refusals are classes in its rooms' errors.py: all that a room can say no to, on one page.

    A `code` is a promise to every caller; it is given in one place and never made up on the way.
    """
    if not module.within("services") or module.name == "errors.py":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef) and {"code", "zh"} <= assigned_names(node):
            yield module.finding(node, f"the refusal {node.name} belongs into errors.py")


def assigned_names(node: ast.ClassDef) -> set[str]:
    names: set[str] = set()
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            names.update(dotted_name(target) for target in statement.targets)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            names.add(dotted_name(statement.target))
    return names
