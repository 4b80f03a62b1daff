"""SQL of responses: read as a few long texts, since a million small values would each become an object."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from services.issuance.campaigns.tables import CampaignRulesRow
from services.issuance.questions.tables import QuestionRow
from services.issuance.responses.rules import Packed
from shared.db import Tx

# Attempts lie in buckets by a keyed hash of their person: the first so many buckets are a random sample
# of persons, each with all of their attempts. All aggregates read the rows in one order.
_RESPONSES = text("""
    SELECT coalesce(string_agg(array_to_string(question_ids, ','), ','), ''),
           coalesce(string_agg(translate(array_to_string(correct, ''), 'tf', '10'), ''), ''),
           coalesce(string_agg(cardinality(question_ids)::text, ','), ''),
           coalesce(string_agg(pass_score::text, ','), ''),
           coalesce(string_agg((('x' || right(person_id::text, 2))::bit(8)::integer)::text, ','), '')
    FROM (SELECT a.question_ids, a.correct, a.person_id, r.pass_score
          FROM issuance.quiz_attempt a
          JOIN issuance.quiz_rule r ON r.id = a.rule_id
          WHERE a.bucket < :buckets AND a.campaign_id = :campaign_id AND a.state = 'answered'
          LIMIT :most) AS attempt
""")
_ANSWERED = text("""
    SELECT coalesce(sum(n), 0)::bigint
    FROM (SELECT n FROM core.tally WHERE scope_id = :campaign_id AND measure = 'attempt'
          UNION ALL
          SELECT n FROM core.tally_delta WHERE scope_id = :campaign_id AND measure = 'attempt') AS figure
""")


@dataclass(frozen=True, slots=True)
class BankQuestion:
    id: int
    text: str
    options: Sequence[str]
    answer: Sequence[str]
    difficulty: int
    retired: bool


# A question as `bank_question` reads it.
BANK_COLUMNS = (
    QuestionRow.id,
    QuestionRow.text,
    QuestionRow.options,
    QuestionRow.answer,
    QuestionRow.difficulty,
    QuestionRow.retired_at.is_not(None).label("retired"),
)


def bank_question(row: Any) -> BankQuestion:  # noqa: ANN401 - a row that has BANK_COLUMNS
    return BankQuestion(row.id, row.text, sorted(row.options), row.answer, row.difficulty, row.retired)


async def bank(tx: Tx, campaign_id: UUID) -> list[BankQuestion]:
    """All questions that were ever in the campaign's bank, in the order of their ids."""
    statement = select(*BANK_COLUMNS).where(QuestionRow.campaign_id == campaign_id).order_by(QuestionRow.id)
    return [bank_question(row) for row in await tx.execute(statement)]


async def bank_version(tx: Tx, campaign_id: UUID) -> int:
    """Moves with every change of the bank."""
    statement = select(CampaignRulesRow.bank_version).where(CampaignRulesRow.campaign_id == campaign_id)
    return int((await tx.execute(statement)).scalar_one())


async def answered(tx: Tx, campaign_id: UUID) -> int:
    """How many attempts of the campaign were answered, exact as of this statement."""
    return int((await tx.execute(_ANSWERED, {"campaign_id": campaign_id})).scalar_one())


async def responses(tx: Tx, campaign_id: UUID, *, buckets: int, most: int) -> Packed:
    """The answered attempts of the persons in the first so many buckets, but no more than `most`."""
    values: dict[str, Any] = {"campaign_id": campaign_id, "buckets": buckets, "most": most}
    return Packed(*(await tx.execute(_RESPONSES, values)).one())
