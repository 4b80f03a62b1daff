"""What the pages read, in one snapshot each."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from uuid import UUID

from services.console.pages import store
from services.console.pages.rules import (
    CAMPAIGN_MEASURES,
    PROGRAMME_MEASURES,
    CampaignBoard,
    ErrorRow,
    PayerLine,
    ProgrammeBoard,
    TypeLine,
    fill_campaign,
    fill_programme,
    parse_errors,
)
from shared import ledger
from shared.db import Tx
from shared.kit import Kit
from shared.metrics.store import Figure, figures
from shared.rates import from_ppm
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef

# Separates the tokens of forms from every other keyed hash.
_FORM_DOMAIN = "console-form"


@dataclass(frozen=True, slots=True)
class Boards:
    as_of: datetime
    campaigns: list[CampaignBoard]
    programmes: list[ProgrammeBoard]


@dataclass(frozen=True, slots=True)
class Pages:
    kit: Kit

    async def campaigns(self) -> list[CampaignRef]:
        """The published campaigns, which anybody may know of."""
        async with self.kit.database.snapshot() as tx:
            return await catalogue.campaigns(tx)

    async def overview(self) -> Boards:
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            return Boards(now, await self._campaigns(tx), await self._programmes(tx))

    async def _campaigns(self, tx: Tx) -> list[CampaignBoard]:
        found = await catalogue.campaigns(tx)
        by_campaign = await _by_scope(tx, [campaign.id for campaign in found], CAMPAIGN_MEASURES)
        assumed = await store.assumed(tx)
        boards = []
        for campaign in found:
            fund = await ledger.fund_of(tx, campaign.id)
            types = await catalogue.voucher_types(tx, campaign.id)
            board = CampaignBoard(
                slug=campaign.slug,
                title=campaign.title,
                status=campaign.status,
                types=[TypeLine(kind.key, kind.name) for kind in types],
                payers=[PayerLine(payer.name, from_ppm(payer.share_ppm)) for payer in fund.payers],
                assumed=assumed.get(campaign.id, []),
            )
            boards.append(fill_campaign(board, by_campaign[campaign.id]))
        return boards

    async def _programmes(self, tx: Tx) -> list[ProgrammeBoard]:
        found = await store.programmes(tx)
        by_programme = await _by_scope(tx, [programme.id for programme in found], PROGRAMME_MEASURES)
        quotas = defaultdict(list)
        for row in await store.quotas(tx):
            quotas[row.programme_id].append((row.hospital_id, row.name, row.alliance, row.quota))
        return [
            fill_programme(
                ProgrammeBoard(
                    slug=programme.slug,
                    title=programme.title,
                    target=programme.target_cards,
                    issued_before=programme.issued_before_cards,
                    allocated=programme.allocated,
                ),
                by_programme[programme.id],
                quotas[programme.id],
            )
            for programme in found
        ]

    def errors(self) -> list[ErrorRow]:
        return error_rows()

    def form_token(self, secret: str) -> str:
        """Ties a form to the cookie of the browser that it was made for."""
        return self.kit.keys.index.digest(_FORM_DOMAIN, secret).hex()


@cache
def error_rows() -> list[ErrorRow]:
    """The rows of docs/errors.md: of the repository, or the copy that an installed package carries."""
    packaged = files("services.console.pages") / "errors.md"
    page = packaged if packaged.is_file() else files("services") / ".." / "docs" / "errors.md"
    return parse_errors(page.read_text(encoding="utf-8"))


async def _by_scope(tx: Tx, scopes: list[UUID], measures: tuple[str, ...]) -> dict[UUID, list[Figure]]:
    found: defaultdict[UUID, list[Figure]] = defaultdict(list)
    for figure in await figures(tx, scopes, list(measures)):
        found[figure.scope_id].append(figure)
    return found
