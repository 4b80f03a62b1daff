"""Whatever is wrong with a request: one problem document, with a stable code and a request id."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import structlog
from structlog.testing import capture_logs

from shared.http.middleware import SECURITY_HEADERS
from shared.settings import Settings

THING = "/probe/v1/things/a"
HOT = "/probe/v1/hot-things/a"
JSON = {"content-type": "application/json"}
EVERY_THING = pytest.mark.parametrize("path", [THING, HOT])


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Asserts that the answer is this problem, whole and well-formed."""
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"/docs/errors#{code}"
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value
    return body


async def test_unknown_address_is_404(client: httpx.AsyncClient) -> None:
    for path in ("/probe/nothing", "/probe/v1/things/a/", "/probe/v1/things", "/probe//v1/slow"):
        problem(await client.get(path), 404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
async def test_other_method_is_405_and_says_which_are_allowed(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/probe/v1/boom")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


@EVERY_THING
async def test_body_that_is_too_large_is_413(
    client: httpx.AsyncClient, settings: Settings, path: str
) -> None:
    content = b'{"number": 1' + b" " * settings.max_body_bytes + b"}"
    problem(await client.post(path, content=content, headers=JSON), 413, "payload_too_large")


@EVERY_THING
async def test_body_that_turns_out_too_large_is_413(
    client: httpx.AsyncClient, settings: Settings, path: str
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1 + settings.max_body_bytes // 100_000):
            yield b" " * 100_000

    problem(await client.post(path, content=endless(), headers=JSON), 413, "payload_too_large")


async def test_uploads_have_a_limit_of_their_own(client: httpx.AsyncClient, settings: Settings) -> None:
    fits = await client.post("/probe/v1/files", files={"file": b"x" * (settings.max_body_bytes + 1)})
    assert fits.status_code == 201
    too_large = await client.post("/probe/v1/files", files={"file": b"x" * settings.max_upload_bytes})
    problem(too_large, 413, "payload_too_large")


@EVERY_THING
@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "application/x-www-form-urlencoded"]
)
async def test_body_of_another_type_is_415(client: httpx.AsyncClient, path: str, content_type: str) -> None:
    answer = await client.post(path, content=b'{"number": 1}', headers={"content-type": content_type})
    problem(answer, 415, "unsupported_media_type")


async def test_upload_to_a_call_that_takes_json_is_415(client: httpx.AsyncClient) -> None:
    problem(await client.post(THING, files={"file": b"x"}), 415, "unsupported_media_type")


@EVERY_THING
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"number": }',
        b"[]",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b'{"number": 1} trailing',
        b"[" * 50_000,
        b'{"number": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    ],
    ids=lambda content: content[:14].decode(errors="replace"),
)
async def test_malformed_json_is_422(client: httpx.AsyncClient, path: str, content: bytes) -> None:
    body = problem(await client.post(path, content=content, headers=JSON), 422, "invalid_request")
    assert body["errors"]
    assert all(fault["loc"].startswith("body") and fault["message"] for fault in body["errors"])


@EVERY_THING
@pytest.mark.parametrize(
    ("changed", "loc"),
    [
        ({"surprise": 1}, "surprise"),
        ({"number": "1"}, "number"),
        ({"number": 1.5}, "number"),
        ({"number": True}, "number"),
        ({"number": None}, "number"),
        ({"number": -1}, "number"),
        ({"number": 10**30}, "number"),
    ],
)
async def test_faulty_field_is_422_and_named(
    client: httpx.AsyncClient, path: str, changed: dict[str, Any], loc: str
) -> None:
    body = problem(await client.post(path, json={"number": 1, **changed}), 422, "invalid_request")
    (fault,) = body["errors"]
    assert loc in fault["loc"] + fault["message"]
    assert fault["code"]


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("at", "2020-11-01T11:00:00+08:00", 201),
        ("at", "2020-11-01T03:00:00.123456Z", 201),
        ("at", None, 201),
        ("at", "2020-11-01T11:00:00", 422),
        ("at", "2020-11-01", 422),
        ("at", 1604199600, 422),
        ("at", "1604199600", 422),
        ("at", "0001-01-01T00:00:00+08:00", 422),
        ("at", "9999-12-31T23:59:59-08:00", 422),
        ("at", "2020-02-30T00:00:00Z", 422),
        ("day", "2020-02-29", 201),
        ("day", "2021-02-29", 422),
        ("day", "2020-02-29T00:00:00", 422),
        ("day", "20200229", 422),
        ("day", 20200229, 422),
    ],
)
async def test_times_are_text_with_an_offset(
    client: httpx.AsyncClient, field: str, value: object, status: int
) -> None:
    answer = await client.post(THING, json={"number": 1, field: value})
    assert answer.status_code == status


class TestCharacters:
    async def test_nul_in_path_or_query_is_422(self, client: httpx.AsyncClient) -> None:
        for path in ("/probe/v1/things/%00", "/probe/v1/things/a?limit=%00", "/probe/%00nothing"):
            problem(await client.get(path), 422, "invalid_request")

    async def test_nul_that_reaches_the_database_is_422(self, client: httpx.AsyncClient) -> None:
        body = problem(await client.post(THING, json={"number": 1, "name": "a\x00b"}), 422, "invalid_request")
        assert body["errors"][0]["code"] == "character_invalid"

    async def test_half_a_character_is_422(self, client: httpx.AsyncClient) -> None:
        answer = await client.post(THING, content=b'{"number": 1, "name": "\\ud800"}', headers=JSON)
        problem(answer, 422, "invalid_request")

    async def test_every_other_character_is_kept(self, client: httpx.AsyncClient) -> None:
        name = "红河 𠮷 \u200b ' \" ; -- \\ \x7f \u202e"
        answer = await client.post(THING, json={"number": 1, "name": name})
        assert answer.json()["name"] == name

    async def test_path_that_is_no_utf8_is_refused_or_read_but_never_a_fault(
        self, client: httpx.AsyncClient
    ) -> None:
        assert (await client.get("/probe/v1/things/%ff%fe")).status_code in {200, 404, 422}


async def test_query_parameter_of_another_type_is_422(client: httpx.AsyncClient) -> None:
    body = problem(await client.get(f"{THING}?limit=many"), 422, "invalid_request")
    assert body["errors"][0]["loc"] == "query.limit"


class TestLanguage:
    @pytest.mark.parametrize("header", [None, "", "zh-CN,zh;q=0.9,en;q=0.8", "fr"])
    async def test_chinese_by_default(self, client: httpx.AsyncClient, header: str | None) -> None:
        headers = {} if header is None else {"accept-language": header}
        body = problem(await client.get("/probe/nothing", headers=headers), 404, "not_found")
        assert body["detail"] == "没有找到您要的内容。"

    @pytest.mark.parametrize("header", ["en", "en-GB,en;q=0.9,zh;q=0.8", "EN"])
    async def test_english_when_it_is_wanted_first(self, client: httpx.AsyncClient, header: str) -> None:
        answer = await client.get("/probe/nothing", headers={"accept-language": header})
        assert problem(answer, 404, "not_found")["detail"].isascii()

    async def test_reason_stands_behind_the_sentence(self, client: httpx.AsyncClient) -> None:
        body = problem(await client.get("/probe/v1/refused"), 409, "no_longer_fits")
        assert body["detail"].startswith("情况已变化")
        assert body["detail"].endswith("the stock is gone")


class TestUnexpectedFault:
    async def test_is_500_without_internals(self, client: httpx.AsyncClient) -> None:
        with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as logged:
            answer = await client.get("/probe/v1/boom")
        body = problem(answer, 500, "internal_error")
        for secret in ("swordfish", "RuntimeError", "Traceback", "probe.py"):
            assert secret not in answer.text
        (entry,) = logged
        assert entry["request_id"] == body["request_id"]
        assert isinstance(entry["exc_info"], RuntimeError)

    async def test_leaves_the_next_request_alone(self, client: httpx.AsyncClient) -> None:
        await client.get("/probe/v1/boom")
        assert (await client.get(THING)).status_code == 200


class TestRequestId:
    async def test_every_answer_has_one_of_its_own(self, client: httpx.AsyncClient) -> None:
        ids = {(await client.get(path)).headers["x-request-id"] for path in (THING, "/probe/healthz", "/x")}
        assert len(ids) == 3

    async def test_callers_own_is_kept_when_it_is_harmless(self, client: httpx.AsyncClient) -> None:
        for given, kept in (("till-7.42_a", True), ("a" * 65, False), ("a b", False), ('"><', False)):
            answer = await client.get(THING, headers={"x-request-id": given})
            assert (answer.headers["x-request-id"] == given) is kept


async def test_answers_allow_browsers_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get(THING)
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert json.loads(answer.content)["name"] == "a"
