"""GET /{service}/docs: one page and its files, all from this origin, under a strict policy."""

import hashlib
import re
from pathlib import Path

import httpx
import pytest

import services.console.pages
import shared.http

_VENDORS = (
    *(
        Path(str(package.__file__)).parent / "static" / "vendor"
        for package in (shared.http, services.console.pages)
    ),
    Path(__file__).resolve().parents[2] / "browser" / "vendor",
)
VENDORED = [folder for vendor in _VENDORS for folder in sorted(vendor.iterdir())]


async def test_page_loads_nothing_from_elsewhere(client: httpx.AsyncClient) -> None:
    page = await client.get("/probe/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) >= 5
    for address in addresses:
        assert address.startswith("/probe/")
        assert (await client.get(address)).status_code == 200
    assert re.findall(r"<script(?![^>]*\bsrc=)", page.text) == []
    assert "style=" not in page.text


async def test_policy_allows_this_origin_only(client: httpx.AsyncClient) -> None:
    policy = (await client.get("/probe/docs")).headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("name", ["SHA256SUMS", "..%2fdocs.py", "swagger-ui.css/", "none.js"])
async def test_only_the_pages_own_files_are_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/probe/docs/assets/{name}")).status_code == 404


async def test_reference_is_not_part_of_the_api(client: httpx.AsyncClient) -> None:
    document = (await client.get("/probe/openapi.json")).json()
    assert not any(path.startswith("/probe/docs") for path in document["paths"])


async def test_hot_routes_are_documented_like_any_other(client: httpx.AsyncClient) -> None:
    document = (await client.get("/probe/openapi.json")).json()
    operation = document["paths"]["/probe/v1/hot-things/{thing_id}"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["number"]["maximum"] == 1_000_000
    assert operation["summary"] == "Makes a thing by one statement of the hot pool"


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.name)
def test_vendored_files_are_what_their_makers_published(folder: Path) -> None:
    sums = (folder / "SHA256SUMS").read_text(encoding="utf-8")
    expected = {name: digest for digest, name in (line.split("  ") for line in sums.splitlines())}
    found = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.iterdir()
        if file.name != "SHA256SUMS"
    }
    assert found == expected
    assert any(name.startswith("LICENSE") for name in found)
