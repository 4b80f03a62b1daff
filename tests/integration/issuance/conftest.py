from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from services.issuance.app import create_app
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.desk import Desk
from tests.support.http import serving
from tests.support.people import signed_in_staff


@pytest.fixture(scope="module")
async def client(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody yet, at the issuance service."""
    async with serving(issuance=create_app(settings, clock=clock)) as client:
        yield client


@pytest.fixture(scope="module")
async def desk(client: httpx.AsyncClient, kit: Kit) -> Desk:
    one = await signed_in_staff(kit, Role.OPERATOR)
    return Desk(client, one, await signed_in_staff(kit, Role.ADMIN))


@pytest.fixture
def clock_returns(clock: ManualClock) -> Iterator[None]:
    """Puts the module's clock back after a test that moved it."""
    start = clock.now()
    yield
    clock.set(start)
