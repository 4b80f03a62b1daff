"""Statements of the ordinary way: one row each, over the platform's own tables."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from services.redemption.institutions.tables import InstitutionRow, MembershipRow
from services.redemption.terminals.tables import TerminalRow
from shared.idempotency.tables import RequestRow
from shared.ledger.tables import FundVersionRow
from shared.signing.tables import NonceRow
from shared.vouchers.tables import CampaignRow, VoucherRow


async def terminal(session: AsyncSession, key_id: str) -> TerminalRow | None:
    return await session.get(TerminalRow, key_id)


async def nonce(session: AsyncSession, key_id: str, told: str) -> NonceRow | None:
    return await session.get(NonceRow, (key_id, told))


async def request(session: AsyncSession, terminal: TerminalRow, request_no: str) -> RequestRow | None:
    return await session.get(RequestRow, (terminal.bucket, terminal.caller_id, "redemption", request_no))


async def institution(session: AsyncSession, institution_id: str) -> InstitutionRow | None:
    return await session.get(InstitutionRow, institution_id)


async def membership(session: AsyncSession, institution_id: str, campaign_id: UUID) -> MembershipRow | None:
    return await session.get(MembershipRow, (institution_id, campaign_id))


async def campaign(session: AsyncSession, campaign_id: UUID) -> CampaignRow | None:
    return await session.get(CampaignRow, campaign_id)


async def fund_version(session: AsyncSession, campaign_id: UUID, version: int) -> FundVersionRow | None:
    return await session.get(FundVersionRow, (campaign_id, version))


async def lock_voucher(session: AsyncSession, bucket: int, code_hash: bytes) -> VoucherRow | None:
    """The voucher with this code, locked until the transaction ends."""
    found = await session.execute(
        select(VoucherRow)
        .where(VoucherRow.bucket == bucket, VoucherRow.code_hash == code_hash)
        .with_for_update()
    )
    return found.scalar_one_or_none()
