"""Hospitals' names: one spelling of each, who is meant, and who might be. Pure.

Whether two spellings are one name is decided by exact rules only: full and half width, capitals, spaces, the
shapes of brackets, dashes and middle dots make no difference. Nothing else is: a missing 市, a traditional
character, another numeral may be another hospital. Such names are *near*: offered with a score, never taken.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from shared.documents.sheets import normalise

NEAR_MIN = 0.75
NEAR_MATCHES_MAX = 3
# Nearness is for spellings that drifted. One that only lacks its city in front is nearly the same.
_SCORE_MAX = 0.99
# What names of hospitals end in or contain without being told apart by it.
_CORE_MIN = 0.5
_SHAPES = str.maketrans("[]{}【】〔〕〖〗・•‧‐‑–—−", "()()()()()···-----")
_PLACE = re.compile(r"^[^市县区]{1,6}(?:[市县]|(?<!社)区)(?=.{3})")
_REMARK = re.compile(r"(?<=.)\([^()]*\)$")
_COMMON = re.compile(r"社区卫生服务(?:中心|站)|中心卫生院|卫生院|卫生服务站|卫生室|医院|街道|[省市县区镇乡]")
_DIGITS = str.maketrans("零〇一二三四五六七八九十百两", "0012345678901" + "2")
_NUMERALS = re.compile(r"[0-9]+")


def name_key(name: str) -> str:
    """The one spelling of a name."""
    return normalise(name).translate(_SHAPES)


class Named(Protocol):
    """A name that a hospital has or had."""

    @property
    def hospital_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def withdrawn_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class KnownName:
    """A name in use. `hospital` is the current name of whoever has it."""

    hospital_id: str
    hospital: str
    name: str
    key: str


@dataclass(frozen=True, slots=True)
class Near:
    """Somebody who might be meant, by which of its names, and how near that is (0 to 0.99)."""

    hospital_id: str
    hospital: str
    name: str
    score: float


class Names:
    """All names in use of a programme's hospitals."""

    def __init__(self, known: Iterable[KnownName]) -> None:
        self._by_key: dict[str, KnownName] = {}
        self._ids: set[str] = set()
        for name in known:
            self._by_key.setdefault(name.key, name)
            self._ids.add(name.hospital_id)
        self._near: _NearIndex | None = None

    def has(self, name: str) -> bool:
        """Whether somebody has this name, in any spelling."""
        return name_key(name) in self._by_key

    def find(self, name: str) -> str | None:
        """The id of the hospital that has this name, in any spelling, or this id."""
        found = self._by_key.get(name_key(name))
        if found is not None:
            return found.hospital_id
        return name if name in self._ids else None

    def owner(self, name: str) -> str | None:
        """The current name of whoever has this name."""
        found = self._by_key.get(name_key(name))
        return None if found is None else found.hospital

    def near(self, name: str) -> list[Near]:
        """Those who might be meant by a name that nobody has, the nearest first, three at most."""
        if self._near is None:
            self._near = _NearIndex(list(self._by_key.values()))
        return self._near.of(name_key(name))


def names_in_file(names: Iterable[str]) -> Names:
    """The names that a file itself uses, each standing for itself."""
    return Names(KnownName(name, name, name, name_key(name)) for name in names if name)


@dataclass(frozen=True, slots=True)
class _Form:
    """A key as it is compared; `plain` is without its remark, `bare` without its place too.

    `core` is what tells it from others of its kind.
    """

    key: str
    plain: str
    bare: str
    numerals: tuple[str, ...]
    core: str


class _NearIndex:
    """Finds candidates by the characters that tell names apart, so that a long list is not walked."""

    def __init__(self, names: Sequence[KnownName]) -> None:
        self._names = names
        self._forms = [_form(name.key) for name in names]
        self._by_character: Mapping[str, list[int]] = defaultdict(list)
        for place, form in enumerate(self._forms):
            for character in set(form.core):
                self._by_character[character].append(place)

    def of(self, key: str) -> list[Near]:
        form = _form(key)
        found: dict[str, Near] = {}
        for place in self._candidates(form):
            score = _score(form, self._forms[place])
            name = self._names[place]
            if score >= NEAR_MIN and (name.hospital_id not in found or found[name.hospital_id].score < score):
                found[name.hospital_id] = Near(name.hospital_id, name.hospital, name.name, score)
        ordered = sorted(found.values(), key=lambda near: (-near.score, near.hospital))
        return ordered[:NEAR_MATCHES_MAX]

    def _candidates(self, form: _Form) -> list[int]:
        shared = Counter(place for character in set(form.core) for place in self._by_character[character])
        return [
            place
            for place, count in shared.items()
            if 2 * count >= min(len(set(form.core)), len(set(self._forms[place].core)))
        ]


def _form(key: str) -> _Form:
    plain = _REMARK.sub("", key)
    bare = _PLACE.sub("", plain)
    return _Form(
        key=key,
        plain=plain,
        bare=bare,
        numerals=tuple(_NUMERALS.findall(bare.translate(_DIGITS))),
        core=_COMMON.sub("", bare) or bare,
    )


def _score(one: _Form, other: _Form) -> float:
    """Names with different numerals are different hospitals; so are those that share common words only.

    A place or a remark may be missing in one of the two; two different places are two hospitals.
    """
    if one.numerals != other.numerals or similarity(one.core, other.core) < _CORE_MIN:
        return 0.0
    both_remarked = one.plain != one.key and other.plain != other.key
    left, right = (one.key, other.key) if both_remarked else (one.plain, other.plain)
    best = max(similarity(left, right), similarity(one.bare, right), similarity(left, other.bare))
    return min(_SCORE_MAX, round(best, 2))


def similarity(one: str, other: str) -> float:
    """1 − edits ÷ length of the longer; an edit inserts, drops, replaces or swaps neighbours."""
    longer = max(len(one), len(other))
    return 1.0 if longer == 0 else 1 - _edits(one, other) / longer


def _edits(one: str, other: str) -> int:
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, left in enumerate(one, start=1):
        line = [row]
        for column, right in enumerate(other, start=1):
            cost = min(last[column] + 1, line[-1] + 1, last[column - 1] + (left != right))
            if row > 1 and column > 1 and left == other[column - 2] and one[row - 2] == right:
                cost = min(cost, before[column - 2] + 1)
            line.append(cost)
        before, last = last, line
    return last[-1]


def near_text(near: Sequence[Near]) -> str:
    """Those who might be meant, for a sentence."""
    return "、".join(f"{entry.name}（{entry.score:.2f}）" for entry in near)


def unknown_text(near: Sequence[Near]) -> str:
    """Why a name in a file finds nobody, with those who might be meant."""
    offered = f"，相近的有：{near_text(near)}；确认后可为该院添加别名" if near else ""
    return f"名单中没有这家医院{offered}"
