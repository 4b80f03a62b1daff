"""SQL of what was done with cases, and of the rows that a case file shows."""

from uuid import UUID

from sqlalchemy import func, insert, select, text

from services.redemption.casefiles.rules import Action, EvidenceRow
from services.redemption.casefiles.tables import CaseActionRow
from services.redemption.risk.rules import Decision
from shared.db import Tx

# Persons and devices by a number that means nothing outside the institution; a file shows places in its list.
_ROWS = text("""
    SELECT r.terminal_id, t.label, r.voucher_type, r.redeemed_at, v.issued_at, r.bill_fen, r.applied_fen,
           r.source, r.state, r.settlement_id IS NOT NULL AS settled,
           h.id IS NOT NULL AND h.released_at IS NULL AS held,
           redemption.number_within(r.institution_id, v.person_id::text) AS holder,
           redemption.number_within(r.institution_id, encode(o.device_hash, 'hex')) AS device,
           redemption.number_within(r.institution_id, encode(o.address_hash, 'hex')) AS place
    FROM redemption.risk_case_item i
    JOIN redemption.redemption r ON r.bucket = i.bucket AND r.id = i.redemption_id
    JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
    LEFT JOIN core.voucher_origin o ON o.bucket = v.bucket AND o.source_id = v.source_id
    LEFT JOIN redemption.terminal t ON t.id = r.terminal_id
    LEFT JOIN redemption.settlement_hold h ON h.id = i.hold_id
    WHERE i.case_id = :case_id
    ORDER BY r.redeemed_at, r.id
    LIMIT :limit
""")
# Other cases that are decided so: a pause that one of them still wants is not undone.
_OTHERS_PAUSE = text("""
    SELECT bool_or(coalesce((last.effect ->> 'was_paused')::boolean, false))
    FROM redemption.risk_case k
    CROSS JOIN LATERAL (
        SELECT a.effect FROM redemption.risk_case_action a
        WHERE a.case_id = k.id AND a.action = 'decide' ORDER BY a.seq DESC LIMIT 1) AS last
    WHERE k.institution_id = :institution_id AND k.id <> :case_id AND k.status = 'decided'
      AND k.decision = :decision
      AND (CAST(:terminal_id AS text) IS NULL
           OR coalesce(last.effect ->> 'terminal_id', k.terminal_id) = :terminal_id)
""")


async def write_action(tx: Tx, case_id: UUID, action: Action) -> None:
    """The next one of a case that the caller has locked."""
    following = select(func.coalesce(func.max(CaseActionRow.seq), 0) + 1).where(
        CaseActionRow.case_id == case_id
    )
    await tx.execute(
        insert(CaseActionRow).values(
            case_id=case_id,
            seq=following.scalar_subquery(),
            action=action.action,
            decision=action.decision,
            note=action.note,
            effect=action.effect,
            staff_id=action.staff_id,
            at=action.at,
        )
    )


async def actions(tx: Tx, case_id: UUID) -> list[Action]:
    """In the order in which they happened."""
    row = CaseActionRow
    statement = (
        select(row.action, row.decision, row.note, row.effect, row.staff_id, row.at)
        .where(row.case_id == case_id)
        .order_by(row.seq)
    )
    return [Action(*found) for found in await tx.execute(statement)]


async def evidence_rows(tx: Tx, case_id: UUID, *, limit: int) -> list[EvidenceRow]:
    """In the order of use."""
    return [EvidenceRow(*row) for row in await tx.execute(_ROWS, {"case_id": case_id, "limit": limit})]


async def others_pause(
    tx: Tx, case_id: UUID, institution_id: str, decision: Decision, terminal_id: str | None
) -> bool | None:
    """None: no other decided case wants the institution, or the terminal, paused.

    Otherwise whether it had been paused before the first of them, by somebody else.
    """
    values = {
        "case_id": case_id,
        "institution_id": institution_id,
        "decision": decision,
        "terminal_id": terminal_id,
    }
    found: bool | None = (await tx.execute(_OTHERS_PAUSE, values)).scalar_one()
    return found
