"""What the notice and the letters say. Pure: every figure comes from the ranking that is handed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Protocol

from services.quota.outlook.rules import WARNED_FROM
from services.quota.rankings.schemas import RankingItem, RankingView
from shared.documents.filenames import as_file_name
from shared.documents.papers import DEMO_MARK

LETTERS_MAX = 100
ALONE = "独立单位"
NOTHING = "—"
_EVERYBODY = "各有关单位"


class Words(Protocol):
    """What stands on a document beside its figures; empty: left out."""

    @property
    def issuer(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def addressees(self) -> str: ...
    @property
    def copies(self) -> str: ...
    @property
    def attachments(self) -> Sequence[str]: ...
    @property
    def red_head(self) -> bool | None: ...
    @property
    def dated(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a document is about: a month's ranking of a programme, and the words of those who send it."""

    title: str
    target: int
    issued_before: int
    ranking: RankingView
    words: Words
    demo: bool

    @property
    def month(self) -> str:
        year, month = self.ranking.month.split("-")
        return f"{year}年{int(month)}月"

    @property
    def as_of(self) -> datetime:
        """By the clock on the wall in China: the ranking tells its time with that offset."""
        return datetime.fromisoformat(self.ranking.as_of)

    @property
    def name(self) -> str:
        corrected = "（更正）" if (self.ranking.edition or 1) > 1 else ""
        return f"关于{self.subject}进展情况的通报{corrected}"

    @property
    def subject(self) -> str:
        """The month and the programme; a year with which the programme's name begins is not said twice."""
        year, _, month = self.month.partition("年")
        return f"{self.title}{month}" if self.title.startswith(f"{year}年") else f"{self.month}{self.title}"

    @property
    def marks(self) -> list[str]:
        """What stands over every page: that it is a demonstration, that it is not final."""
        marks = [DEMO_MARK] if self.demo else []
        if not self.ranking.frozen:
            marks.append(f"草稿（未冻结）　数据截至{moment(self.as_of)}")
        return marks


def share_of(issued: int, quota: int) -> Decimal | None:
    """Issued ÷ quota in four decimals, half up: what is printed with two decimals of a per cent."""
    if quota <= 0:
        return None
    return (Decimal(issued) / Decimal(quota)).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


def per_cent(issued: int, quota: int) -> str:
    share = share_of(issued, quota)
    return NOTHING if share is None else f"{share:.2%}"


def day(at: date) -> str:
    return f"{at.year}年{at.month}月{at.day}日"


def moment(at: datetime) -> str:
    return f"{day(at)}{at.hour}时{at.minute:02d}分"


def notice(occasion: Occasion) -> dict[str, Any]:
    """The fields of the notice's template."""
    items = occasion.ranking.items
    rows = [_row(item) for item in items]
    flagged, warned = [row for row in rows if row["flagged"]], likely_to_miss(items)
    return {
        **_common(occasion, occasion.name),
        **_sums(items),
        "target": occasion.target,
        "issued_before": occasion.issued_before,
        "unattributed": occasion.ranking.unattributed,
        "hospitals": len(items),
        "ranked": sum(item.rank is not None for item in items),
        "met": sum(item.quota > 0 and item.issued >= item.quota for item in items),
        "flagged_names": "、".join(row["hospital"] for row in flagged),
        "rows": rows,
        "flagged": flagged,
        "warned_names": "、".join(item.hospital for item in warned),
        "warned": [_row(item) for item in warned],
        "alliances": [
            {"alliance": name, "hospitals": len(members), **_sums(members)}
            for name, members in units_of(items)
        ],
    }


def letter(occasion: Occasion, item: RankingItem) -> dict[str, Any]:
    """The fields of a reminder's template."""
    items = occasion.ranking.items
    return {
        **_common(occasion, f"关于{occasion.subject}进度的提醒函"),
        **_row(item),
        "ranked": sum(entry.rank is not None for entry in items),
        "overall_rate": _sums(items)["rate"],
    }


def letter_name(place: int, hospital: str) -> str:
    """A name that every system takes for a file, unlike any other's in the archive."""
    return f"{place:03d}-{as_file_name(hospital)[:60].strip('. ')}.docx"


def by_alliance(items: Sequence[RankingItem]) -> dict[str, list[RankingItem]]:
    """In the order in which they appear; hospitals that stand alone last, under the empty name."""
    found: dict[str, list[RankingItem]] = {}
    for item in sorted(items, key=lambda entry: not entry.alliance):
        found.setdefault(item.alliance, []).append(item)
    return found


def units_of(items: Sequence[RankingItem]) -> list[tuple[str, list[RankingItem]]]:
    """What sums are made of: the alliances, and each hospital that stands alone as a unit of its own."""
    groups = by_alliance(items)
    alone = groups.pop("", [])
    return [*groups.items(), *((item.hospital, [item]) for item in alone)]


def likely_to_miss(items: Sequence[RankingItem]) -> list[RankingItem]:
    """Whom the outlook warns of, the surest first."""
    found = [(Decimal(item.miss_probability), item) for item in items if item.miss_probability is not None]
    return [item for chance, item in sorted(found, key=lambda entry: -entry[0]) if chance >= WARNED_FROM]


def _common(occasion: Occasion, title: str) -> dict[str, Any]:
    words, ranking = occasion.words, occasion.ranking
    return {
        "issuer": words.issuer,
        "number": words.number,
        "addressees": words.addressees or _EVERYBODY,
        "copies": words.copies,
        "programme": occasion.title,
        "month": occasion.month,
        "title": title,
        "subject": occasion.subject,
        "dated": day(words.dated or occasion.as_of.date()),
        "as_of": moment(occasion.as_of),
        "frozen": ranking.frozen,
        "edition": ranking.edition or "",
        "reason": ranking.reason or "",
        "red_head": bool(words.red_head and words.issuer),
        "attachments": _attachments(words.attachments),
    }


def _row(item: RankingItem) -> dict[str, Any]:
    return {
        "rank": NOTHING if item.rank is None else item.rank,
        "hospital": item.hospital,
        "alliance": item.alliance,
        "quota": item.quota,
        "month_issued": item.month_issued,
        "issued": item.issued,
        "rate": per_cent(item.issued, item.quota),
        "rank_change": _change(item.rank_change),
        "remaining": max(0, item.quota - item.issued),
        "flagged": item.flagged,
        "note": "未达标且列末三位" if item.flagged else "",
        "level": item.level,
        "needed_per_working_day": item.needed_per_working_day or "",
        "miss_probability": "" if item.miss_probability is None else f"{Decimal(item.miss_probability):.0%}",
    }


def _attachments(names: Sequence[str]) -> list[dict[str, str]]:
    """A single one goes without a number."""
    return [
        {"number": f"{place}．" if len(names) > 1 else "", "name": name}
        for place, name in enumerate(names, start=1)
    ]


def _change(ranks: int | None) -> str:
    match ranks:
        case None:
            return NOTHING
        case 0:
            return "持平"
        case _:
            return f"{'升' if ranks > 0 else '降'}{abs(ranks)}"


def _sums(items: Sequence[RankingItem]) -> Mapping[str, Any]:
    quota, issued = sum(item.quota for item in items), sum(item.issued for item in items)
    return {
        "quota": quota,
        "month_issued": sum(item.month_issued for item in items),
        "issued": issued,
        "rate": per_cent(issued, quota),
    }
