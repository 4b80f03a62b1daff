"""The Honghe campaign of the demonstration: its definition, and which of its values were never published."""

from collections.abc import Mapping
from typing import Any

from deploy.demo_data.files import load_yaml

ASSUMED = "演示假定值"


def honghe_definition() -> dict[str, Any]:
    """The shipped definition; it names its own assumptions, for every reader to see."""
    definition: dict[str, Any] = load_yaml("honghe-2020/campaign.yaml")
    return definition | {"assumed": [path for entry in _assumed() for path in entry["paths"]]}


def assumed_values() -> list[tuple[str, str]]:
    """What is assumed, and the figures that stand for it."""
    definition = load_yaml("honghe-2020/campaign.yaml")
    return [
        (entry["label"], _short({path: value_at(definition, path) for path in entry["paths"]}))
        for entry in _assumed()
    ]


def value_at(definition: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - whatever stands there
    """Entries of a list are named by their key or their number."""
    here: Any = definition
    for step in path.split("."):
        if isinstance(here, list):
            here = next(part for part in here if step in (part.get("key"), str(part.get("seq"))))
        else:
            here = here[step]
    return here


def _assumed() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = load_yaml("honghe-2020/assumed.yaml")
    return found


def _short(values: Mapping[str, Any]) -> str:
    """What is assumed of entries of a list stands behind each entry's key."""
    parts: dict[str, list[str]] = {}
    for path, value in values.items():
        steps = path.split(".")
        of_an_entry = len(steps) == len(("list", "entry", "field")) and not isinstance(value, dict)
        name, field = (steps[1], f"{steps[2]} ") if of_an_entry and not steps[1].isdigit() else ("", "")
        parts.setdefault(name, []).append(field + _shown(value))
    return "; ".join(
        f"{name}: {', '.join(told)}" if name else " / ".join(told) for name, told in parts.items()
    )


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever stands there
    if isinstance(value, dict):
        return "、".join(f"{key} {part}" for key, part in value.items())
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)
