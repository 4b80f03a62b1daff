"""What a programme's definition must be. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.rates import parse_rate, rate_text

# Bounds far beyond any city, so that sums and products stay within the database's bigint.
CARDS_MAX = 1_000_000_000
RESIDENTS_MAX = CARDS_MAX

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
    faults = _target_faults(definition)
    target, remaining = _target(definition), definition.get("remaining_exact")
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


def end_fault(ends_on: date | None, *, frozen_through: date | None, begins_after: date | None) -> str | None:
    """Why a programme cannot end on that day, or None. No end at all is always possible."""
    if ends_on is None:
        return None
    if begins_after is not None and ends_on <= begins_after:
        return f"应晚于已发卡数的截止日 {begins_after}"
    if frozen_through is not None and ends_on <= frozen_through:
        return f"应晚于已冻结的最后一日 {frozen_through}"
    return None


def exact_target(residents: int, share: Decimal) -> Decimal:
    """The share of the residents, in cards: exact, with six decimals at the most."""
    return residents * share


def whole_target(exact: Decimal) -> int:
    """Half up."""
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def _target_faults(definition: Mapping[str, Any]) -> list[SenseFault]:
    """A target must be the share of the residents, to the card, unless somebody decided another one."""
    target, exact = definition.get("target_cards"), _exact_target(definition)
    if target is None:
        if definition.get("residents") is None or definition.get("target_share_of_residents") is None:
            missing = "须填写目标数，或同时填写 residents 与 target_share_of_residents"
            return [SenseFault(("target_cards",), "missing", missing)]
        if exact is not None and whole_target(exact) < 1:
            return [SenseFault(("residents",), "target_zero", "按占比计算的目标不足一张")]
        return []
    decided = definition.get("target_as_decided") is True
    if exact is None or not _is_count(target) or decided or abs(target - exact) < 1:
        return []
    sentence = (
        f"按占比应为 {rate_text(exact)}，与目标数 {target} 相差 {rate_text(target - exact)}；"
        "如确按 target_cards 下达，请注明 target_as_decided"
    )
    return [SenseFault(("target_cards",), "target_mismatch", sentence)]


def _target(definition: Mapping[str, Any]) -> object:
    """As it was sent, or as it is computed when it was left out."""
    exact = _exact_target(definition)
    if definition.get("target_cards") is None and exact is not None:
        return whole_target(exact)
    return definition.get("target_cards")


def _exact_target(definition: Mapping[str, Any]) -> Decimal | None:
    """None while it cannot be computed; then the fields' own faults say why."""
    residents, share = definition.get("residents"), _share(definition)
    if not _is_count(residents) or not 1 <= residents <= RESIDENTS_MAX or share is None:
        return None
    return exact_target(residents, share)


def _share(definition: Mapping[str, Any]) -> Decimal | None:
    try:
        share = parse_rate(definition.get("target_share_of_residents"))
    except ValueError:
        return None
    return share if 0 < share <= 1 else None


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
