"""SQL of attempts as their persons left them. The hot statements are those of the quiz."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from services.issuance.questions.tables import QuestionRow
from services.issuance.quiz.rules import Question
from shared.db import Tx
from shared.ids import HotId

_ATTEMPT = """
    SELECT a.bucket, a.id, c.slug, a.state, a.started_at, a.expires_at, a.question_ids, a.option_orders,
           a.drafts, a.correct, a.score, a.passed, r.pass_score, a.chances_granted, r.attempt_token
    FROM issuance.quiz_attempt a
    JOIN core.campaign c ON c.id = a.campaign_id
    JOIN issuance.quiz_rule r ON r.id = a.rule_id
    WHERE a.bucket = :bucket AND a.person_id = :person
"""
_ONE = text(_ATTEMPT + " AND a.id = :id")
_CURRENT = text(
    _ATTEMPT
    + """ AND a.campaign_id = :campaign
    ORDER BY a.state = 'open' AND a.expires_at > :now DESC, a.day DESC, a.day_no DESC LIMIT 1
"""
)
_KEEP_DRAFT = text("""
    UPDATE issuance.quiz_attempt SET drafts = CAST(:drafts AS text[])
    WHERE bucket = :bucket AND id = :id AND person_id = :person AND state = 'open' AND expires_at > :now
    RETURNING true
""")


@dataclass(frozen=True, slots=True)
class Attempt:
    """`drafts` are original option keys, one text for each question, as answers are kept."""

    bucket: int
    id: UUID
    slug: str
    state: str
    started_at: datetime
    expires_at: datetime
    question_ids: Sequence[int]
    option_orders: Sequence[str]
    drafts: Sequence[str] | None
    correct: Sequence[bool] | None
    score: int | None
    passed: bool | None
    pass_score: int
    chances_granted: int | None
    needs_token: bool

    @property
    def address(self) -> HotId:
        return HotId(self.bucket, self.id)


async def one(tx: Tx, attempt: HotId, person: HotId) -> Attempt | None:
    """None also for somebody else's."""
    if attempt.bucket != person.bucket:
        return None
    row = (await tx.execute(_ONE, _of(person) | {"id": attempt.uuid})).one_or_none()
    return None if row is None else Attempt(*row)


async def current(tx: Tx, campaign_id: UUID, person: HotId, now: datetime) -> Attempt | None:
    """The person's attempt that is open, the latest of several; else its last one."""
    values = _of(person) | {"campaign": campaign_id, "now": now}
    row = (await tx.execute(_CURRENT, values)).one_or_none()
    return None if row is None else Attempt(*row)


async def keep_draft(tx: Tx, attempt: HotId, person: HotId, drafts: Sequence[str], now: datetime) -> bool:
    """False when the attempt is not open (any more). Locks its row."""
    values = _of(person) | {"id": attempt.uuid, "drafts": list(drafts), "now": now}
    return (await tx.execute(_KEEP_DRAFT, values)).one_or_none() is not None


async def questions(tx: Tx, question_ids: Sequence[int]) -> list[Question]:
    """These versions of questions, in this order."""
    statement = select(
        QuestionRow.id, QuestionRow.text, QuestionRow.options, QuestionRow.answer, QuestionRow.explanation
    ).where(QuestionRow.id.in_(question_ids))
    found = {
        row.id: Question(row.id, row.text, row.options, frozenset(row.answer), row.explanation)
        for row in await tx.execute(statement)
    }
    return [found[question_id] for question_id in question_ids]


def _of(person: HotId) -> dict[str, Any]:
    return {"bucket": person.bucket, "person": person.uuid}
