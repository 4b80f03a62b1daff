"""What an institution's clerk sees first. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any


def standing(drafts: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those that wait for the institution before those whose dispute waits for the bureau."""
    return sorted(drafts, key=lambda one: one["dispute"] is not None)


def at_work(terminals: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Terminals that write off, or will: not those that were revoked."""
    return [one for one in terminals if one["status"] != "revoked"]
