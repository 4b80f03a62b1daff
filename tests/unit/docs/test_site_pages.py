"""Pages of the documentation's site: links that hold where a page is put, and the tables of the API."""

import re
from pathlib import PurePosixPath
from typing import Any

import pytest

from deploy.site.links import moved, unbroken
from deploy.site.reference import group_page, groups
from deploy.site.refusals import TO_DO, Told, of_room, rooms_of_operations
from deploy.site.schemas import Shapes
from tests.architecture.source import ROOT

_PLACES = {"docs/tills.md": "tills.md", "docs/pictures/till.png": "pictures/till.png"}


def place(source: PurePosixPath) -> PurePosixPath | None:
    found = _PLACES.get(str(source))
    return None if found is None else PurePosixPath(found)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("[tills](../../tills.md#wrong-codes)", "[tills](../tills.md#wrong-codes)"),
        ("![the `till`](../../pictures/till.png)", "![the `till`](../pictures/till.png)"),
        ("[gone](../../../shared/clock.py) it", "gone it"),
        ("[here](#below) [web](https://example.org/x)", "[here](#below) [web](https://example.org/x)"),
        ("`[not](../../tills.md)`", "`[not](../../tills.md)`"),
    ],
)
def test_a_link_holds_where_the_page_is_put(written: str, shown: str) -> None:
    source, staged = PurePosixPath("docs/zh/guides/cashier.md"), PurePosixPath("guides/cashier.md")
    assert moved(written, source, staged, place) == shown + "\n"


def test_fenced_blocks_are_left_alone_and_a_list_gets_its_empty_line() -> None:
    text = "Either\n- one\n- two\n\n```\nEither\n- [x](../a.md)\n```"
    page = PurePosixPath("docs/a.md")
    assert moved(text, page, page, place) == "Either\n\n- one\n- two\n\n```\nEither\n- [x](../a.md)\n```\n"


def test_chinese_lines_become_one_without_a_space() -> None:
    assert unbroken("先记下，\n再发送。\n\n- 一，\n  二\n- 三\n\n# 头\n文") == (
        "先记下，再发送。\n\n- 一，二\n- 三\n\n# 头\n文\n"
    )
    assert unbroken("| 甲 |\n|---|\n| 乙 |") == "| 甲 |\n|---|\n| 乙 |\n"


def test_a_schema_is_told_field_by_field() -> None:
    shapes = Shapes(
        {
            "Line": {
                "type": "object",
                "required": ["fen"],
                "properties": {"fen": {"type": "integer", "minimum": 1}},
            }
        }
    )
    body: dict[str, Any] = {
        "type": "object",
        "required": ["lines"],
        "properties": {
            "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}, "maxItems": 9},
            "kind": {"enum": ["a", "b"], "description": "which\none"},
            "until": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        },
    }
    told = [(one.path, one.type, one.needed, one.meaning, one.bounds) for one in shapes.fields(body)]
    assert told == [
        ("lines", "list of object", True, "", ("≤ 9 items",)),
        ("lines[].fen", "integer", True, "", ("≥ 1",)),
        ("kind", "`a` · `b`", False, "which one", ()),
        ("until", "time or null", False, "", ()),
    ]


def test_a_group_names_its_calls_and_what_to_do_about_each_refusal() -> None:
    call = {
        "tags": ["tills"],
        "operationId": "x_look",
        "summary": "Looks",
        "security": [{"signature": []}],
        "responses": {"200": {"description": "Successful Response"}},
    }
    document = {"paths": {"/x/v1/{id}": {"get": call}}, "components": {"schemas": {}}}
    (calls,) = groups(document).values()
    page = group_page(document, "tills", calls, [Told("gone", 404, "没有。", "Gone.")], "zh")
    assert "## GET /x/v1/{id} { #x_look }" in page
    assert "请求须签名" in page
    assert f"| 404 | `gone` | 没有。 | {TO_DO[404][0]} |" in page


def test_every_refusal_has_something_to_do() -> None:
    written = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    statuses = {int(status) for status in re.findall(r"` \| (\d{3}) \|", written)}
    assert len(statuses) > 5
    assert statuses - set(TO_DO) == set()


def test_every_page_is_in_the_navigation_and_every_guide_in_both_languages() -> None:
    navigation = (ROOT / "docs/site/navigation.yaml").read_text(encoding="utf-8")
    docs = ROOT / "docs"
    pages = [path.relative_to(docs) for path in (*docs.glob("*.md"), *docs.glob("guides/*.md"))]
    assert [str(page) for page in pages if f"page: {page} }}" not in navigation] == ["index.md"]
    assert [str(page) for page in pages if page.parent.name and not (docs / "zh" / page).exists()] == []


def test_the_chinese_settings_are_those_of_the_english_page() -> None:
    row = re.compile(r"^\| `(HV_[A-Z0-9_]+)` \| (`[^`]*`|–|\S.*?) \|", re.MULTILINE)
    english, chinese = (
        dict(row.findall((ROOT / name).read_text(encoding="utf-8")))
        for name in ("docs/settings.md", "docs/zh/settings.md")
    )
    assert {name: value for name, value in chinese.items() if value[0] in "`–"} == {
        name: value for name, value in english.items() if value[0] in "`–"
    }
    assert chinese.keys() == english.keys()


def test_refusals_are_found_by_the_room_of_a_call() -> None:
    assert rooms_of_operations(ROOT, "redemption")["redemption_redeem_voucher"] == "writeoff"
    codes = {told.code for told in of_room(ROOT, "redemption", "writeoff")}
    assert {"voucher_not_found", "request_no_reused", "operator_required"} <= codes
    assert "unauthenticated" not in codes
