"""Rules about size and place: what stays readable, and where a reader finds it."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from tests.architecture import budgets
from tests.architecture.source import Module


def module_fits_its_budget(module: Module) -> Iterator[str]:
    """A module has one responsibility and can be read as a whole.

    What grows past the limit has become two features: it is split along its meaning, not cut in the
    middle. Migrations are exempt here and below: a list of statements, written once, never changed.
    """
    if module.within("migrations/versions"):
        return
    limit = budgets.TEST_MODULE_LINES_MAX if module.within("tests") else budgets.MODULE_LINES_MAX
    lines = len(module.text.splitlines())
    if lines > limit:
        yield module.finding(module.tree, f"{lines} lines, at most {limit}: split it by responsibility")


def above_the_guide(modules: Iterable[Module]) -> Iterator[str]:
    """Modules between the guide and the limit, the longest first: still allowed, and the next to be split."""
    code = ((len(module.text.splitlines()), module.path) for module in modules if not module.within("tests"))
    for lines, path in sorted(code, reverse=True):
        if lines > budgets.MODULE_LINES_GUIDE and not path.is_relative_to("migrations/versions"):
            yield f"{path}: {lines} lines, {budgets.MODULE_LINES_GUIDE} as a guide"


def function_fits_its_budget(module: Module) -> Iterator[str]:
    """A function fits on one screen, so that a review sees all of it at once."""
    if module.within("migrations/versions"):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > budgets.FUNCTION_LINES_MAX:
                yield module.finding(
                    node, f"{node.name} has {lines} lines, at most {budgets.FUNCTION_LINES_MAX}"
                )


def every_file_has_its_room(files: Iterable[PurePosixPath]) -> Iterator[str]:
    """Every room has the same files, so that whoever knows one room finds the way in all of them.

    A file of another name is either one of these in disguise (a `utils.py` hides rules) or a room of
    its own. Takes the paths of all files below services/.
    """
    for path in files:
        fault = _misplaced(path)
        if fault:
            yield f"{path}: {fault}"


def _misplaced(path: PurePosixPath) -> str | None:
    match path.parts[1:]:
        case (file,):
            return None if file in {"__init__.py", "py.typed"} else "services/ holds services only"
        case (service, *_) if service not in budgets.ROOMS:
            return f"{service} is not one of the services; ROOMS in budgets.py names them"
        case (_, file):
            known = sorted(budgets.SERVICE_FILES)
            return None if file in known else f"a service's root holds {', '.join(known)} only"
        case (service, room, *_) if room not in budgets.ROOMS[service]:
            return f"{room} is not a room of {service}; ROOMS in budgets.py names them"
        case (_, room, *rest):
            return _misplaced_in_room(room, rest, path.suffix)
        case _:
            return None


def _misplaced_in_room(room: str, rest: list[str], suffix: str) -> str | None:
    if room == "pages" and rest[0] in budgets.PAGES_FOLDERS:
        return None
    if room.endswith(budgets.AREA_ENDING) and rest[0] in budgets.AREA_FOLDERS:
        return None
    if len(rest) > 1:
        return "a room has no folders: what needs one is a room of its own"
    if rest[0] in budgets.ROOM_FILES or suffix in budgets.ROOM_SUFFIXES:
        return None
    return f"a room holds {', '.join(sorted(budgets.ROOM_FILES))} and .sql files only"
