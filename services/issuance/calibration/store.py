"""SQL of statistics: counting responses, and the figures that are kept of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.issuance.calibration.rules import (
    NO_RESPONSES,
    ItemStatistics,
    OptionFigures,
    ResponseCount,
    Verdict,
)
from services.issuance.calibration.tables import (
    CalibrationRow,
    QuestionStatisticsRow,
    ResponseCountRow,
)
from services.issuance.questions.tables import QuestionRow
from services.issuance.quiz.tables import AttemptRow
from services.issuance.responses.rules import Step
from services.issuance.responses.store import BANK_COLUMNS, BankQuestion, bank_question
from shared.db import Tx

# Set-returning functions in the select list: as a join they take a fifth longer.
_COUNTED = """
    SELECT question_id, asked, right_answers, answer, correct, count(*) AS n
    FROM (SELECT unnest(question_ids) AS question_id, unnest(answers) AS answer, unnest(correct) AS correct,
                 cardinality(question_ids) AS asked,
                 cardinality(array_positions(correct, true)) AS right_answers
          FROM issuance.quiz_attempt
          WHERE campaign_id = :campaign_id AND state = 'answered' AND {where}) AS response
    GROUP BY question_id, asked, right_answers, answer, correct
"""
_COUNTS_OF_SAMPLE = text(_COUNTED.format(where="bucket < :buckets"))
_OF_STEP = "day = :day AND bucket >= :first_bucket AND bucket < :end_bucket"
_COUNT_STEP = text(f"""
    INSERT INTO issuance.response_count AS c
        (campaign_id, question_id, settled, asked, right_answers, answer, correct, n)
    SELECT :campaign_id, question_id, :settled, asked, right_answers, answer, correct, n
    FROM ({_COUNTED.format(where=_OF_STEP)}) AS counted
    ON CONFLICT (campaign_id, question_id, settled, asked, right_answers, answer, correct)
    DO UPDATE SET n = c.n + excluded.n
""")
_TIME_LIMIT = text("""
    SELECT coalesce(max(r.time_limit_seconds), 0)
    FROM issuance.quiz_rule r JOIN issuance.phase p ON p.id = r.phase_id
    WHERE p.campaign_id = :campaign_id
""")


@dataclass(frozen=True, slots=True)
class Kept:
    """The moment and the number of attempts that the kept figures are from."""

    as_of: datetime
    attempts: int


async def counts_of_sample(tx: Tx, campaign_id: UUID, *, buckets: int) -> list[ResponseCount]:
    """Of the answered attempts of the persons in the first so many buckets."""
    rows = await tx.execute(_COUNTS_OF_SAMPLE, {"campaign_id": campaign_id, "buckets": buckets})
    return [ResponseCount(*row) for row in rows]


async def kept(tx: Tx, campaign_id: UUID) -> Kept | None:
    statement = select(CalibrationRow.as_of, CalibrationRow.attempts).where(
        CalibrationRow.campaign_id == campaign_id, CalibrationRow.as_of.is_not(None)
    )
    row = (await tx.execute(statement)).one_or_none()
    if row is None or row.as_of is None or row.attempts is None:
        return None
    return Kept(row.as_of, row.attempts)


async def take_up(tx: Tx, campaign_id: UUID, run_id: UUID) -> tuple[date | None, int]:
    """Makes the campaign's counting this run's, and forgets counts that are not for good.

    Returns the day and the bucket that counting for good goes on with (no day: it has not begun).
    """
    statement = (
        upsert(CalibrationRow)
        .values(campaign_id=campaign_id, run_id=run_id)
        .on_conflict_do_update(index_elements=[CalibrationRow.campaign_id], set_={"run_id": run_id})
        .returning(CalibrationRow.next_day, CalibrationRow.next_bucket)
    )
    next_day, next_bucket = (await tx.execute(statement)).one()
    await tx.execute(
        delete(ResponseCountRow).where(
            ResponseCountRow.campaign_id == campaign_id, ResponseCountRow.settled.is_(False)
        )
    )
    return next_day, next_bucket


async def hold(tx: Tx, campaign_id: UUID, run_id: UUID, *, then: tuple[date, int] | None = None) -> bool:
    """Locks the counting while it is still this run's, and moves its position; false when it is another's."""
    statement = update(CalibrationRow).where(
        CalibrationRow.campaign_id == campaign_id, CalibrationRow.run_id == run_id
    )
    values: dict[str, Any] = {"run_id": run_id}
    if then is not None:
        values |= {"next_day": then[0], "next_bucket": then[1]}
    return (await tx.execute(statement.values(values))).rowcount == 1


async def count_step(tx: Tx, campaign_id: UUID, step: Step) -> None:
    """Adds the step's responses to the counts."""
    await tx.execute(
        _COUNT_STEP,
        {
            "campaign_id": campaign_id,
            "settled": step.settled,
            "day": step.day,
            "first_bucket": step.first_bucket,
            "end_bucket": step.end_bucket,
        },
    )


async def first_day(tx: Tx, campaign_id: UUID) -> date | None:
    """Of the campaign's attempts."""
    statement = select(func.min(AttemptRow.day)).where(AttemptRow.campaign_id == campaign_id)
    found: date | None = (await tx.execute(statement)).scalar_one()
    return found


async def longest_time_limit(tx: Tx, campaign_id: UUID) -> int:
    """In seconds, of all rules that the campaign ever had."""
    return int((await tx.execute(_TIME_LIMIT, {"campaign_id": campaign_id})).scalar_one())


async def counts(tx: Tx, campaign_id: UUID, questions: Sequence[int]) -> list[ResponseCount]:
    """All that is counted of these questions, which follow each other in the bank."""
    columns = (
        ResponseCountRow.question_id,
        ResponseCountRow.asked,
        ResponseCountRow.right_answers,
        ResponseCountRow.answer,
        ResponseCountRow.correct,
    )
    # sum() of bigint is numeric.
    total = func.cast(func.sum(ResponseCountRow.n), ResponseCountRow.n.type)
    statement = (
        select(*columns, total)
        .where(
            ResponseCountRow.campaign_id == campaign_id,
            ResponseCountRow.question_id.between(questions[0], questions[-1]),
        )
        .group_by(*columns)
    )
    return [ResponseCount(*row) for row in (await tx.execute(statement))]


async def forget_figures(tx: Tx, campaign_id: UUID) -> None:
    await tx.execute(delete(QuestionStatisticsRow).where(QuestionStatisticsRow.campaign_id == campaign_id))


async def insert_figures(
    tx: Tx, campaign_id: UUID, questions: Sequence[int], figures: Sequence[ItemStatistics]
) -> None:
    """Of those that have responses."""
    rows = [
        {
            "campaign_id": campaign_id,
            "question_id": question_id,
            "attempts": item.attempts,
            "facility": item.facility,
            "facility_low": item.facility_low,
            "facility_high": item.facility_high,
            "discrimination": item.discrimination,
            "point_biserial": item.point_biserial,
            "options": [[o.key, o.chosen, o.upper, o.lower, o.finding] for o in item.options],
            "verdict": item.verdict,
        }
        for question_id, item in zip(questions, figures, strict=True)
        if item.attempts
    ]
    if rows:
        await tx.execute(insert(QuestionStatisticsRow), rows)


async def keep(tx: Tx, campaign_id: UUID, found: Kept) -> None:
    await tx.execute(
        update(CalibrationRow)
        .where(CalibrationRow.campaign_id == campaign_id)
        .values(as_of=found.as_of, attempts=found.attempts)
    )


async def kept_total(tx: Tx, campaign_id: UUID, verdict: Verdict | None) -> int:
    """How many questions have this verdict, or are there at all."""
    figures = QuestionStatisticsRow
    statement = (
        select(func.count())
        .select_from(QuestionRow)
        .outerjoin(
            figures,
            (figures.campaign_id == QuestionRow.campaign_id) & (figures.question_id == QuestionRow.id),
        )
        .where(QuestionRow.campaign_id == campaign_id)
    )
    if verdict is not None:
        statement = statement.where(func.coalesce(figures.verdict, NO_RESPONSES.verdict) == verdict)
    return int((await tx.execute(statement)).scalar_one())


async def kept_page(
    tx: Tx, campaign_id: UUID, verdict: Verdict | None, *, after: int, limit: int
) -> list[tuple[BankQuestion, ItemStatistics]]:
    """Questions with their kept figures in the order of their ids; a question without responses has none."""
    figures = QuestionStatisticsRow
    told = func.coalesce(figures.verdict, NO_RESPONSES.verdict)
    statement = (
        select(
            *BANK_COLUMNS,
            figures.attempts,
            figures.facility,
            figures.facility_low,
            figures.facility_high,
            figures.discrimination,
            figures.point_biserial,
            figures.options.label("option_figures"),
            figures.verdict,
        )
        .select_from(QuestionRow)
        .outerjoin(
            figures,
            (figures.campaign_id == QuestionRow.campaign_id) & (figures.question_id == QuestionRow.id),
        )
        .where(QuestionRow.campaign_id == campaign_id, QuestionRow.id > after)
        .order_by(QuestionRow.id)
        .limit(limit)
    )
    if verdict is not None:
        statement = statement.where(told == verdict)
    return [
        (bank_question(row), NO_RESPONSES if row.attempts is None else _item(row))
        for row in await tx.execute(statement)
    ]


def _item(row: Any) -> ItemStatistics:  # noqa: ANN401 - a row of kept_page
    return ItemStatistics(
        attempts=row.attempts,
        facility=row.facility,
        facility_low=row.facility_low,
        facility_high=row.facility_high,
        discrimination=row.discrimination,
        point_biserial=row.point_biserial,
        options=tuple(OptionFigures(*option) for option in row.option_figures),
        verdict=row.verdict,
    )
