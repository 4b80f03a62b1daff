"""What the rows of an imported list mean, and what an import is going to do. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from services.redemption.institutions.rules import (
    NAME_MAX,
    SHORT_MAX,
    Admission,
    DirectoryEntry,
    credit_code_warnings,
)
from shared.openinghours import NotHours, read_hours
from shared.vouchers.categories import category_key

HOURS_MAX = 300

# What the template shows, and how to fill it.
EXAMPLE = {
    "name": "示例·蒙自市第一体检医院",
    "category": "体检医院",
    "county": "蒙自市",
    "public": "是",
    "address": "示例地址：蒙自市示例路1号",
    "credit_code": "Y1532599DEM000014U",
    "hours": "周一至周五 08:00-12:00,14:00-17:30；周六 09:00-12:00",
    "accepts": "checkup",
}
NOTES = (
    "带 * 的列必填；列的顺序不限，请勿改动表头文字。",
    "受理券种：填活动中的券种名称或编号，多个用逗号分隔。",
    "是否公立：填“是”或“否”，可留空。",
    "营业时间：如“周一至周五 08:00-12:00,14:00-17:30；周六 09:00-12:00”；只写时间表示每天；可留空。",
    "已有机构按统一社会信用代码（没有时按名称和县市）识别，内容有变化的更新，留空的列保持不变。",
    "请先删除示例行。",
)

_SEPARATORS = re.compile(r"[,，、;；|/\n]+")
_YES = frozenset({"是", "公立", "true", "yes", "y", "1"})
_NO = frozenset({"否", "民营", "私立", "非公立", "false", "no", "n", "0"})
_HOURS_FAULT = "营业时间请写如“周一至周五 08:00-12:00,14:00-17:30；周六 09:00-12:00”"


@dataclass(frozen=True, slots=True)
class RowFault:
    row: int
    column: str
    message: str


@dataclass(slots=True)
class ReadDirectory:
    """Sound entries by their row, and what is wrong with the others."""

    entries: dict[int, DirectoryEntry] = field(default_factory=dict)
    faults: list[RowFault] = field(default_factory=list)


def read_entry(cells: Mapping[str, str], types: Mapping[str, str]) -> DirectoryEntry | list[tuple[str, str]]:
    """One row, by the columns' keys; or its faults as (column, message).

    `types` maps what a sheet may call a voucher type (its key or its name) to its key.
    """
    faults = [
        (column, "不能为空")
        for column in ("name", "category", "accepts")
        if not cells.get(column, "").strip()
    ]
    faults += [
        (column, f"超过 {longest} 个字")
        for column, longest in (
            ("name", NAME_MAX),
            ("category", SHORT_MAX),
            ("county", SHORT_MAX),
            ("address", NAME_MAX),
            ("credit_code", SHORT_MAX),
            ("hours", HOURS_MAX),
        )
        if len(cells.get(column, "")) > longest
    ]
    wanted = [word.strip() for word in _SEPARATORS.split(cells.get("accepts", "")) if word.strip()]
    faults += [("accepts", f"活动中没有券种“{word[:40]}”") for word in wanted if word not in types]
    told_public = cells.get("public", "").strip().casefold()
    if told_public and told_public not in _YES | _NO:
        faults.append(("public", "请填“是”或“否”"))
    hours = None
    if cells.get("hours", "").strip():
        try:
            hours = read_hours(cells["hours"])
        except NotHours:
            faults.append(("hours", _HOURS_FAULT))
    if faults:
        return faults
    return DirectoryEntry(
        name=cells["name"].strip(),
        category=category_key(cells["category"].strip()),
        county=cells.get("county", "").strip() or None,
        public=None if not told_public else told_public in _YES,
        address=cells.get("address", "").strip() or None,
        credit_code=cells.get("credit_code", "").strip().upper() or None,
        accepts=tuple(dict.fromkeys(types[word] for word in wanted)),
        hours=hours,
    )


def doubtful_codes(entries: Mapping[int, DirectoryEntry]) -> list[RowFault]:
    """Rows whose credit code is not a sound one; they are accepted all the same."""
    return [
        RowFault(row, "credit_code", warning.message)
        for row, entry in entries.items()
        for warning in credit_code_warnings(entry.credit_code)
    ]


@dataclass(frozen=True, slots=True)
class KnownInstitution:
    """`admission` is for the campaign of the import, None when it takes no part in it.

    What `entry` accepts is what it said that it accepts there.
    """

    id: str
    entry: DirectoryEntry
    admission: Admission | None


@dataclass(slots=True)
class ImportPlan:
    """What an import is going to do."""

    added: list[DirectoryEntry] = field(default_factory=list)
    changed: list[tuple[KnownInstitution, DirectoryEntry]] = field(default_factory=list)
    duplicates: int = 0
    faults: list[RowFault] = field(default_factory=list)


def plan_import(
    entries: Mapping[int, DirectoryEntry], known: Sequence[KnownInstitution], spelling: Mapping[str, str]
) -> ImportPlan:
    """New rows are added, known ones changed where they say something else, repetitions counted.

    An institution is known by its credit code; a row without one by its name (and county, when several
    share it). `spelling` maps every name that occurs to its normalised form.
    """
    by_code = {one.entry.credit_code: one for one in known if one.entry.credit_code}
    by_name: dict[str, list[KnownInstitution]] = {}
    for one in known:
        by_name.setdefault(spelling[one.entry.name], []).append(one)
    plan = ImportPlan()
    seen: set[tuple[str, str | None]] = set()
    for row, entry in entries.items():
        key = (entry.credit_code or spelling[entry.name], None if entry.credit_code else entry.county)
        if key in seen:
            plan.duplicates += 1
            continue
        seen.add(key)
        matches = _matches(entry, by_code, by_name.get(spelling[entry.name], []))
        if len(matches) > 1:
            plan.faults.append(RowFault(row, "name", "有多家同名机构，请填写统一社会信用代码"))
        elif not matches:
            plan.added.append(entry)
        else:
            merged = _merged(matches[0].entry, entry)
            if _says_nothing_new(matches[0], merged):
                plan.duplicates += 1
            else:
                plan.changed.append((matches[0], merged))
    return plan


def _matches(
    entry: DirectoryEntry,
    by_code: Mapping[str, KnownInstitution],
    same_name: Sequence[KnownInstitution],
) -> list[KnownInstitution]:
    if entry.credit_code is not None and entry.credit_code in by_code:
        return [by_code[entry.credit_code]]
    # The same name under another code is another institution.
    candidates = [one for one in same_name if entry.credit_code is None or one.entry.credit_code is None]
    return [one for one in candidates if entry.county is None or one.entry.county in (None, entry.county)]


def _says_nothing_new(known: KnownInstitution, merged: DirectoryEntry) -> bool:
    """The order in which types are named says nothing."""
    same_types = known.admission is not None and set(known.admission.told) == set(merged.accepts)
    return same_types and replace(merged, accepts=known.entry.accepts) == known.entry


def _merged(before: DirectoryEntry, told: DirectoryEntry) -> DirectoryEntry:
    """What a row leaves empty stays as it is."""
    return DirectoryEntry(
        name=told.name,
        category=told.category,
        county=told.county or before.county,
        public=before.public if told.public is None else told.public,
        address=told.address or before.address,
        credit_code=told.credit_code or before.credit_code,
        accepts=told.accepts,
        hours=told.hours or before.hours,
    )


def kept_because(
    *, added: bool, untouched: bool, redeemed: bool, terminals: bool, priced: bool, staffed: bool
) -> str | None:
    """Why an institution stays as a list made it; None when it can be taken back.

    One that was there before the list had its terminals and staff before it, too.
    """
    reasons = (
        ("changed_since", not untouched),
        ("redeemed_since", redeemed),
        ("priced_since", priced),
        ("has_terminals", added and terminals),
        ("has_staff", added and staffed),
    )
    return next((word for word, true in reasons if true), None)
