"""Pages of the documentation's site: links that hold where a page is put, and the tables of the API."""

import re
from pathlib import PurePosixPath
from typing import Any

import pytest

from deploy.site.links import moved, unbroken
from deploy.site.reference import group_page, groups
from deploy.site.refusals import TO_DO, Told, of_room, rooms_of_operations
from deploy.site.schemas import Shapes
from deploy.site.speech import Speech, speech
from tests.architecture.source import ROOT
from tests.support.steps import Step, misfits, steps

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
    named = {
        "Line": {
            "type": "object",
            "required": ["fen"],
            "properties": {"fen": {"type": "integer", "minimum": 1}},
        }
    }
    body: dict[str, Any] = {
        "type": "object",
        "required": ["lines"],
        "properties": {
            "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}, "maxItems": 9},
            "kind": {"enum": ["a", "b"], "description": "which\none"},
            "until": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        },
    }
    english = Shapes(named, "en").fields(body)
    assert [(one.path, one.type, one.needed, one.meaning, one.bounds) for one in english] == [
        ("lines", "list of object", True, "", ("≤ 9 items",)),
        ("lines[].fen", "integer", True, "", ("≥ 1",)),
        ("kind", "`a` · `b`", False, "which one", ()),
        ("until", "time or null", False, "", ()),
    ]
    assert [(one.type, one.bounds) for one in Shapes(named, "zh").fields(body)] == [
        ("列表：对象", ("≤ 9 项",)),
        ("整数", ("≥ 1",)),
        ("`a` · `b`", ()),
        ("时间 或 null", ()),
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
    page = group_page(document, "tills", calls, [Told("gone", 404, "没有。", "Gone.")], Speech("zh"))
    assert "## GET /x/v1/{id} { #x_look }" in page
    assert "请求须签名" in page
    assert f"| 404 | `gone` | 没有。 | {TO_DO[404][0]} |" in page


def test_what_has_no_chinese_sentence_of_now_is_named() -> None:
    calls = {"x_look": {"summary": ["Looks", "查看"]}, "x_gone": {"summary": ["Goes", "离开"]}}
    said = Speech("zh", calls, {"which one": "哪一个", "gone": "没有了"})
    assert said.of_call("x_look", "summary", "Looks") == "查看"
    assert said.of_field("which\none") == "哪一个"
    assert said.title("vouchers") == "消费券"
    assert said.of_call("x_look", "description", "At what it likes.") == "At what it likes."
    assert said.of_call("x_look", "summary", "Looks twice") == "Looks twice"
    assert said.of_field("why") == "why"
    assert said.title("tills") == "tills"
    assert said.lacking == [
        "x_look: no Chinese description",
        "x_look: the summary was translated from other words",
        "no Chinese sentence for: why",
        "tills: no Chinese title in words.py",
    ]
    assert said.left_over == ["fields.toml: gone", "x_gone: summary"]
    assert Speech("en").of_call("x_look", "summary", "Looks") == "Looks"


def test_the_chinese_sentences_name_the_same_code_and_are_no_english() -> None:
    said = speech("zh")
    told = [tuple(pair) for parts in said.calls.values() for pair in parts.values()] + [
        *said.sentences.items()
    ]
    assert len(told) > 900
    code = re.compile(r"`[^`]*`")
    # Three words in a row: what stands alone is a name (`slug`, UTF-8, GB/T 9704).
    english = re.compile(r"[A-Za-z]{2,} [A-Za-z]+ [A-Za-z]{2,}")
    assert [
        pair
        for pair in told
        if set(code.findall(pair[0])) != set(code.findall(pair[1])) or english.search(code.sub("", pair[1]))
    ] == []


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


def test_guides_print_the_same_steps_in_both_languages() -> None:
    english = list(steps("docs"))
    assert list(steps("docs/zh")) == english
    assert len(english) > 20
    assert (
        Step(
            "guides/till-first-write-off.md",
            "POST",
            "/redemption/v1/reversals",
            (),
            frozenset({"request_no", "original_request_no", "reason"}),
        )
        in english
    )


def test_a_step_that_no_call_takes_is_found() -> None:
    body = {"properties": {"request_no": {}, "label": {}}, "required": ["request_no"]}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Body"}}}
    document: dict[str, Any] = {
        "paths": {
            "/x/v1/things/{id}": {
                "post": {"parameters": [{"name": "id"}], "requestBody": {"content": content}}
            }
        },
        "components": {"schemas": {"Body": body}},
    }
    sent = frozenset({"labels"})
    assert list(misfits(Step("p", "POST", "/x/v1/things/$ID", ("q",), sent), document)) == [
        "p: /x/v1/things/$ID takes no q",
        "p: /x/v1/things/$ID knows no labels",
        "p: /x/v1/things/$ID needs request_no",
    ]
    assert list(misfits(Step("p", "GET", "/x/v1/things/1", (), None), document)) == [
        "p: no call GET /x/v1/things/1"
    ]
