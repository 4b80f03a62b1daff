"""How a proposed change is put side by side with what it replaces. Pure; what it does is the service's."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from services.console.changenames.rules import Names
from services.console.changewords.rules import (
    ABSENT,
    DIFFICULTIES,
    FIELDS,
    GROUPS,
    HIDDEN,
    KINDS,
    MONEY,
    OUTCOMES,
    RATES,
    UNITS,
    VALUES,
    Words,
)
from shared.money import yuan

# What fits beside each other before it is folded away.
SHOWN_AT_ONCE = 14
_ABSENT = "–"
# Where versions hold moments as the database writes them.
_CHINA = timezone(timedelta(hours=8))
# Enough of a hash to be told from another one; the whole stands in the public draw log.
_HASH_SHOWN = 12
_YES_NO = (("否", "no"), ("是", "yes"))
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}.*")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
# An entry of a list that has a number instead of a name: a phase.
_NUMBERED = "#"

# Of the page's filter: (value, Chinese, English).
SERVICES = (
    ("all", "全部", "All"),
    ("issuance", "消费券发放", "Issuance"),
    ("redemption", "核销结算", "Redemption"),
    ("quota", "发卡任务", "Card programmes"),
)
STATES = (
    ("pending", "待审批", "Waiting"),
    ("applied", "已生效", "In force"),
    ("rejected", "已驳回", "Rejected"),
)
EXPORT_HEADER = (
    "提交时间",
    "提交人",
    "服务",
    "变更",
    "对象",
    "项目",
    "变更前",
    "变更后",
    "理由",
    "状态",
    "审批人",
    "审批时间",
    "审批意见",
)
EXPORT_WIDTHS = (18, 14, 12, 18, 20, 24, 24, 24, 40, 10, 14, 18, 30)


@dataclass(frozen=True, slots=True)
class Line:
    """A value before and after, in Chinese and English; empty where the change says nothing of it."""

    label: Words
    before: Words
    after: Words

    @property
    def differs(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True)
class Target:
    """What a change is about, for people, and the page that shows it."""

    words: Words
    path: str = ""


def lines_of(change: Mapping[str, Any], names: Names) -> list[Line]:
    """A change's values before and after, with what its body leaves to be computed."""
    before, body = dict(change["before"]), {**change["body"], **OUTCOMES.get(change["kind"], {})}
    if change["kind"] == "stock":
        body |= {key: before[key] + body["delta"] for key in ("put_in", "remaining") if key in before}
    if change["kind"] == "carry_over":
        renamed = {"to": "to_phase", "expired": "with_expired"}
        body = {renamed.get(key, key): value for key, value in body.items()}
    return side_by_side(before, body, {**names, **_own_names(body, names)})


def _own_names(body: Mapping[str, Any], names: Names) -> dict[str, Mapping[str, str]]:
    """A change that makes things says itself what they are called."""
    lists = {"voucher_type": "voucher_types", "channel": "channels", "payer": "funding_sources"}
    found: dict[str, Mapping[str, str]] = {}
    for group, key in lists.items():
        entries = body.get(key)
        if isinstance(entries, list) and entries and isinstance(entries[0], Mapping):
            found[group] = {one["key"]: one["name"] for one in entries if {"key", "name"} <= one.keys()}
    if isinstance(body.get("hospitals"), Mapping):
        found["hospital"] = body["hospitals"]
    return {group: {**names.get(group, {}), **own} for group, own in found.items()}


def side_by_side(before: Mapping[str, Any], after: Mapping[str, Any], names: Names) -> list[Line]:
    """What changes first, then what is new, then what else the proposer saw."""
    old, new = dict(_flat(before)), dict(_flat(after))
    both = [path for path in new if path in old]
    both.sort(key=lambda path: old[path] == new[path])
    added = sorted((path for path in new if path not in old), key=_is_number_of_something)
    lines = [
        Line(
            _label(path, names),
            _said(path, old[path], names) if path in old else ("", ""),
            _said(path, new[path], names) if path in new else ("", ""),
        )
        for path in (*both, *added, *(path for path in old if path not in new))
    ]
    # What was not there and is not there now says nothing.
    return [line for line in lines if not {line.before[0], line.after[0]} <= {"", _ABSENT}]


def _is_number_of_something(path: Sequence[str]) -> bool:
    """Numbers for the files stand behind what people decide by."""
    return path[-1].endswith("_id")


def _flat(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every single value with the keys that lead to it; plain lists stay whole."""
    if isinstance(value, Mapping) and (value or not path):
        for key, entry in value.items():
            plain = _plain(str(key))
            if key not in HIDDEN and (plain == key or plain not in value):
                yield from _flat(entry, (*path, plain))
    elif isinstance(value, list) and any(isinstance(entry, Mapping) for entry in value):
        for place, entry in enumerate(value, start=1):
            part, rest = _named(entry, place)
            yield from _flat(rest, (*path, part))
    else:
        yield path, value


def _plain(key: str) -> str:
    """An id stands for its thing: `institution_id` is the institution."""
    return key.removesuffix("_id") if key.removesuffix("_id") in FIELDS else key


def _named(entry: object, place: int) -> tuple[str, object]:
    """What an entry of a list is called: by key or number, else by place; and what it says besides."""
    if isinstance(entry, Mapping):
        for key in ("key", "seq", "hospital", "institution_id"):
            if key in entry:
                called = f"{_NUMBERED}{entry[key]}" if key == "seq" else str(entry[key])
                return called, {name: value for name, value in entry.items() if name not in {key, "name"}}
    return str(place), entry


def _label(path: Sequence[str], names: Names) -> Words:
    words = [_part(path, place, names) for place in range(len(path))]
    kept = [pair for pair in words if pair[0]]
    return " · ".join(zh for zh, _ in kept), " · ".join(en for _, en in kept)


def _part(path: Sequence[str], place: int, names: Names) -> Words:
    key = path[place]
    if key.startswith(_NUMBERED):
        return f"第 {key[1:]} 期", f"phase {key[1:]}"
    if key == "phases" and place + 1 < len(path) and path[place + 1].startswith(_NUMBERED):
        return "", ""
    if "blueprint" in path[:place] and key in DIFFICULTIES:
        return DIFFICULTIES[key]
    name = _name(path[:place], key, names)
    return (name, name) if name else FIELDS.get(key, (key, key))


def _name(above: Sequence[str], key: str, names: Names) -> str | None:
    """What a key is called, by the nearest field above it that says what kind of thing it is."""
    group = next((GROUPS[field] for field in reversed(above) if field in GROUPS), None)
    return None if group is None else names.get(group, {}).get(key)


def _said(path: Sequence[str], value: object, names: Names) -> Words:
    """A value for people: money in yuan, rates in per cent, moments as dates, lists as words."""
    field = path[-1] if path else ""
    if value is None or value in ({}, [], ""):
        return ABSENT.get(field, (_ABSENT, _ABSENT))
    if isinstance(value, bool):
        return _YES_NO[value]
    if isinstance(value, list):
        return _listed(path, value, names)
    if isinstance(value, int) and str(value) not in VALUES.get(field, {}):
        return _number(path, value)
    return _worded(path, str(value), names)


def _worded(path: Sequence[str], text: str, names: Names) -> Words:
    known = VALUES.get(path[-1], {}).get(text) if path else None
    if known is not None:
        return known
    name = _name(path, text, names)
    if name is not None:
        return name, name
    if path[-1:] == ("seed_commitment",):
        return (f"{text[:_HASH_SHOWN]}…",) * 2
    return (percent_text(text),) * 2 if any(key in RATES for key in path) else _dated(text)


def _listed(path: Sequence[str], values: Sequence[object], names: Names) -> Words:
    if path[-1:] == ("withdraw",):
        return f"{len(values)} 笔", f"{len(values)}"
    if path[-1:] == ("assumed",):
        parts = [_label(_path_of(str(entry)), names) for entry in values]
    else:
        parts = [_said(path, entry, names) for entry in values]
    return "、".join(zh for zh, _ in parts), ", ".join(en for _, en in parts)


def _path_of(written: str) -> list[str]:
    """`phases.2.odds`, as a definition names its own places."""
    parts = written.split(".")
    return [
        f"{_NUMBERED}{part}" if place and parts[place - 1] == "phases" else part
        for place, part in enumerate(parts)
    ]


def _number(path: Sequence[str], value: int) -> Words:
    if any(key.endswith("_fen") or key in MONEY for key in path):
        return f"{yuan(value)} 元", f"¥{yuan(value)}"
    if path[-1] in {"phase", "to_phase"}:
        return f"第 {value} 期", f"phase {value}"
    text = f"{value:+,}" if path[-1] == "delta" else f"{value:,}"
    zh, en = next((UNITS[key] for key in reversed(path) if key in UNITS), ("", ""))
    return text + zh, text + en


def _dated(text: str) -> Words:
    if _MOMENT.fullmatch(text):
        moment = datetime.fromisoformat(text).astimezone(_CHINA)
        return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M}", f"{moment:%Y-%m-%d %H:%M}"
    if day := _DAY.fullmatch(text):
        year, month, number = day.groups()
        return f"{year}年{int(month)}月{int(number)}日", text
    if first := _MONTH.fullmatch(text):
        return f"{first[1]}年{int(first[2])}月", text
    return text, text


def percent_text(rate: str) -> str:
    """`0.2` as `20%`, to the last decimal; what is no rate stays as it is."""
    try:
        share = Decimal(rate) * 100
    except InvalidOperation:
        return rate
    text = f"{share:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def target_of(change: Mapping[str, Any], names: Names) -> Target:
    """The thing that a change is about: its name where there is one, else what kind of thing it is."""
    kind, body, written = change["kind"], change["body"], change["target"]
    about, _, found = written.partition(":")
    if kind == "voucher_revoke":
        name = names.get("voucher_type", {}).get(body["voucher_type"], body["voucher_type"])
        return Target((name, name), f"/console/vouchers/{written}")
    if about == "redemption":
        return Target(("核销记录", "the write-off"), f"/console/write-offs/{found}")
    if about == "settlement":
        name = body.get("institution") or names.get("institution", {}).get(body["institution_id"])
        return Target((name or "结算单", name or "the settlement"), f"/console/settlements/{found}")
    if about == "institution":
        name = body.get("institution") or names.get("institution", {}).get(found)
        return Target((name or "服务机构", name or "the institution"), f"/console/institutions/{found}")
    slug = found or written
    name = names.get("campaign", {}).get(slug, slug)
    known = change["service"] == "issuance" and kind != "campaign"
    return Target((name, name), f"/console/campaigns/{slug}" if known else "")


def newest_first(listed: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of all services together; moments are written in one time zone, so their text sorts."""
    return sorted(listed, key=lambda change: str(change["proposed_at"]), reverse=True)


def export_rows(change: Mapping[str, Any], names: Names) -> list[list[str]]:
    """A row for each value of a change, as `EXPORT_HEADER` says."""
    opening = [
        _moment(change["proposed_at"]),
        change["proposed_by_name"],
        next(zh for name, zh, _ in SERVICES if name == change["service"]),
        KINDS.get(change["kind"], (change["kind"], ""))[0],
        target_of(change, names).words[0],
    ]
    closing = [
        change["reason"] or "",
        next(zh for name, zh, _ in STATES if name == change["status"]),
        change["decided_by_name"] or "",
        _moment(change["decided_at"] or ""),
        change["decision_reason"] or "",
    ]
    return [
        [*opening, line.label[0], line.before[0], line.after[0], *closing] for line in lines_of(change, names)
    ]


def _moment(written: str) -> str:
    return written[:16].replace("T", " ")
