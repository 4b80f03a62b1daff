"""What a sort of document is, and what a template is tried with. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.documents.wordtemplates import Shape


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of document: what its template may name, the platform's own, its actions in the audit."""

    shape: Shape
    default: Callable[[], bytes]
    replaced: str
    worded: str


def trials(shape: Shape) -> list[dict[str, Any]]:
    """Made-up contexts to try a template with: everything is there, nothing is there."""
    full = {
        **dict.fromkeys(shape.fields, "示例"),
        **{name: [dict.fromkeys(fields, "示例")] for name, fields in shape.lists.items()},
    }
    return [full, {**dict.fromkeys(shape.fields, ""), **{name: [] for name in shape.lists}}]
