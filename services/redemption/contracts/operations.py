"""Contract prices: what one institution is paid for a directed voucher, from a day on. Four eyes.

Lower than the campaign's settlement price: the rest goes back to available at the write-off, as with a
general voucher. Higher: refused, because no more was committed for the voucher.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from services.redemption.contracts import store
from services.redemption.contracts.errors import (
    ContractPriceNotDirected,
    ContractPriceTooHigh,
    ContractPriceTooSoon,
)
from services.redemption.contracts.rules import begins_at, in_time
from services.redemption.institutions.operations import see_own
from shared.approvals import Applier, Change, propose
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.vouchers import catalogue

SET_PRICE = "institution.contract_price"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`price_fen` None ends the contract's price: the campaign's holds from then on."""

    campaign: str
    voucher_type: str
    price_fen: int | None
    effective_day: date
    reason: str


@dataclass(frozen=True, slots=True)
class ContractPrices:
    kit: Kit

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {SET_PRICE: self._apply}

    async def propose(
        self, staff: Staff, institution_id: str, wanted: Wanted, key: RequestKey | None
    ) -> Answer:
        """Proposes a price from a day on; what was written off before keeps its price.

        Raises:
            NotFound: no such campaign, or the institution takes no part in it.
            InvalidRequest: no such voucher type.
            ContractPriceNotDirected, ContractPriceTooHigh, ContractPriceTooSoon, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            campaign = await catalogue.campaign_by_slug(tx, wanted.campaign)
            types = {one.key: one for one in await catalogue.voucher_types(tx, campaign.id)}
            if wanted.voucher_type not in types:
                unknown = Fault("body.voucher_type", "the campaign has no such type", "voucher_type_unknown")
                raise InvalidRequest(faults=(unknown,))
            voucher_type = types[wanted.voucher_type]
            if voucher_type.kind != "directed":
                raise ContractPriceNotDirected
            if wanted.price_fen is not None and wanted.price_fen > voucher_type.amount_fen:
                raise ContractPriceTooHigh
            if not in_time(begins_at(wanted.effective_day, campaign.timezone), now):
                raise ContractPriceTooSoon
            if not await store.takes_part(tx, institution_id, campaign.id):
                raise NotFound
            in_force = await self._in_force(tx, institution_id, wanted, now)
            body = {
                "institution_id": institution_id,
                "campaign": wanted.campaign,
                "voucher_type": wanted.voucher_type,
                "price_fen": wanted.price_fen,
                "effective_from": wanted.effective_day.isoformat(),
                "reason": wanted.reason,
            }
            return await propose(
                tx,
                staff,
                service="redemption",
                kind=SET_PRICE,
                target=f"institution:{institution_id}",
                body=body,
                before={"price_fen": in_force, "settlement_price_fen": voucher_type.amount_fen},
                reason=wanted.reason,
                now=now,
            )

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _in_force(self, tx: Tx, institution_id: str, wanted: Wanted, now: datetime) -> int | None:
        for price in await store.prices(tx, institution_id, wanted.campaign):
            if price.voucher_type == wanted.voucher_type and price.effective_from <= now:
                return price.price_fen
        return None

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits: the day has come meanwhile, or the institution takes no part any more."""
        body, now = change.body, self.kit.clock.now()
        campaign = await catalogue.campaign_by_slug(tx, body["campaign"])
        day = date.fromisoformat(body["effective_from"])
        begins = begins_at(day, campaign.timezone)
        if not in_time(begins, now):
            raise NoLongerFits(ContractPriceTooSoon.zh)
        if not await store.takes_part(tx, body["institution_id"], campaign.id):
            raise NoLongerFits("该机构已不在活动中。")
        values = {
            "institution_id": body["institution_id"],
            "campaign_id": campaign.id,
            "voucher_type": body["voucher_type"],
            "effective_from": begins,
            "effective_day": day,
            "price_fen": body["price_fen"],
            "reason": body["reason"],
            "change_id": change.id,
            "created_at": now,
        }
        await store.insert_price(tx, values)

    async def list_prices(
        self, staff: Staff, institution_id: str, campaign: str | None
    ) -> list[tuple[store.Price, bool]]:
        """All versions, and which of them is in force; for the bureau and for the institution itself.

        Raises:
            Forbidden, NotFound.
        """
        see_own(staff, institution_id)
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            if not await store.institution_exists(tx, institution_id):
                raise NotFound
            found = await store.prices(tx, institution_id, campaign)
        seen: set[tuple[str, str]] = set()
        marked = []
        for price in found:
            subject = (price.campaign, price.voucher_type)
            in_force = price.effective_from <= now and subject not in seen
            if in_force:
                seen.add(subject)
            marked.append((price, in_force))
        return marked
