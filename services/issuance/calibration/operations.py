"""The statistics of a campaign's questions, computed from the responses when they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.issuance.calibration import store
from services.issuance.calibration.rules import (
    ItemStatistics,
    Packed,
    Verdict,
    buckets_of_sample,
    statistics,
    unpacked,
)
from services.issuance.calibration.schemas import OptionView, QuestionStatistics, decimal_text
from services.issuance.calibration.store import BankQuestion
from shared.computing import Computing
from shared.kit import Kit
from shared.vouchers import catalogue

# Of more attempts than this a random sample of persons is evaluated: the interval of a question that a
# sixth of them had is then half a percent wide, and the answer takes a second.
SAMPLE_ATTEMPTS = 100_000
# Persons differ in how often they try, so a sample may come out larger than it was meant to.
_SAMPLE_SLACK = 2


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a campaign's responses said when `answered` attempts were there and the bank was as it was."""

    answered: int
    bank_version: int
    attempts: int
    questions: Sequence[QuestionStatistics]


@dataclass(frozen=True, slots=True)
class _Loaded:
    answered: int
    bank_version: int
    bank: list[BankQuestion]
    packed: Packed


class Calibration:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._computing = Computing()
        # The last evaluation of each campaign: it stands until there is another answer or another question.
        self._kept: dict[UUID, Evaluated] = {}

    async def statistics(self, slug: str, verdict: Verdict | None) -> Evaluated:
        """Of all questions, or of those with this verdict. Raises NotFound, Busy."""
        async with self._kit.database.snapshot(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            answered = await store.answered(tx, campaign.id)
            version = await store.bank_version(tx, campaign.id)
            kept = self._kept.get(campaign.id)
            if kept is not None and (kept.answered, kept.bank_version) == (answered, version):
                return _only(kept, verdict)
            loaded = _Loaded(
                answered=answered,
                bank_version=version,
                bank=await store.bank(tx, campaign.id),
                packed=await store.responses(
                    tx,
                    campaign.id,
                    buckets=buckets_of_sample(answered, SAMPLE_ATTEMPTS),
                    most=SAMPLE_ATTEMPTS * _SAMPLE_SLACK,
                ),
            )
        evaluated = await self._computing.run(_evaluate, loaded)
        self._kept[campaign.id] = evaluated
        return _only(evaluated, verdict)


def _only(evaluated: Evaluated, verdict: Verdict | None) -> Evaluated:
    if verdict is None:
        return evaluated
    questions = [question for question in evaluated.questions if question.verdict == verdict]
    return Evaluated(evaluated.answered, evaluated.bank_version, evaluated.attempts, questions)


def _evaluate(loaded: _Loaded) -> Evaluated:
    responses = unpacked(loaded.packed, [question.id for question in loaded.bank])
    figures = statistics(responses, len(loaded.bank))
    return Evaluated(
        answered=loaded.answered,
        bank_version=loaded.bank_version,
        attempts=responses.attempts,
        questions=[_view(*pair) for pair in zip(loaded.bank, figures, strict=True)],
    )


def _view(question: BankQuestion, figures: ItemStatistics) -> QuestionStatistics:
    def text(value: float | None) -> str | None:
        return None if value is None else decimal_text(value)

    return QuestionStatistics(
        question_id=str(question.id),
        text=question.text,
        difficulty=question.difficulty,
        retired=question.retired,
        attempts=figures.attempts,
        facility=text(figures.facility),
        facility_low=text(figures.facility_low),
        facility_high=text(figures.facility_high),
        discrimination=text(figures.discrimination),
        point_biserial=text(figures.point_biserial),
        options=[
            OptionView(
                key=option.key,
                right=option.key in question.answer,
                chosen=decimal_text(option.chosen),
                upper=decimal_text(option.upper),
                lower=decimal_text(option.lower),
            )
            for option in figures.options
            if option.key in question.options
        ],
        verdict=figures.verdict,
    )
