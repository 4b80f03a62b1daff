"""Finds every refusal in the code and writes docs/errors.md from them; `make docs` runs it."""

import ast
import importlib
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.architecture.rules_kit import assigned_names
from tests.architecture.source import ROOT, Module, house

PAGE = ROOT / "docs" / "errors.md"
HEAD = """\
# Errors: every way in which the platform says no

Written by `make docs` from the refusal classes in the code; a test fails when the two differ. How to add one:
[CONTRIBUTING.md](../CONTRIBUTING.md#an-error).

Each answer is a problem document (`application/problem+json`, RFC 9457). `code` is stable: programs decide
by it, and one code always has the same status. `detail` is one sentence that a front desk can read out,
Chinese by default, English with `Accept-Language: en`; it may become clearer over time, so no program should
compare it. A `type` of `/docs/errors#out_of_stock` is the row `out_of_stock` below. Faults of a request's
fields (422) are listed in `errors`.

| `code` | status | 中文 | English | where |
|---|---|---|---|---|
"""


@dataclass(frozen=True, order=True)
class Refusal:
    code: str
    status: int
    zh: str
    en: str
    where: str


def refusal_classes(modules: Iterable[Module]) -> Iterator[tuple[str, str]]:
    """Module and name of each class that gives itself a `code` and a sentence."""
    for module in modules:
        if not module.within("services", "shared"):
            continue
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and {"code", "zh"} <= assigned_names(node):
                parts = module.path.with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), node.name


def catalogue() -> list[Refusal]:
    """Every refusal with its inherited values, in order of its code."""
    found = []
    for module_name, class_name in refusal_classes(house()):
        cls = getattr(importlib.import_module(module_name), class_name)
        where = module_name.removesuffix(".errors").replace(".", "/")
        found.append(Refusal(cls.code, cls.status, cls.zh, cls.en, where))
    return sorted(found)


def faults(refusals: Iterable[Refusal]) -> Iterator[str]:
    """What a caller could not rely on: two statuses for one code, or a word that is not a stable name."""
    status_of: dict[str, Refusal] = {}
    for refusal in refusals:
        first = status_of.setdefault(refusal.code, refusal)
        if first.status != refusal.status:
            yield f"{refusal.code}: {first.status} in {first.where}, {refusal.status} in {refusal.where}"
        if (
            not refusal.code.isascii()
            or not refusal.code.replace("_", "").isalnum()
            or not refusal.code.islower()
        ):
            yield f"{refusal.code!r} in {refusal.where}: a code is lower_case_words"
        if not refusal.zh or refusal.zh.isascii() or not refusal.en:
            yield f"{refusal.code} in {refusal.where}: needs a Chinese and an English sentence"


def markdown(refusals: Iterable[Refusal]) -> str:
    rows = []
    anchored: set[str] = set()
    for refusal in refusals:
        anchor = "" if refusal.code in anchored else f'<a id="{refusal.code}"></a>'
        anchored.add(refusal.code)
        cells = [
            f"{anchor}`{refusal.code}`",
            str(refusal.status),
            refusal.zh,
            refusal.en,
            f"`{refusal.where}`",
        ]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return HEAD + "\n".join(rows) + "\n"


def main() -> int:
    refusals = catalogue()
    PAGE.write_text(markdown(refusals), encoding="utf-8")
    sys.stdout.write(f"{len(refusals)} refusals written to {PAGE.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
