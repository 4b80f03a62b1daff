"""Every route that answers a table, of all four services, found in the apps: no cell of it is ever run.

Whatever can be typed is planted first; `WORDLESS` are those in whose tables none of it stands, and why.
"""

import csv
import io
import re
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict
from itertools import product
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from python_calamine import CalamineWorkbook

from services.console.app import create_app as console
from services.console.importpages.rules import IMPORTS
from services.console.pages.routes import SESSION_COOKIE
from services.issuance.app import create_app as issuance
from services.quota.app import create_app as quota
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.documents.cells import evaluates
from shared.documents.csvfiles import BOM
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.http import serving
from tests.support.pages import signed_in
from tests.support.people import signed_in_staff
from tests.support.planted import PLANTED, Planted, plant

# Opened as the others are; none of what was planted stands in them, nor in blank templates.
WORDLESS: Mapping[str, str] = {
    "/console/imports/jobs/{service}/{job_id}/faults.xlsx": "reasons in our own words, whatever was sent",
    "/console/imports/export.xlsx": "names of imports and staff, counts",
    "/console/integrity/export.xlsx": "names of checks, counts",
    "/console/jobs/export.xlsx": "kinds and states of jobs",
    "/console/jobs/letters.xlsx": "dead letters: none here",
    "/console/staff/export.xlsx": "names of accounts have no such letters",
    "/console/quota/cards.xlsx": "cards of no hospital: their numbers come from the card platform, none here",
    "/console/quota/stuffing/export.xlsx": "suspicions: none here",
    "/console/quota/working-days.xlsx": "a calendar: none here",
    "/console/reviews/export.xlsx": "records to be reviewed: none here",
    "/console/risk/failed-days/export.xlsx": "days that could not be judged: none here",
    "/console/write-offs/conflicts/export.xlsx": "conflicts of offline tills: none here",
    "/console/write-offs/manual/export.xlsx": "write-offs by id number: none here",
}
_TABLE = re.compile(r"\.xlsx$|\.csv$|/payment-file$|/(statement|ranking)\.{kind}$")
_COMPARED = re.compile(r"compare\.xlsx$")
_OWN = "/console/hospital/"
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
def settings(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings.model_copy(update={"objects_dir": tmp_path_factory.mktemp("objects")})


@pytest.fixture(scope="module")
async def apps(settings: Settings, clock: ManualClock) -> dict[str, FastAPI]:
    made = {"console": console, "issuance": issuance, "redemption": redemption, "quota": quota}
    return {name: create(settings, clock=clock) for name, create in made.items()}


@pytest.fixture(scope="module")
async def client(apps: dict[str, FastAPI]) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(**apps) as client:
        yield client


@pytest.fixture(scope="module")
async def planted(client: httpx.AsyncClient, kit: Kit, clock: ManualClock) -> Planted:
    return await plant(client, kit, clock)


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


def addresses(path: str, planted: Planted) -> Iterator[str]:
    """A route's addresses: one for each settlement, each import, each way."""
    values = {
        **{name: [value] for name, value in asdict(planted).items()},
        "slug": [planted.programme if path.startswith("/quota/") else planted.campaign],
        "settlement_id": planted.settlements,
        "service": ["issuance"],
        "key": [one.key for one in IMPORTS if one.scope],
        "version": ["1"],
        "basis": ["visits"],
        "kind": ["xlsx"],
    }
    asked = [(name, values[name]) for name in re.findall(r"{(\w+)}", path)]
    for chosen in product(*(several for _, several in asked)):
        yield path.format(**dict(zip((name for name, _ in asked), chosen, strict=True)))


def query_of(path: str, planted: Planted) -> dict[str, str]:
    asked = {"campaign": planted.campaign, "programme": planted.programme, "year": "2020"}
    if "/imports/" in path:
        programmes = ("basis", "levels", "card-events")
        asked["slug"] = planted.programme if path.split("/")[-2] in programmes else planted.campaign
    return asked | (_VERSIONS if _COMPARED.search(path) else {})


async def test_no_table_that_anybody_can_fetch_is_run_by_a_spreadsheet(
    apps: dict[str, FastAPI], client: httpx.AsyncClient, planted: Planted, kit: Kit
) -> None:
    found = sorted({path for app in apps.values() for path in tables(app)})
    assert len(found) > 40
    headers = await signed_in_staff(kit, Role.ADMIN, Role.OPERATOR)
    signed_in(client, headers)
    hospital = await signed_in_staff(kit, Role.HOSPITAL, hospital_id=planted.hospital_id)
    own = hospital["Authorization"].removeprefix("Bearer ")
    opened: dict[str, list[str]] = {}
    for path in found:
        for address in addresses(path, planted):
            cookie = {"Cookie": f"{SESSION_COOKIE}={own}"} if address.startswith(_OWN) else {}
            answer = await client.get(address, params=query_of(address, planted), headers=headers | cookie)
            assert answer.status_code == 200, f"{address}: {answer.status_code} {answer.text[:300]}"
            assert "attachment" in answer.headers.get("content-disposition", ""), address
            opened.setdefault(path, []).extend(cells_of(answer.content))
    silent = {path for path, cells in opened.items() if not any(PLANTED in cell for cell in cells)}
    silent = {path for path in silent if not path.endswith("/template.xlsx")}
    assert not silent - set(WORDLESS), "\n".join(sorted(silent - set(WORDLESS)))
