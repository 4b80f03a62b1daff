"""The published OpenAPI documents say what a caller needs, of every call of every service."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from deploy.clients.documents import fingerprint
from deploy.local.names import SERVICES
from deploy.site.reference import group_page, groups
from deploy.site.speech import speech
from shared.settings import Settings
from tests.support.steps import misfits, steps

CLIENT = Path(__file__).resolve().parents[2] / "deploy" / "clients" / "typescript"
METHODS = frozenset({"get", "put", "post", "delete", "patch"})


@pytest.fixture(scope="module", params=SERVICES)
def app(request: pytest.FixtureRequest, settings: Settings) -> FastAPI:
    made: FastAPI = import_module(f"services.{request.param}.app").create_app(settings)
    return made


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return app.openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield f"{method.upper()} {path}", operation


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for part in node.values():
            yield from references(part)
    elif isinstance(node, list):
        for part in node:
            yield from references(part)


def service_of(document: dict[str, Any]) -> str:
    first: str = next(iter(document["paths"]))
    return first.split("/")[1]


def test_every_operation_has_an_id_of_its_own_in_its_service(document: dict[str, Any]) -> None:
    service = service_of(document)
    ids = [operation["operationId"] for _, operation in operations(document)]
    assert len(ids) == len(set(ids))
    assert [name for name in ids if not name.startswith(f"{service}_")] == []


def test_every_operation_says_in_one_sentence_what_it_does(document: dict[str, Any]) -> None:
    silent = [
        where
        for where, operation in operations(document)
        # Nothing, or the name of a function in capitals: what the framework makes up.
        if re.fullmatch(r"|[A-Z]\w*( [A-Z]\w*)+", operation.get("summary", ""))
    ]
    assert silent == []


def test_every_operation_has_a_tag(document: dict[str, Any]) -> None:
    assert [where for where, operation in operations(document) if not operation.get("tags")] == []


def test_errors_are_problem_documents_and_nothing_else(document: dict[str, Any]) -> None:
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for where, operation in operations(document):
        responses = operation["responses"]
        assert {"4XX", "5XX"} <= set(responses), where
        for status, response in responses.items():
            if status[0] in "45" and "content" in response:
                assert response["content"] == problem, where
    assert not {"HTTPValidationError", "ValidationError"} & set(document["components"]["schemas"])


def test_every_answer_with_a_body_has_a_shape(document: dict[str, Any]) -> None:
    shapeless = [
        f"{where} {status} {media_type}"
        for where, operation in operations(document)
        for status, response in operation["responses"].items()
        for media_type, content in response.get("content", {}).items()
        if media_type == "application/json" and not content.get("schema")
    ]
    assert shapeless == []


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in references(document):
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_every_body_refuses_unknown_fields(document: dict[str, Any]) -> None:
    for where, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        for schema in (content[kind]["schema"] for kind in content if kind == "application/json"):
            target = schema
            if "$ref" in schema:
                target = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            for alternative in target.get("anyOf", [target]):
                strict = alternative.get("additionalProperties") is False
                assert strict or "$ref" in alternative or alternative == {"type": "null"}, where


def test_security_schemes_are_named_and_used(document: dict[str, Any]) -> None:
    schemes = set(document["components"].get("securitySchemes", {}))
    used = {
        name
        for _, operation in operations(document)
        for need in operation.get("security", [])
        for name in need
    }
    assert used <= schemes


def test_document_names_its_server_and_conventions(document: dict[str, Any]) -> None:
    assert document["servers"][0]["url"] == "/"
    assert document["openapi"].startswith("3.1")
    assert "problem document" in document["info"]["description"]


def test_the_typescript_client_was_generated_from_it(document: dict[str, Any]) -> None:
    service = service_of(document)
    with (CLIENT / "src" / "generated" / f"{service}.ts").open(encoding="utf-8") as file:
        head = file.readline().strip()
    assert head.endswith(f"sha256 {fingerprint(document)}"), (
        f"the API of {service} has changed since the client was generated: run `make clients` and commit it"
    )


def test_the_reference_tells_all_of_it_in_chinese(document: dict[str, Any]) -> None:
    said = speech("zh")
    for tag, calls in groups(document).items():
        group_page(document, tag, calls, [], said)
    assert said.lacking == [], "translate them in deploy/site/chinese"


@pytest.mark.parametrize("folder", ["docs", "docs/zh"])
def test_every_printed_step_is_a_call_that_takes_what_it_sends(folder: str, document: dict[str, Any]) -> None:
    service = service_of(document)
    printed = [step for step in steps(folder) if step.path.startswith(f"/{service}/")]
    assert printed or service == "quota"
    assert [fault for step in printed for fault in misfits(step, document)] == []
