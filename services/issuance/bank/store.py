"""SQL of the question bank as clerks see it. Changes lock the campaign's row first (questions.store)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.issuance.bank.rules import State
from services.issuance.questions.rules import Question
from shared.db import Tx

_STATE = """
    CASE WHEN superseded_at IS NOT NULL THEN 'replaced' WHEN retired_at IS NOT NULL THEN 'retired'
         ELSE 'active' END
"""
_VERSION = f"""
    SELECT id, coalesce(first_id, id) AS first_id, version, {_STATE} AS state, text, options, answer,
           explanation, difficulty, category, created_at, retired_at, retired_reason, content_hash
    FROM issuance.question
"""
_FITTING = f"""
    WHERE campaign_id = :campaign_id
      AND (CAST(:state AS text) IS NULL AND superseded_at IS NULL OR {_STATE} = :state)
      AND (CAST(:difficulty AS smallint) IS NULL OR difficulty = :difficulty)
      AND (CAST(:category AS text) IS NULL OR coalesce(category, '') = :category)
      AND (CAST(:words AS text) IS NULL OR position(lower(:words) IN lower(text)) > 0)
"""
_PAGE = text(f"{_VERSION} {_FITTING} AND id > :after ORDER BY id LIMIT :limit")
_HOW_MANY = text(f"SELECT count(*) FROM issuance.question {_FITTING}")
_ONE = text(f"{_VERSION} WHERE campaign_id = :campaign_id AND id = :id FOR UPDATE")
_VERSIONS = text(f"""
    {_VERSION}
    WHERE campaign_id = :campaign_id AND coalesce(first_id, id) = (
        SELECT coalesce(first_id, id) FROM issuance.question WHERE campaign_id = :campaign_id AND id = :id)
    ORDER BY version
""")
_CONTENT_IN_USE = text("""
    SELECT EXISTS (SELECT FROM issuance.question
                   WHERE campaign_id = :campaign_id AND content_hash = :content_hash
                     AND superseded_at IS NULL AND id <> :id)
""")
_SUPERSEDE = text("""
    UPDATE issuance.question SET superseded_at = :now, retired_at = coalesce(retired_at, :now) WHERE id = :id
""")
_INSERT_VERSION = text("""
    INSERT INTO issuance.question (
        campaign_id, text, options, answer, explanation, difficulty, category, content_hash, created_at,
        first_id, version)
    SELECT old.campaign_id, :text, CAST(:options AS jsonb), CAST(:answer AS text[]), :explanation,
           :difficulty, :category, :content_hash, :now, coalesce(old.first_id, old.id), old.version + 1
    FROM issuance.question old WHERE old.id = :id
    RETURNING id, version
""")
_RECLASSIFY = text(
    "UPDATE issuance.question SET difficulty = :difficulty, category = :category WHERE id = :id"
)
_RETIRE = text("""
    UPDATE issuance.question SET retired_at = :now, retired_reason = :reason
    WHERE id = :id AND retired_at IS NULL RETURNING true
""")
_REACTIVATE = text("""
    UPDATE issuance.question SET retired_at = NULL, retired_reason = NULL
    WHERE id = :id AND retired_at IS NOT NULL AND superseded_at IS NULL RETURNING true
""")
_CELLS = text("""
    SELECT difficulty, category, count(*) FILTER (WHERE retired_at IS NULL) AS active,
           count(*) FILTER (WHERE retired_at IS NOT NULL) AS retired
    FROM issuance.question
    WHERE campaign_id = :campaign_id AND superseded_at IS NULL
    GROUP BY difficulty, category
    ORDER BY difficulty, category NULLS FIRST
""")


@dataclass(frozen=True, slots=True)
class Version:
    id: int
    first_id: int
    version: int
    state: State
    text: str
    options: Mapping[str, str]
    answer: Sequence[str]
    explanation: str | None
    difficulty: int
    category: str | None
    created_at: datetime
    retired_at: datetime | None
    retired_reason: str | None
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Filters:
    """`state` None: whatever is the last version, in use or not. `category` empty: those without one."""

    category: str | None = None
    difficulty: int | None = None
    state: State | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    difficulty: int
    category: str | None
    active: int
    retired: int


async def page(tx: Tx, campaign_id: UUID, filters: Filters, *, limit: int, after: int) -> list[Version]:
    """Versions in the order in which they came."""
    values = _fitting(campaign_id, filters) | {"after": after, "limit": limit}
    return [Version(*row) for row in await tx.execute(_PAGE, values)]


async def how_many(tx: Tx, campaign_id: UUID, filters: Filters) -> int:
    """Versions that fit, on all pages together."""
    return int((await tx.execute(_HOW_MANY, _fitting(campaign_id, filters))).scalar_one())


def _fitting(campaign_id: UUID, filters: Filters) -> dict[str, Any]:
    return {
        "campaign_id": campaign_id,
        "category": filters.category,
        "difficulty": filters.difficulty,
        "state": filters.state,
        "words": filters.words,
    }


async def one(tx: Tx, campaign_id: UUID, question_id: int) -> Version | None:
    """Locks it."""
    row = (await tx.execute(_ONE, {"campaign_id": campaign_id, "id": question_id})).one_or_none()
    return None if row is None else Version(*row)


async def versions(tx: Tx, campaign_id: UUID, question_id: int) -> list[Version]:
    """All versions of the question that this is one of, the first one first."""
    values = {"campaign_id": campaign_id, "id": question_id}
    return [Version(*row) for row in await tx.execute(_VERSIONS, values)]


async def content_in_use(tx: Tx, campaign_id: UUID, question: Question, *, but: int) -> bool:
    """Whether another question of the bank asks the same."""
    values = {"campaign_id": campaign_id, "content_hash": question.content_hash, "id": but}
    return bool((await tx.execute(_CONTENT_IN_USE, values)).scalar_one())


async def replace(
    tx: Tx, question_id: int, question: Question, *, options: str, now: datetime
) -> tuple[int, int]:
    """Ends this version and begins the next one; returns its id and version. `options` is JSON."""
    await tx.execute(_SUPERSEDE, {"id": question_id, "now": now})
    values = {
        "id": question_id,
        "text": question.text,
        "options": options,
        "answer": question.answer,
        "explanation": question.explanation,
        "difficulty": question.difficulty,
        "category": question.category,
        "content_hash": question.content_hash,
        "now": now,
    }
    row = (await tx.execute(_INSERT_VERSION, values)).one()
    return row.id, row.version


async def reclassify(tx: Tx, question_id: int, question: Question) -> None:
    """Another difficulty or category: nobody who is asked sees it, so it is the same version."""
    values = {"id": question_id, "difficulty": question.difficulty, "category": question.category}
    await tx.execute(_RECLASSIFY, values)


async def retire(tx: Tx, question_id: int, *, reason: str, now: datetime) -> bool:
    """False when it was out of use before."""
    values = {"id": question_id, "reason": reason, "now": now}
    return (await tx.execute(_RETIRE, values)).one_or_none() is not None


async def reactivate(tx: Tx, question_id: int) -> bool:
    """False when it was in use before."""
    return (await tx.execute(_REACTIVATE, {"id": question_id})).one_or_none() is not None


async def cells(tx: Tx, campaign_id: UUID) -> list[Cell]:
    """How many questions there are of each difficulty and category."""
    return [Cell(*row) for row in await tx.execute(_CELLS, {"campaign_id": campaign_id})]
