"""What a programme's definition must be. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Bounds far beyond any city, so that sums and products stay within the database's bigint.
CARDS_MAX = 1_000_000_000

# A path of this origin, or an address of the card platform; nothing that a browser would run.
_LANDING_URL = re.compile(r"(?:/(?![/\\])|https?://[0-9A-Za-z.-]+(?::\d{1,5})?(?:/|$))[!-\[\]-~]*")


@dataclass(frozen=True, slots=True)
class SenseFault:
    """A fault between fields: `loc` is the field that would be corrected."""

    loc: tuple[str | int, ...]
    code: str
    message: str


def is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def is_landing_url(url: str) -> bool:
    return _LANDING_URL.fullmatch(url) is not None


def definition_faults(definition: Mapping[str, Any]) -> list[SenseFault]:
    """Faults between the fields of a definition as it was sent; fields of a wrong type are not judged."""
    faults: list[SenseFault] = []
    target, remaining = definition.get("target_cards"), definition.get("remaining_exact")
    before = definition.get("issued_before")
    issued = before.get("cards") if isinstance(before, Mapping) else 0
    if _is_count(target) and _is_count(remaining) and _is_count(issued) and remaining != target - issued:
        sentence = f"应等于目标数减已发卡数：{target} − {issued} = {target - issued}"
        faults.append(SenseFault(("remaining_exact",), "remaining_mismatch", sentence))
    as_of = before.get("as_of") if isinstance(before, Mapping) else None
    ends_on = definition.get("ends_on")
    # Both are YYYY-MM-DD when they are right, so that their texts compare like the days.
    if isinstance(as_of, str) and isinstance(ends_on, str) and ends_on <= as_of:
        faults.append(SenseFault(("ends_on",), "ends_before_start", f"应晚于已发卡数的截止日 {as_of}"))
    return faults


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
