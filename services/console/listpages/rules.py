"""Words of the list of hospitals. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

STATES: Mapping[str, tuple[str, str]] = {
    "open": ("在册", "open"),
    "planned": ("未启用", "planned"),
    "closed": ("已关闭", "closed"),
    "merged": ("已并入", "merged"),
}
NAMES: Mapping[str, tuple[str, str]] = {
    "current": ("现名", "current"),
    "former": ("曾用名", "former"),
    "alias": ("别名", "alias"),
}
KINDS = (("alias", "别名", "alias"), ("former", "曾用名", "former name"), ("current", "更名", "new name"))
STATE_CHOICES = [("", "全部", "all"), *((state, *words) for state, words in STATES.items())]


# Dated changes: kind, Chinese, English.
LIFE: Mapping[str, tuple[str, str]] = {
    "open": ("启用", "opens"),
    "close": ("关停", "closes"),
    "merge": ("并入", "merges"),
    "move": ("更换医共体", "moves"),
}


def near_rows(report: Mapping[str, Any] | None) -> Sequence[Mapping[str, Any]]:
    """Rows of an import whose names may mean a hospital known before."""
    return [one for one in report["errors"] if one.get("code") == "maybe_known"] if report else []


def life_body(kind: str, *, on: str, other: str, alliance: str) -> dict[str, Any] | None:
    """What the call of a dated change takes beside its reason; None for no such change."""
    given: dict[str, dict[str, Any]] = {
        "opening": {},
        "closure": {"heir_id": other or None},
        "merger": {"into_id": other},
        "move": {"alliance": alliance},
    }
    return {"on": on, **given[kind]} if kind in given else None
