"""SQL of the question bank. Its changes queue up at the campaign's row in `campaign_rules`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, any_, bindparam, insert, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY

from services.issuance.campaigns.tables import CampaignRulesRow
from services.issuance.questions.rules import Question
from services.issuance.questions.tables import QuestionImportRow, QuestionRow
from shared.db import Tx

_INSERT = text("""
    INSERT INTO issuance.question (
        campaign_id, text, options, answer, explanation, difficulty, category, content_hash, created_at)
    SELECT :campaign_id, q.text, q.options, q.answer, q.explanation, q.difficulty, q.category,
           decode(q.content_hash, 'hex'), :now
    FROM jsonb_to_recordset(CAST(:questions AS jsonb)) AS q (
        text text, options jsonb, answer text[], explanation text, difficulty smallint, category text,
        content_hash text)
""")
# Difficulty and category are shown to nobody who is asked, so they are corrected in place; and a question
# that comes again is in use again.
_UPDATE = text("""
    UPDATE issuance.question
    SET difficulty = q.difficulty, category = q.category, retired_at = NULL, retired_reason = NULL
    FROM jsonb_to_recordset(CAST(:questions AS jsonb)) AS q (
        explanation text, difficulty smallint, category text, content_hash text)
    WHERE question.campaign_id = :campaign_id AND question.content_hash = decode(q.content_hash, 'hex')
      AND question.superseded_at IS NULL AND question.explanation IS NOT DISTINCT FROM q.explanation
""")
# An explanation is shown with the result: those who had the old one keep it.
_EXPLAIN = text("""
    WITH old AS (
        UPDATE issuance.question
        SET superseded_at = :now, retired_at = coalesce(question.retired_at, :now)
        FROM jsonb_to_recordset(CAST(:questions AS jsonb)) AS q (
            explanation text, difficulty smallint, category text, content_hash text)
        WHERE question.campaign_id = :campaign_id AND question.content_hash = decode(q.content_hash, 'hex')
          AND question.superseded_at IS NULL AND question.explanation IS DISTINCT FROM q.explanation
        RETURNING question.*, q.explanation AS better, q.difficulty AS level, q.category AS kind
    )
    INSERT INTO issuance.question (
        campaign_id, text, options, answer, explanation, difficulty, category, content_hash, created_at,
        first_id, version)
    SELECT campaign_id, text, options, answer, better, level, kind, content_hash, :now,
           coalesce(first_id, id), version + 1
    FROM old
""")
# A statement takes so many questions: its text stays small, and a long import can tell how far it is.
AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Known:
    """What stands beside a question in the bank."""

    explanation: str | None
    difficulty: int
    category: str | None
    retired: bool


@dataclass(frozen=True, slots=True)
class ImportCounts:
    rows: int
    accepted: int


async def lock_bank(tx: Tx, campaign_id: UUID) -> None:
    """Of two changes of a bank one waits for the other; attempts do not wait."""
    statement = select(CampaignRulesRow.bank_version).where(CampaignRulesRow.campaign_id == campaign_id)
    await tx.execute(statement.with_for_update())


async def known(tx: Tx, campaign_id: UUID, hashes: Sequence[bytes]) -> Mapping[bytes, Known]:
    """The questions with this content that are in the bank, retired ones too."""
    wanted = bindparam("hashes", list(hashes), type_=ARRAY(LargeBinary))
    statement = select(
        QuestionRow.content_hash,
        QuestionRow.explanation,
        QuestionRow.difficulty,
        QuestionRow.category,
        QuestionRow.retired_at.is_not(None),
    ).where(
        QuestionRow.campaign_id == campaign_id,
        QuestionRow.content_hash == any_(wanted),
        QuestionRow.superseded_at.is_(None),
    )
    rows = await tx.execute(statement)
    return {row.content_hash: Known(*row[1:]) for row in rows}


async def insert_questions(tx: Tx, campaign_id: UUID, questions: Sequence[Question], now: datetime) -> None:
    """Questions whose content is not in the bank; the caller has locked it."""
    if questions:
        values = {"campaign_id": campaign_id, "questions": _json(questions), "now": now}
        await tx.execute(_INSERT, values)


async def update_questions(tx: Tx, campaign_id: UUID, questions: Sequence[Question], now: datetime) -> None:
    """What stands beside questions whose content is in the bank; another explanation is a new version."""
    if questions:
        values = {"campaign_id": campaign_id, "questions": _json(questions)}
        await tx.execute(_EXPLAIN, values | {"now": now})
        await tx.execute(_UPDATE, values)


async def next_bank_version(tx: Tx, campaign_id: UUID) -> None:
    """Whoever keeps the bank in mind reads it again."""
    await tx.execute(
        update(CampaignRulesRow)
        .where(CampaignRulesRow.campaign_id == campaign_id)
        .values(bank_version=CampaignRulesRow.bank_version + 1)
    )


async def is_imported(tx: Tx, campaign_id: UUID, file_hash: bytes) -> bool:
    statement = select(QuestionImportRow.rows).where(
        QuestionImportRow.campaign_id == campaign_id, QuestionImportRow.file_hash == file_hash
    )
    return (await tx.execute(statement)).one_or_none() is not None


async def remember_import(
    tx: Tx, campaign_id: UUID, file_hash: bytes, counts: ImportCounts, *, by: UUID, now: datetime
) -> None:
    await tx.execute(
        insert(QuestionImportRow).values(
            campaign_id=campaign_id,
            file_hash=file_hash,
            rows=counts.rows,
            accepted=counts.accepted,
            imported_by=by,
            imported_at=now,
        )
    )


def _json(questions: Sequence[Question]) -> str:
    return json.dumps(
        [asdict(question) | {"content_hash": question.content_hash.hex()} for question in questions],
        ensure_ascii=False,
    )
