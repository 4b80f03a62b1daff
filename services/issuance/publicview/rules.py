"""Paths into a campaign's definition: steps are field names, in a list an entry's key or its number. Pure."""

from collections.abc import Collection, Mapping
from typing import Any


def leads_somewhere(definition: Mapping[str, Any], path: str) -> bool:
    """Whether there is a value at that path."""
    here: object = definition
    for step in path.split("."):
        if isinstance(here, list):
            entries = (part for part in here if isinstance(part, Mapping))
            here = next((part for part in entries if step in (part.get("key"), str(part.get("seq")))), None)
        else:
            here = here.get(step) if isinstance(here, Mapping) else None
        if here is None:
            return False
    return True


def is_under(path: str, decided: Collection[str]) -> bool:
    """Whether a path is one of these, or leads to a part of one of them, or one of them to a part of it."""
    return any(f"{path}.".startswith(f"{one}.") or f"{one}.".startswith(f"{path}.") for one in decided)
