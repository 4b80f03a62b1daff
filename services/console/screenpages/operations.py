"""The big screen: one reading of the figures for all who look, and who may look."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.console.overviewpages import store as overview
from services.console.overviewpages.rules import (
    CAMPAIGN_MEASURES,
    PROGRAMME_MEASURES,
    CampaignBoard,
    PayerLine,
    TypeLine,
    fill_campaign,
)
from services.console.screenlinks.operations import LINK_MARK, ScreenLinks
from services.console.screenlinks.rules import require_valid
from services.console.screenpages import store
from services.console.screenpages.rules import (
    campaign_days,
    card_days,
    cards_of,
    counties,
    institutions,
    total_of,
    write_offs,
)
from services.console.screenpages.schemas import ScreenView
from shared import ledger
from shared.clock import local_day, machine_seconds, rfc3339
from shared.db import Tx
from shared.errors import Forbidden, NotFound, Unauthenticated
from shared.identity.staff import READERS, SESSION_DOMAIN, Staff
from shared.identity.store import staff_of_session
from shared.kit import Kit
from shared.metrics.store import Figure, figures
from shared.rates import from_ppm
from shared.remembered import Remembered
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef

_EMPTY = {"issued": 0, "used": 0, "scans": 0}


@dataclass(frozen=True, slots=True)
class Reading:
    """`read_at` is the machine's own clock: a demonstration's moves."""

    content: dict[str, Any]
    read_at: float

    @property
    def age_seconds(self) -> int:
        return max(0, int(machine_seconds() - self.read_at))


class Screen:
    """Keeps one reading for all viewers of this process, and who they are, for a refresh period."""

    def __init__(self, kit: Kit, links: ScreenLinks) -> None:
        self._kit = kit
        seconds = kit.settings.screen_refresh_seconds
        self._readings = Remembered(self._read, seconds=seconds)
        self._links = Remembered(links.of_token, seconds=seconds)
        self._staff = Remembered(self._staff_of, seconds=seconds)
        # Of all who come when a reading is too old one reads, and the others wait for it.
        self._one = asyncio.Lock()

    async def look(self, token: str, campaign: str, programme: str) -> Reading:
        """`token` is a link's or a session's; an empty slug: the newest one.

        Raises:
            Unauthenticated, Forbidden, ScreenLinkUnknown, ScreenLinkRevoked, ScreenLinkExpired.
            NotFound: no such campaign or programme.
        """
        async with self._one:
            await self._admit(token)
            return await self._readings.get((campaign, programme))

    async def _admit(self, token: str) -> None:
        if token.startswith(LINK_MARK):
            require_valid(await self._links.get(token), self._kit.clock.now())
        elif not (await self._staff.get(token)).has(*READERS):
            raise Forbidden

    async def _staff_of(self, token: str) -> Staff:
        token_hash = self._kit.keys.index.digest(SESSION_DOMAIN, token)
        async with self._kit.database.snapshot() as tx:
            staff = await staff_of_session(tx, token_hash, self._kit.clock.now())
        if staff is None:
            raise Unauthenticated
        return staff

    async def _read(self, wanted: tuple[str, str]) -> Reading:
        now, read_at = self._kit.clock.now(), machine_seconds()
        async with self._kit.database.snapshot() as tx:
            campaigns, programmes = await catalogue.campaigns(tx), await store.programmes(tx)
            campaign, programme = _chosen(campaigns, wanted[0]), _chosen(programmes, wanted[1])
            view = ScreenView.model_validate(
                {
                    "as_of": rfc3339(now),
                    "refresh_seconds": self._kit.settings.screen_refresh_seconds,
                    "demo": self._kit.settings.demo,
                    "campaigns": [{"slug": one.slug, "title": one.title} for one in campaigns],
                    "programmes": [{"slug": one.slug, "title": one.title} for one in programmes],
                    "campaign": await _campaign(tx, campaign, now) if campaign else None,
                    "programme": await _programme(tx, programme, now) if programme else None,
                }
            )
        return Reading(view.model_dump(mode="json"), read_at)


def _chosen(found: Sequence[Any], slug: str) -> Any:  # noqa: ANN401 - a campaign or a programme
    """Raises NotFound."""
    if not slug:
        return found[0] if found else None
    for one in found:
        if one.slug == slug:
            return one
    raise NotFound


async def _campaign(tx: Tx, campaign: CampaignRef, now: datetime) -> dict[str, Any]:
    today = local_day(now, campaign.timezone)
    found = await figures(tx, [campaign.id], list(CAMPAIGN_MEASURES))
    board = await _board(tx, campaign, found)
    left, counted = await store.stock(tx, campaign.id, now), write_offs(found)
    rows = await store.institutions(tx, campaign.id, list(counted))
    daily, earlier = campaign_days(found, today)
    ranking, others = institutions(rows, counted)
    return {
        "slug": campaign.slug,
        "title": campaign.title,
        "status": campaign.status,
        "assumed": [en for _, en in board.assumed_money],
        "total": total_of(found),
        "today": total_of(figure for figure in found if figure.day == today),
        "daily": daily,
        "earlier": earlier,
        "types": [
            {
                "key": line.key,
                "name": line.name,
                "issued": line.issued,
                "redeemed": line.redeemed,
                "outstanding": line.outstanding,
                "ended": line.ended,
                "remaining": left.get(line.key, 0),
            }
            for line in board.types
        ],
        "payers": [
            {
                "name": payer.name,
                "budget_fen": payer.budget,
                "available_fen": payer.available,
                "committed_fen": payer.committed,
                "payable_fen": payer.payable,
                "paid_fen": payer.paid,
            }
            for payer in board.payers
        ],
        "counties": counties(rows, counted),
        "institutions": ranking,
        "other_institutions": others,
    }


async def _board(tx: Tx, campaign: CampaignRef, found: Sequence[Figure]) -> CampaignBoard:
    """Types and payers as the overview tells them."""
    fund = await ledger.fund_of(tx, campaign.id)
    types = await catalogue.voucher_types(tx, campaign.id)
    assumed = await overview.assumed(tx)
    board = CampaignBoard(
        slug=campaign.slug,
        title=campaign.title,
        status=campaign.status,
        types=[TypeLine(kind.key, kind.name) for kind in types],
        payers=[PayerLine(payer.name, from_ppm(payer.share_ppm)) for payer in fund.payers],
        assumed=assumed.get(campaign.id, []),
    )
    return fill_campaign(board, found)


async def _programme(tx: Tx, programme: store.Programme, now: datetime) -> dict[str, Any]:
    today = local_day(now, programme.timezone)
    found = await figures(tx, [programme.id], list(PROGRAMME_MEASURES))
    cards = cards_of(await store.hospitals(tx, programme.id, today), found)
    daily, earlier = card_days(found, today)
    return {
        "slug": programme.slug,
        "title": programme.title,
        "target": programme.target_cards,
        "issued_before": programme.issued_before_cards,
        "allocated": cards.allocated,
        "issued": cards.issued,
        "attributed": cards.attributed,
        "unattributed": cards.unattributed,
        "used": cards.used,
        "scans": cards.scans,
        "rate": cards.rate,
        "today": next((day for day in daily if day.date == today), _EMPTY),
        "daily": daily,
        "earlier": earlier,
        "units": cards.units,
        "hospitals": cards.ranking,
        "other_hospitals": cards.others,
    }
