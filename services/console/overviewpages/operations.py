"""What the overview reads, in one snapshot."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.console.overviewpages import store
from services.console.overviewpages.rules import (
    CAMPAIGN_MEASURES,
    PROGRAMME_MEASURES,
    CampaignBoard,
    PayerLine,
    ProgrammeBoard,
    StockLine,
    TypeLine,
    fill_campaign,
    fill_programme,
)
from shared import ledger
from shared.clock import local_day
from shared.db import Tx
from shared.kit import Kit
from shared.metrics.store import Figure, figures
from shared.rates import from_ppm
from shared.vouchers import catalogue


@dataclass(frozen=True, slots=True)
class Boards:
    as_of: datetime
    campaigns: list[CampaignBoard]
    programmes: list[ProgrammeBoard]


@dataclass(frozen=True, slots=True)
class Overview:
    kit: Kit

    async def boards(self) -> Boards:
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            return Boards(now, await self._campaigns(tx, now), await self._programmes(tx, now))

    async def _campaigns(self, tx: Tx, now: datetime) -> list[CampaignBoard]:
        found = await catalogue.campaigns(tx)
        by_campaign = await _by_scope(tx, [campaign.id for campaign in found], CAMPAIGN_MEASURES)
        assumed = await store.assumed(tx)
        stocks = await store.stock(tx, now)
        boards = []
        for campaign in found:
            fund = await ledger.fund_of(tx, campaign.id)
            types = await catalogue.voucher_types(tx, campaign.id)
            names = {kind.key: kind.name for kind in types}
            board = CampaignBoard(
                slug=campaign.slug,
                title=campaign.title,
                status=campaign.status,
                types=[TypeLine(kind.key, kind.name) for kind in types],
                payers=[PayerLine(payer.name, from_ppm(payer.share_ppm)) for payer in fund.payers],
                assumed=assumed.get(campaign.id, []),
                today=local_day(now, campaign.timezone),
                stock=[
                    StockLine(names.get(line.voucher_type, line.voucher_type), line.put_in, line.remaining)
                    for line in stocks
                    if line.campaign_id == campaign.id
                ],
            )
            boards.append(fill_campaign(board, by_campaign[campaign.id]))
        return boards

    async def _programmes(self, tx: Tx, now: datetime) -> list[ProgrammeBoard]:
        found = await store.programmes(tx, now)
        by_programme = await _by_scope(tx, [programme.id for programme in found], PROGRAMME_MEASURES)
        quotas = defaultdict(list)
        for row in await store.quotas(tx, now):
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


async def _by_scope(tx: Tx, scopes: list[UUID], measures: tuple[str, ...]) -> dict[UUID, list[Figure]]:
    found: defaultdict[UUID, list[Figure]] = defaultdict(list)
    for figure in await figures(tx, scopes, list(measures)):
        found[figure.scope_id].append(figure)
    return found
