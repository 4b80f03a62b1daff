"""What a campaign definition must satisfy, and how a phase and its odds follow from it. Pure.

The checks take the definition as it was sent, also when parts of it are missing or of the wrong type:
so one answer names the half-written and the inconsistent together. Types and presence are judged by
schemas.py; a value that it refuses is passed over here.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any, Literal
from uuid import UUID
from zoneinfo import available_timezones

from services.issuance.publicview.rules import leads_somewhere
from shared.money import PPM, yuan
from shared.rates import parse_rate

CHANNELS = ("quiz", "share", "lead", "event", "fitness")
DIFFICULTIES = ("1", "2", "3")

# A slug stands in addresses, in the draw's message and in file names.
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_KEY = re.compile(r"[a-z0-9](?:[a-z0-9_]{0,62}[a-z0-9])?")
_THRESHOLD_BITS = 64

State = Literal["upcoming", "open", "closed", "paused"]
Location = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class DefinitionFault:
    """Where a definition is at fault, a stable word for it, and a sentence for the clerk."""

    loc: Location
    code: str
    message: str


Faults = Iterator[DefinitionFault]


def phase_state(opens_at: datetime, closes_at: datetime, *, status: str, now: datetime) -> State:
    """Phases open and close by the clock; only a phase that would be open can be paused."""
    if now < opens_at:
        return "upcoming"
    if now >= closes_at:
        return "closed"
    return "open" if status == "published" else "paused"


def threshold_of(odds_ppm: int) -> bytes | None:
    """floor(odds × 2^64) as 8 bytes, exactly; None for odds of 1, which no draw can miss."""
    if odds_ppm == PPM:
        return None
    return (odds_ppm * (1 << _THRESHOLD_BITS) // PPM).to_bytes(_THRESHOLD_BITS // 8, "big")


def seed_context(phase_id: UUID) -> bytes:
    """What ties a sealed seed to its phase."""
    return f"issuance.phase/{phase_id}/seed".encode()


def definition_faults(definition: Mapping[str, Any]) -> list[DefinitionFault]:
    """Every semantic fault of a definition, in the order of its parts."""
    return [
        *_name_faults(definition),
        *_payer_faults(definition),
        *_channel_faults(definition),
        *_type_faults(definition),
        *_phase_faults(definition),
        *_budget_faults(definition),
        *_cap_faults(definition),
        *_assumed_faults(definition),
    ]


def odds_faults(odds: object, loc: Location) -> Faults:
    rate = _rate(odds)
    if rate is not None and not 0 < rate <= 1:
        yield DefinitionFault(loc, "odds_range", "中奖率必须大于 0 且不超过 1")


def release_faults(plan: object, stock: object, loc: Location) -> Faults:
    """Of a release plan: it can only spread what its phase has."""
    amounts = plan.get("amounts") if isinstance(plan, Mapping) else None
    for key in amounts if isinstance(amounts, Mapping) else ():
        if isinstance(stock, Mapping) and key not in stock:
            fault = f"本期没有券种“{str(key)[:64]}”的库存，不能为其设定投放计划"
            yield DefinitionFault((*loc, "amounts", str(key)), "release_type_unknown", fault)


def phase_faults(phase: Mapping[str, Any], loc: Location) -> Faults:
    """Of a phase by itself."""
    opens_at, closes_at = _moment(phase.get("opens_at")), _moment(phase.get("closes_at"))
    if opens_at and closes_at and closes_at <= opens_at:
        yield DefinitionFault((*loc, "closes_at"), "closes_before_opening", "结束时间必须晚于开始时间")
    yield from odds_faults(phase.get("odds"), (*loc, "odds"))
    yield from quiz_faults(phase.get("quiz"), (*loc, "quiz"))
    yield from release_faults(phase.get("release_plan"), phase.get("stock"), (*loc, "release_plan"))


def quiz_faults(quiz: object, loc: Location) -> Faults:
    """Of a quiz rule: what its numbers say together."""
    if not isinstance(quiz, Mapping):
        return
    shortest, longest = _number(quiz.get("min_seconds")), _number(quiz.get("time_limit_seconds"))
    if shortest is not None and longest is not None and shortest >= longest:
        yield DefinitionFault((*loc, "min_seconds"), "min_seconds_range", "最短用时必须小于答题时限")
    blueprint, questions = quiz.get("blueprint"), _number(quiz.get("questions"))
    if isinstance(blueprint, Mapping):
        for key in blueprint:
            if key not in DIFFICULTIES:
                fault = "难度只能是 1、2、3"
                yield DefinitionFault((*loc, "blueprint", str(key)), "difficulty_unknown", fault)
        counts = [
            _number(count)
            for wanted in blueprint.values()
            for count in (wanted.values() if isinstance(wanted, Mapping) else [wanted])
        ]
        known = [count for count in counts if count is not None]
        if questions is not None and len(known) == len(counts) and sum(known) != questions:
            fault = f"各难度题数之和为 {sum(known)}，应等于题目数 {questions}"
            yield DefinitionFault((*loc, "blueprint"), "blueprint_sum", fault)


def commitment_fen(counts: Mapping[str, int], prices: Mapping[str, int]) -> int:
    """What vouchers commit when all of them are issued: count × face value or settlement price."""
    return sum(count * prices[key] for key, count in counts.items())


def _name_faults(definition: Mapping[str, Any]) -> Faults:
    slug, timezone = definition.get("slug"), definition.get("timezone")
    if isinstance(slug, str) and SLUG.fullmatch(slug) is None:
        fault = "活动代码只能由小写字母、数字和连字符组成，首尾为字母或数字，最多 64 位"
        yield DefinitionFault(("slug",), "slug_form", fault)
    if isinstance(timezone, str) and timezone not in _timezones():
        yield DefinitionFault(("timezone",), "timezone_unknown", f"没有时区“{timezone[:64]}”")


def _payer_faults(definition: Mapping[str, Any]) -> Faults:
    yield from _key_faults(definition, "funding_sources")
    shares = []
    for index, payer in _parts(definition, "funding_sources"):
        share = _rate(payer.get("share"))
        shares.append(share)
        if share is not None and not 0 < share <= 1:
            loc = ("funding_sources", index, "share")
            yield DefinitionFault(loc, "share_range", "出资比例必须大于 0 且不超过 1")
    known = [share for share in shares if share is not None]
    # With a share missing or unreadable the sum would blame what may be right.
    if shares and len(known) == len(shares) and sum(known) != 1:
        fault = f"出资比例之和为 {sum(known)}，必须恰好等于 1"
        yield DefinitionFault(("funding_sources",), "shares_sum", fault)


def _channel_faults(definition: Mapping[str, Any]) -> Faults:
    for index, channel in _parts(definition, "channels"):
        key = channel.get("key")
        if isinstance(key, str) and key not in CHANNELS:
            fault = f"没有参与方式“{key[:64]}”，可用：{'、'.join(CHANNELS)}"
            yield DefinitionFault(("channels", index, "key"), "channel_unknown", fault)
    yield from _duplicate_faults(definition, "channels", "key")


def _type_faults(definition: Mapping[str, Any]) -> Faults:
    yield from _key_faults(definition, "voucher_types")
    for index, voucher_type in _parts(definition, "voucher_types"):
        wanted = _AMOUNTS.get(str(voucher_type.get("kind")))
        if wanted is None:
            continue
        field, code, fault = wanted
        if voucher_type.get(field) is None:
            yield DefinitionFault(("voucher_types", index, field), code, fault)
        for other, _, _ in _AMOUNTS.values():
            if other != field and voucher_type.get(other) is not None:
                fault = "定向券只有结算价，通用券只有面值"
                yield DefinitionFault(("voucher_types", index, other), "amount_unexpected", fault)


# What each kind of voucher is worth: the field that says it.
_AMOUNTS = {
    "general": ("face_value_fen", "face_value_missing", "通用券必须有面值"),
    "directed": ("settlement_price_fen", "settlement_price_missing", "定向券必须有结算价"),
}


def _phase_faults(definition: Mapping[str, Any]) -> Faults:
    types = {str(entry.get("key")) for _, entry in _parts(definition, "voucher_types")}
    phases = list(_parts(definition, "phases"))
    for place, (index, phase) in enumerate(phases, start=1):
        loc = ("phases", index)
        seq = _number(phase.get("seq"))
        if seq is not None and seq != place:
            yield DefinitionFault((*loc, "seq"), "phase_seq", f"期次须从 1 起依次编号，此处应为 {place}")
        yield from phase_faults(phase, loc)
        stock = phase.get("stock")
        for key in stock if isinstance(stock, Mapping) else ():
            if key not in types:
                fault = f"库存中的券种“{str(key)[:64]}”未在 voucher_types 中定义"
                yield DefinitionFault((*loc, "stock", str(key)), "stock_type_unknown", fault)
    for (_, earlier), (index, later) in pairwise(phases):
        closes_at, opens_at = _moment(earlier.get("closes_at")), _moment(later.get("opens_at"))
        if closes_at and opens_at and opens_at < closes_at:
            fault = "本期开始时间早于上一期结束时间"
            yield DefinitionFault(("phases", index, "opens_at"), "phases_overlap", fault)


def _budget_faults(definition: Mapping[str, Any]) -> Faults:
    budget = _number(definition.get("budget_fen"))
    prices = {
        str(entry.get("key")): _number(entry.get("face_value_fen") or entry.get("settlement_price_fen"))
        for _, entry in _parts(definition, "voucher_types")
    }
    if budget is None:
        return
    total = 0
    for _, phase in _parts(definition, "phases"):
        stock = phase.get("stock")
        for key, count in stock.items() if isinstance(stock, Mapping) else ():
            total += (_number(count) or 0) * (prices.get(key) or 0)
    if total > budget:
        fault = f"各期库存金额合计 {yuan(total)} 元，超过预算 {yuan(budget)} 元"
        yield DefinitionFault(("budget_fen",), "budget_exceeded", fault)


def _cap_faults(definition: Mapping[str, Any]) -> Faults:
    put_in: Counter[str] = Counter()
    for _, phase in _parts(definition, "phases"):
        stock = phase.get("stock")
        for key, count in stock.items() if isinstance(stock, Mapping) else ():
            put_in[str(key)] += _number(count) or 0
    for index, entry in _parts(definition, "voucher_types"):
        cap, total = _number(entry.get("total_cap")), put_in[str(entry.get("key"))]
        if cap is not None and total > cap:
            fault = f"各期库存合计 {total}，超过该券种总量上限 {cap}"
            yield DefinitionFault(("voucher_types", index, "total_cap"), "total_cap_exceeded", fault)


def _assumed_faults(definition: Mapping[str, Any]) -> Faults:
    paths = definition.get("assumed")
    for index, path in enumerate(paths if isinstance(paths, list) else ()):
        if isinstance(path, str) and not leads_somewhere(definition, path):
            fault = f"假定值路径“{path[:64]}”在活动定义中不存在"
            yield DefinitionFault(("assumed", index), "assumed_unknown", fault)


def _key_faults(definition: Mapping[str, Any], name: str) -> Faults:
    for index, part in _parts(definition, name):
        key = part.get("key")
        if isinstance(key, str) and _KEY.fullmatch(key) is None:
            fault = "代码只能由小写字母、数字和下划线组成，首尾为字母或数字，最多 64 位"
            yield DefinitionFault((name, index, "key"), "key_form", fault)
    yield from _duplicate_faults(definition, name, "key")


def _duplicate_faults(definition: Mapping[str, Any], name: str, field: str) -> Faults:
    seen: Counter[str] = Counter()
    for index, part in _parts(definition, name):
        value = part.get(field)
        if not isinstance(value, str):
            continue
        seen[value] += 1
        if seen[value] > 1:
            yield DefinitionFault((name, index, field), "duplicate_key", f"代码“{value[:64]}”重复")


def _parts(definition: Mapping[str, Any], name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    parts = definition.get(name)
    for index, part in enumerate(parts if isinstance(parts, list) else ()):
        if isinstance(part, Mapping):
            yield index, part


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _rate(value: object) -> Decimal | None:
    try:
        return parse_rate(value)
    except ValueError:
        return None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())
