"""Every route that answers a table, of all four services, found in the apps: no cell of it is ever run.

Campaign, programme, hospitals and an institution are called by a formula. A route that needs the id of
something else stands in `BY_ID` with the test that opens its file; a new one that is neither fails here.
"""

import csv
import io
import re
import secrets
import zipfile
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from python_calamine import CalamineWorkbook

from services.console.app import create_app as console
from services.issuance.app import create_app as issuance
from services.quota.app import create_app as quota
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.documents.cells import evaluates
from shared.documents.csvfiles import BOM
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers import catalogue
from tests.support.campaigns import publish_campaign
from tests.support.http import serving
from tests.support.pages import signed_in
from tests.support.people import signed_in_staff
from tests.support.quota import bureau_of
from tests.support.tills import Bureau

PLANTED = '=HYPERLINK("http://example.invalid","x")'
# By what its address asks for: where its file is opened and read.
BY_ID = {
    "{case_id}": "tests/integration/redemption/test_case_files.py",
    "{settlement_id}": "tests/integration/redemption/test_statements.py",
    "{reconciliation_id}": "tests/integration/redemption/test_reconciliation.py",
    "{job_id}": "tests/unit/shared/test_inert_cells.py",
    "{key}": "tests/unit/shared/test_inert_cells.py",
}
# Where the planted words stand for certain.
HAVE_IT = {
    "/quota/v1/programmes/{slug}/hospitals.xlsx",
    "/quota/v1/programmes/{slug}/bulletin.xlsx",
    "/quota/v1/programmes/{slug}/allocations/{version}.xlsx",
    "/redemption/v1/rankings/ranking.csv",
    "/console/institutions/export.xlsx",
}
_TABLE = re.compile(r"\.xlsx$|\.csv$|/payment-file$")
_COMPARED = re.compile(r"compare\.xlsx$")
_VERSIONS = {"from": "1", "to": "1", "earlier": "1", "later": "1"}


def routes_of(router: Any) -> Iterator[APIRoute]:  # noqa: ANN401 - an app, or a router within it
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        else:
            yield from routes_of(getattr(route, "original_router", APIRouter()))


def tables(app: FastAPI) -> Iterator[str]:
    for route in routes_of(app):
        if "GET" in (route.methods or ()):
            kinds = [kind for told in route.responses.values() for kind in told.get("content", {})]
            if _TABLE.search(route.path) or any("spreadsheet" in kind or "csv" in kind for kind in kinds):
                yield route.path


@pytest.fixture(scope="module")
async def apps(settings: Settings, clock: ManualClock) -> dict[str, FastAPI]:
    made = {"console": console, "issuance": issuance, "redemption": redemption, "quota": quota}
    return {name: create(settings, clock=clock) for name, create in made.items()}


@pytest.fixture(scope="module")
async def client(apps: dict[str, FastAPI]) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(**apps) as client:
        yield client


@pytest.fixture(scope="module")
async def planted(client: httpx.AsyncClient, kit: Kit) -> dict[str, str]:
    bureau = await bureau_of(client, kit)
    name = f"{PLANTED}{secrets.token_hex(2)}"
    programme = await bureau.programme(
        f"planted-{secrets.token_hex(4)}", (PLANTED, name, 60), ("", "乙", 40), total=100, title=PLANTED
    )
    campaign = await publish_campaign(kit, title=PLANTED)
    staff = await signed_in_staff(kit, Role.OPERATOR)
    async with kit.database.snapshot() as tx:
        found = await catalogue.campaign_by_slug(tx, campaign.slug)
    await Bureau(client, kit, staff).institution(found, name=name)
    return {"campaign": campaign.slug, "programme": programme.slug}


def cells_of(content: bytes) -> list[str]:
    """Read by another library than the one that wrote them; formulas and links are refused on the way."""
    if content.startswith(BOM):
        read = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        cells = [cell for row in read for cell in row]
        assert not [cell for cell in cells if evaluates(cell)]
        return cells
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert parts
    assert not any(b"<f>" in part or b"<f " in part or b"<hyperlink" in part for part in parts)
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return [
        str(cell)
        for sheet in book.sheet_names
        for row in book.get_sheet_by_name(sheet).to_python()
        for cell in row
    ]


async def test_no_table_that_anybody_can_fetch_is_run_by_a_spreadsheet(
    apps: dict[str, FastAPI], client: httpx.AsyncClient, planted: dict[str, str], kit: Kit
) -> None:
    found = sorted({path for app in apps.values() for path in tables(app)})
    assert len(found) > 40
    signed_in(client, await signed_in_staff(kit, Role.ADMIN, Role.OPERATOR))
    headers = await signed_in_staff(kit, Role.ADMIN, Role.OPERATOR)
    opened = {}
    for path in found:
        if any(part in path for part in BY_ID):
            continue
        slug = planted["programme" if path.startswith("/quota/") else "campaign"]
        address = path.format(slug=slug, version=1, basis="visits")
        query = {**planted, "year": "2020", **(_VERSIONS if _COMPARED.search(path) else {})}
        answer = await client.get(address, params=query, headers=headers)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        assert "attachment" in answer.headers.get("content-disposition", ""), path
        opened[path] = cells_of(answer.content)
    assert not {path for path in HAVE_IT if not any("=HYPERLINK" in cell for cell in opened[path])}
