"""Institutions: credit codes, and what an imported directory row means. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.errors import Fault

InstitutionStatus = Literal["active", "paused"]

NAME_MAX = 200
SHORT_MAX = 100
ACCEPTS_MAX = 50

# GB 32100-2015: 18 symbols without I, O, S, V, Z; the last one checks the 17 before it, modulo 31.
_CREDIT_SYMBOLS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_LENGTH = 18

_SEPARATORS = re.compile(r"[,，、;；|/\n]+")
_YES = frozenset({"是", "公立", "true", "yes", "y", "1"})
_NO = frozenset({"否", "民营", "私立", "非公立", "false", "no", "n", "0"})


def credit_code_fault(code: str) -> str | None:
    """What is wrong with a unified social credit code: length, characters, check_digit; None when nothing.

    A warning, never a refusal: some real old codes fail the check.
    """
    if len(code) != _CREDIT_LENGTH:
        return "length"
    if any(symbol not in _CREDIT_SYMBOLS for symbol in code):
        return "characters"
    modulus = len(_CREDIT_SYMBOLS)
    total = sum(
        _CREDIT_SYMBOLS.index(symbol) * pow(3, place, modulus) for place, symbol in enumerate(code[:-1])
    )
    return None if _CREDIT_SYMBOLS[-total % modulus] == code[-1] else "check_digit"


def credit_code_warnings(code: str | None) -> list[Fault]:
    if code is None:
        return []
    fault = credit_code_fault(code)
    if fault is None:
        return []
    return [Fault("body.credit_code", "统一社会信用代码校验不通过，请核对", fault)]


def accepts_faults(accepts: Sequence[str], known: frozenset[str]) -> tuple[Fault, ...]:
    """One fault for each accepted type that the campaign does not have."""
    return tuple(
        Fault(f"body.accepts.{place}", f"the campaign has no voucher type {key!r}", "voucher_type_unknown")
        for place, key in enumerate(accepts)
        if key not in known
    )


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """An institution as the directory tells it; None where it says nothing."""

    name: str
    category: str
    county: str | None
    public: bool | None
    address: str | None
    credit_code: str | None
    accepts: tuple[str, ...]


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
        )
        if len(cells.get(column, "")) > longest
    ]
    wanted = [word.strip() for word in _SEPARATORS.split(cells.get("accepts", "")) if word.strip()]
    faults += [("accepts", f"活动中没有券种“{word[:40]}”") for word in wanted if word not in types]
    told_public = cells.get("public", "").strip().casefold()
    if told_public and told_public not in _YES | _NO:
        faults.append(("public", "请填“是”或“否”"))
    if faults:
        return faults
    return DirectoryEntry(
        name=cells["name"].strip(),
        category=cells["category"].strip(),
        county=cells.get("county", "").strip() or None,
        public=None if not told_public else told_public in _YES,
        address=cells.get("address", "").strip() or None,
        credit_code=cells.get("credit_code", "").strip().upper() or None,
        accepts=tuple(dict.fromkeys(types[word] for word in wanted)),
    )


@dataclass(frozen=True, slots=True)
class KnownInstitution:
    """`accepts` is what it accepts in the campaign of the import, None when it takes no part in it."""

    id: str
    entry: DirectoryEntry
    accepts: tuple[str, ...] | None


@dataclass(slots=True)
class ImportPlan:
    """What an import is going to do."""

    added: list[DirectoryEntry] = field(default_factory=list)
    changed: list[tuple[str, DirectoryEntry]] = field(default_factory=list)
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
            if merged == matches[0].entry and matches[0].accepts == merged.accepts:
                plan.duplicates += 1
            else:
                plan.changed.append((matches[0].id, merged))
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
    )
