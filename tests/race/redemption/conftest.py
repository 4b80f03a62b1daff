"""Two processes' worth of the service: two apps, each with its own batchers and connections."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest

from services.redemption.app import create_app
from shared.clients.terminal import TerminalClient
from shared.clock import ManualClock
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from tests.support.http import serving
from tests.support.tills import Bureau, bureau
from tests.support.vouchers import published

# The checks of what a race of tills touches: the core's and redemption's own.
CONCERNED = {check.name for check in sql_checks() if check.file.startswith(("core_", "redemption_"))}


@dataclass(frozen=True, slots=True)
class Town:
    """`tills` are two terminals of one institution, each at both apps: tills[terminal][app]."""

    kit: Kit
    campaign: CampaignRef
    staff: Bureau
    apps: tuple[httpx.AsyncClient, httpx.AsyncClient]
    institution: str
    tills: tuple[tuple[TerminalClient, TerminalClient], tuple[TerminalClient, TerminalClient]]

    def at(self, place: int) -> TerminalClient:
        """One of the four, for the `place`-th of many requests at once."""
        return self.tills[place % 2][place // 2 % 2]


def at_both(
    till: TerminalClient, other: httpx.AsyncClient, kit: Kit
) -> tuple[TerminalClient, TerminalClient]:
    """The same terminal talking to the other process too."""
    twin = TerminalClient(
        other,
        terminal_id=till.terminal_id,
        terminal_key=till.terminal_key,
        institution_id=till.institution_id,
        now=kit.clock.now,
    )
    return till, twin


@pytest.fixture(scope="module")
async def town(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        first, second = [
            await stack.enter_async_context(serving(redemption=create_app(settings, clock=clock)))
            for _ in range(2)
        ]
        campaign = await published(kit, "honghe-2020", budget_fen=1_000_000_000_00)
        staff = await bureau(first, kit)
        institution = await staff.institution(campaign)
        one, two = [at_both(await staff.till(institution), second, kit) for _ in range(2)]
        yield Town(kit, campaign, staff, (first, second), institution, (one, two))
        report = await recompute(kit)
        assert [check for check in report.checks if not check.ok and check.name in CONCERNED] == []
