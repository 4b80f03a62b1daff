"""An institution's list compared with ours. Pure."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Literal

from shared.documents.sheets import Row, Table, column, normalise
from shared.money import FEN_PER_YUAN

# A month of a large hospital is a tenth of this; more is the wrong file, and a workbook that nobody opens.
ROWS_MAX = 50_000
TEXT_MAX = 100
_YEARS = range(1900, 2200)
_FEN_MAX = 10**12
# Clocks of tills may be off by as much as a signature may (api.md section 3).
TOLERANCE = timedelta(seconds=300)

COLUMNS = (
    column("request_no", "请求号", "request_no", "请求号", "流水号", "交易流水号", "终端流水号", "订单号"),
    column("voucher_type", "券种", "voucher_type", "券种", "券种名称", "消费券", required=False),
    column("applied_fen", "抵扣金额", "applied_fen", "抵扣金额", "核销金额", "结算金额", "金额"),
    column(
        "redeemed_at", "核销时间", "redeemed_at", "核销时间", "核销日期", "交易时间", "时间", required=False
    ),
)
# Of the template, whose header says what amounts are counted in (`unit_of`).
TEMPLATE = tuple(
    replace(wanted, title="抵扣金额（元）") if wanted.key == "applied_fen" else wanted for wanted in COLUMNS
)
EXAMPLE = {
    "request_no": "20201101-0001",
    "voucher_type": "",
    "applied_fen": "50.00",
    "redeemed_at": "2020-11-01 11:00:00",
}
NOTES = (
    "请求号为终端核销时的流水号，逐笔与平台记录比对。",
    "抵扣金额按元填写；请勿改动表头文字。",
    "券种写名称或编码，与时间一样可以不填，不填则不比对。",
    "请先删除示例行。",
)
TITLES = {wanted.key: wanted.title for wanted in COLUMNS}

Unit = Literal["fen", "yuan"]
Hint = Literal["reversed", "other_period", "repeated", "unknown"]

_WHEN = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?"
    r"(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?"
)
_AMOUNT = re.compile(r"[¥￥]?\d{1,12}(?:\.\d{1,2})?0*元?")


@dataclass(frozen=True, slots=True)
class Ours:
    id: str
    request_no: str
    voucher_type: str
    applied_fen: int
    redeemed_at: datetime
    state: str


@dataclass(frozen=True, slots=True)
class Theirs:
    """A row of their list; what it does not say is not compared. `day_only`: a date without a time."""

    row: int
    request_no: str
    voucher_type: str | None
    applied_fen: int
    redeemed_at: datetime | None
    day_only: bool = False


@dataclass(frozen=True, slots=True)
class RowFault:
    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Pair:
    """The same request number on both sides; `fields` are those that differ."""

    ours: Ours
    theirs: Theirs
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Compared:
    matched: list[Pair] = field(default_factory=list)
    different: list[Pair] = field(default_factory=list)
    only_ours: list[Ours] = field(default_factory=list)
    only_theirs: list[Theirs] = field(default_factory=list)


@dataclass(slots=True)
class ReadList:
    unit: Unit
    entries: list[Theirs] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)


def unit_of(table: Table) -> Unit:
    """What the amounts are counted in: as the header says, else yuan where one has a decimal point."""
    place = table.columns["applied_fen"]
    header = unicodedata.normalize("NFKC", table.header.at(place))
    if "元" in header:
        return "yuan"
    if "分" in header or "fen" in normalise(header):
        return "fen"
    return "yuan" if any("." in row.at(place) for row in table.rows) else "fen"


def read_list(table: Table, spoken: Mapping[str, str], timezone: tzinfo) -> ReadList:
    """Every row as an entry, or with what is wrong in it; `spoken` are the types by normalised name."""
    read = ReadList(unit_of(table))
    for row in table.rows:
        entry = _read_row(row, table, read.unit, spoken, timezone)
        if isinstance(entry, Theirs):
            read.entries.append(entry)
        else:
            read.faults += entry
    return read


def _read_row(
    row: Row, table: Table, unit: Unit, spoken: Mapping[str, str], timezone: tzinfo
) -> Theirs | list[RowFault]:
    faults: list[RowFault] = []
    texts = {key: row.at(place) for key, place in table.columns.items()}
    number = texts["request_no"]
    if not number or len(number) > TEXT_MAX:
        faults.append(RowFault(row.number, "request_no", "请求号为空或过长"))
    amount = read_amount(texts["applied_fen"], unit)
    if amount is None:
        faults.append(RowFault(row.number, "applied_fen", "金额无法识别"))
    said = texts.get("voucher_type", "")
    voucher_type = spoken.get(normalise(said)) if said else None
    if said and voucher_type is None:
        faults.append(RowFault(row.number, "voucher_type", f"没有“{said[:TEXT_MAX]}”这个券种"))
    told = texts.get("redeemed_at", "")
    when = read_moment(told, timezone) if told else None
    if told and when is None:
        faults.append(RowFault(row.number, "redeemed_at", "时间无法识别，例如 2020-11-01 11:00:00"))
    if faults or amount is None:
        return faults
    moment, day_only = when or (None, False)
    return Theirs(row.number, number, voucher_type, amount, moment, day_only)


def read_amount(text: str, unit: Unit) -> int | None:
    """Fen; None for what is no amount, or no whole fen."""
    plain = unicodedata.normalize("NFKC", text).replace(",", "").replace(" ", "")
    if not _AMOUNT.fullmatch(plain):
        return None
    value = Decimal(plain.strip("¥元")) * (FEN_PER_YUAN if unit == "yuan" else 1)
    return int(value) if value == value.to_integral_value() and value <= _FEN_MAX else None


def read_moment(text: str, timezone: tzinfo) -> tuple[datetime, bool] | None:
    """The moment, and whether only its day was told; without an offset it is of this time zone."""
    found = _WHEN.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        return None
    *numbers, offset = found.groups()
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    try:
        zone = datetime.strptime(offset, "%z").tzinfo if offset else timezone
        moment = datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
    # Far enough from the ends of the calendar to be moved between time zones.
    return (moment, numbers[3] is None) if year in _YEARS else None


def compare(ours: Sequence[Ours], theirs: Sequence[Theirs], timezone: tzinfo) -> Compared:
    """Pairs by request number. Tills of one institution may share numbers: equal ones are paired first."""
    found = Compared()
    waiting: defaultdict[str, list[Ours]] = defaultdict(list)
    for one in ours:
        waiting[one.request_no].append(one)
    left: list[Theirs] = []
    for entry in theirs:
        same = next(
            (one for one in waiting.get(entry.request_no, []) if not differences(one, entry, timezone)), None
        )
        if same is None:
            left.append(entry)
        else:
            waiting[entry.request_no].remove(same)
            found.matched.append(Pair(same, entry))
    for entry in left:
        candidates = waiting.get(entry.request_no)
        if candidates:
            one = candidates.pop(0)
            found.different.append(Pair(one, entry, differences(one, entry, timezone)))
        else:
            found.only_theirs.append(entry)
    found.only_ours = sorted(
        (one for rest in waiting.values() for one in rest), key=lambda one: (one.redeemed_at, one.id)
    )
    return found


def differences(ours: Ours, theirs: Theirs, timezone: tzinfo) -> tuple[str, ...]:
    """The fields in which two entries with one request number differ."""
    found = []
    if theirs.voucher_type is not None and theirs.voucher_type != ours.voucher_type:
        found.append("voucher_type")
    if theirs.applied_fen != ours.applied_fen:
        found.append("applied_fen")
    if theirs.redeemed_at is not None and not _same_time(ours.redeemed_at, theirs, timezone):
        found.append("redeemed_at")
    return tuple(found)


def _same_time(ours: datetime, theirs: Theirs, timezone: tzinfo) -> bool:
    told = theirs.redeemed_at
    if told is None:
        return True
    if theirs.day_only:
        return ours.astimezone(timezone).date() == told.date()
    return abs(ours - told) <= TOLERANCE


def hint_of(known: Sequence[Ours], first: date, last: date, timezone: tzinfo) -> Hint:
    """Why only they have it, judged by what we have under the number, on any day and in any state."""
    days = [one.redeemed_at.astimezone(timezone).date() for one in known if one.state == "redeemed"]
    if not known:
        return "unknown"
    if not days:
        return "reversed"
    return "repeated" if any(first <= day <= last for day in days) else "other_period"
