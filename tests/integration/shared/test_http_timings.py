"""hv_http_request_duration_seconds: one label for each route, never an id, whatever the answer was."""

import httpx
import pytest

from shared.metrics.http import PROCESS_REGISTRY

NAME = "hv_http_request_duration_seconds_count"


def count(route: str, method: str, status: int) -> float:
    labels = {"service": "probe", "route": route, "method": method, "status": str(status)}
    return PROCESS_REGISTRY.get_sample_value(NAME, labels) or 0.0


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/probe/v1/things/some-id-7", "/probe/v1/things/{thing_id}", 200),
        ("POST", "/probe/v1/hot-things/some-id-7", "/probe/v1/hot-things/{thing_id}", 201),
        ("POST", "/probe/v1/things/some-id-7", "/probe/v1/things/{thing_id}", 201),
        ("GET", "/probe/v1/boom", "/probe/v1/boom", 500),
        ("GET", "/probe/healthz", "/probe/healthz", 200),
        ("GET", "/probe/no/such/id-7", "-", 404),
    ],
)
async def test_route_label_is_the_full_template(
    client: httpx.AsyncClient, method: str, path: str, route: str, status: int
) -> None:
    before = count(route, method, status)
    answer = await client.request(method, path, json={"number": 1} if method == "POST" else None)
    assert answer.status_code == status
    assert count(route, method, status) == before + 1


async def test_no_label_ever_carries_an_id(client: httpx.AsyncClient) -> None:
    for path in ("/probe/v1/things/secret-id", "/probe/secret-id", "/probe/v1/boom?x=secret-id"):
        for method in ("GET", "PUT", "secret-id"):
            await client.request(method, path)
    labels = [
        value
        for family in PROCESS_REGISTRY.collect()
        for sample in family.samples
        for value in sample.labels.values()
    ]
    assert labels
    assert not any("secret-id" in value for value in labels)
