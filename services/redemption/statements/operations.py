"""Documents of settlements: statements for the institutions, summary and payment file for the bureau."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.redemption.payees.operations import opened
from services.redemption.settlement import store
from services.redemption.settlement.operations import payees_of, show, visible_to
from services.redemption.settlement.rules import Item, Settlement
from services.redemption.settlement.store import Filters
from services.redemption.statements.rules import (
    Account,
    Payer,
    PaymentFile,
    by_operator,
    details,
    payment_file,
    statement,
    summary,
)
from shared import ledger
from shared.audit import AuditEntry, record
from shared.clock import CHINA
from shared.db import Tx
from shared.documents.papers import Paper
from shared.documents.pdf import pdf
from shared.documents.workbooks import workbook
from shared.errors import Forbidden, NotFound
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef

_MINUTES = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True)
class Statements:
    kit: Kit

    async def workbook(self, staff: Staff, settlement_id: UUID) -> bytes:
        """The statement, every write-off on a second sheet, operators' sums on a third where any was named.

        Raises:
            NotFound, Forbidden.
        """
        async with self.kit.database.snapshot(slow=True) as tx:
            account = await self._account(tx, staff, settlement_id)
            items = await store.items(tx, settlement_id, limit=None, after=None)
        return await asyncio.to_thread(self._workbook, account, items)

    async def pdf(self, staff: Staff, settlement_id: UUID) -> bytes:
        """The statement, to be signed. Raises NotFound, Forbidden."""
        async with self.kit.database.snapshot() as tx:
            account = await self._account(tx, staff, settlement_id)
        return await asyncio.to_thread(
            pdf, self._statement(account), at=self.kit.clock.now(), font=self.kit.settings.font_file
        )

    async def summary(self, campaign_slug: str, filters: Filters) -> bytes:
        """All settlements of a campaign that fit, with what each payer owes. Raises NotFound."""
        async with self.kit.database.snapshot(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
            accounts = await self._chosen(tx, campaign, filters)
            payers = _payers((await ledger.fund_of(tx, campaign.id)).payers)
        paper = summary(
            accounts,
            payers,
            campaign=campaign.title,
            made_at=self._made_at(),
            demo=self.kit.settings.demo,
        )
        return await asyncio.to_thread(workbook, [paper])

    async def payment_file(self, staff: Staff, campaign_slug: str, filters: Filters) -> bytes:
        """What is to be paid by whom to whom, for the settlements that fit, with payees' accounts in full.

        That it was handed out is written into the audit log, with its digest. Raises NotFound.
        """
        async with self.kit.database.snapshot(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
            accounts = await self._chosen(tx, campaign, filters)
            found = await payees_of(tx, [account.settlement for account in accounts])
        sealer = self.kit.keys.sealer
        payable = [
            replace(account, payee=opened(sealer, found[account.settlement.id]))
            if account.settlement.id in found
            else account
            for account in accounts
        ]
        made = await asyncio.to_thread(payment_file, payable, demo=self.kit.settings.demo)
        await self._note(staff, campaign, filters, made)
        return made.content

    async def _note(self, staff: Staff, campaign: CampaignRef, filters: Filters, made: PaymentFile) -> None:
        after = {
            "status": filters.status,
            "institution_id": filters.institution_id,
            "payments": made.payments,
            "exceptions": made.exceptions,
            "sha256": made.sha256,
        }
        entry = AuditEntry(staff.actor, "settlement.payment_file", f"campaign:{campaign.slug}", after=after)
        async with self.kit.database.transaction() as tx:
            await record(tx, entry, at=self.kit.clock.now())

    async def _account(self, tx: Tx, staff: Staff, settlement_id: UUID) -> Account:
        settlement = await store.by_id(tx, settlement_id)
        if settlement is None:
            raise NotFound
        if visible_to(staff) not in (None, settlement.institution_id):
            raise Forbidden
        campaign = await catalogue.campaign_by_id(tx, settlement.campaign_id)
        account = (await _accounts(tx, campaign, [settlement]))[0]
        return replace(account, held_back=await store.held_back_of(tx, settlement))

    async def _chosen(self, tx: Tx, campaign: CampaignRef, filters: Filters) -> list[Account]:
        """In the order of the institutions' names and the periods."""
        chosen = replace(filters, campaign_id=campaign.id)
        found = await store.page(tx, chosen, limit=None, after=None)
        accounts = await _accounts(tx, campaign, found)
        return sorted(accounts, key=lambda one: (one.settlement.institution, one.settlement.first))

    def _workbook(self, account: Account, items: list[Item]) -> bytes:
        times = [item.redeemed_at.astimezone(CHINA).strftime(f"{_MINUTES}:%S") for item in items]
        demo = self.kit.settings.demo
        papers = [self._statement(account), details(account, items, times, demo=demo)]
        operators = by_operator(account, items, demo=demo)
        return workbook(papers if operators is None else [*papers, operators])

    def _statement(self, account: Account) -> Paper:
        return statement(account, made_at=self._made_at(), demo=self.kit.settings.demo)

    def _made_at(self) -> str:
        return self.kit.clock.now().astimezone(CHINA).strftime(_MINUTES)


async def _accounts(tx: Tx, campaign: CampaignRef, settlements: Sequence[Settlement]) -> list[Account]:
    names = {one.key: one.name for one in await catalogue.voucher_types(tx, campaign.id)}
    places = {key: place for place, key in enumerate(names)}
    return [
        Account(
            settlement=shown.settlement,
            campaign=campaign.title,
            payers=_payers(shown.payers),
            names=names,
            lines=sorted(
                shown.lines, key=lambda line: (line.kind != "redemption", places[line.voucher_type])
            ),
        )
        for shown in await show(tx, settlements)
    ]


def _payers(payers: Sequence[ledger.Payer]) -> list[Payer]:
    return [Payer(payer.key, payer.name) for payer in payers]
