"""An entry's before and after beside each other. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Side:
    """One field of an entry; a side that had none is None."""

    name: str
    before: str | None
    after: str | None

    @property
    def differs(self) -> bool:
        return self.before != self.after


def sides(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Side]:
    """Every field that either side has, in the order in which they come."""
    old, new = before or {}, after or {}
    names = list(dict.fromkeys([*old, *new]))
    return [Side(name, _told(old, name), _told(new, name)) for name in names]


def _told(values: Mapping[str, Any], name: str) -> str | None:
    if name not in values:
        return None
    value = values[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
