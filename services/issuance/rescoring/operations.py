"""Attempts marked again without some questions: for themselves, and as the pass rate of a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from services.issuance.calibration.schemas import decimal_text
from services.issuance.rescoring.errors import NoQuestionsLeft, NotEnoughData
from services.issuance.rescoring.rules import Effect, RateBand, Remarking
from services.issuance.rescoring.schemas import (
    RateBandView,
    RescoredView,
    RetirementBody,
    RetirementEffectView,
)
from services.issuance.responses import store as responses_store
from services.issuance.responses.rules import Packed, buckets_of_sample, unpacked
from services.issuance.responses.store import BankQuestion
from shared.computing import Computing
from shared.db import Tx
from shared.errors import Fault, InvalidRequest
from shared.kit import Kit
from shared.vouchers import catalogue

# Of more attempts than this a random sample of persons is marked again: the published four days are within
# it, a pass rate of 11 % is exact to a third of a point, and a forecast stays within its three seconds.
SAMPLE_ATTEMPTS = 30_000
_SAMPLE_SLACK = 2
# The bootstrap of the same question about the same data gives the same answer.
_SEED = 20201101


@dataclass(frozen=True, slots=True)
class Material:
    """The bank and the responses, with the ids of questions that are to be left out beside those retired."""

    bank: list[BankQuestion]
    packed: Packed
    dropped: frozenset[int]

    @property
    def questions_left(self) -> int:
        return sum(not question.retired and question.id not in self.dropped for question in self.bank)


async def material(tx: Tx, campaign_id: UUID, drop_questions: Sequence[str], *, answered: int) -> Material:
    """Raises InvalidRequest: a question that the campaign never had."""
    bank = await responses_store.bank(tx, campaign_id)
    known = {question.id for question in bank}
    faults = tuple(
        Fault(f"body.drop_questions.{place}", "没有这道题目", "question_unknown")
        for place, question_id in enumerate(drop_questions)
        if int(question_id) not in known
    )
    if faults:
        raise InvalidRequest(faults=faults)
    buckets = buckets_of_sample(answered, SAMPLE_ATTEMPTS)
    packed = await responses_store.responses(
        tx, campaign_id, buckets=buckets, most=SAMPLE_ATTEMPTS * _SAMPLE_SLACK
    )
    return Material(bank=bank, packed=packed, dropped=frozenset(map(int, drop_questions)))


def remarking(held: Material) -> Remarking | None:
    """None when nothing is left to mark: no attempts, or none with a question that is still asked."""
    responses = unpacked(held.packed, [question.id for question in held.bank])
    retired = np.asarray(
        [question.retired or question.id in held.dropped for question in held.bank], dtype=np.bool_
    )
    if retired[responses.question].all():
        return None
    return Remarking(
        responses,
        difficulty=np.asarray([question.difficulty for question in held.bank], dtype=np.int64),
        retired=retired,
        questions_left=held.questions_left,
        rng=np.random.default_rng(_SEED),
    )


def rescored_view(effect: Effect) -> RescoredView:
    return RescoredView(
        attempts=effect.attempts,
        touched=effect.touched,
        before=_band(effect.before),
        after=_band(effect.after),
        change=_band(effect.change),
    )


def _band(band: RateBand) -> RateBandView:
    return RateBandView(
        estimate=decimal_text(band.estimate), p05=decimal_text(band.p05), p95=decimal_text(band.p95)
    )


class Rescoring:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._computing = Computing()

    async def retirement(self, slug: str, wanted: RetirementBody) -> RetirementEffectView:
        """Raises NotFound, InvalidRequest, NoQuestionsLeft, NotEnoughData, Busy."""
        async with self._kit.database.snapshot(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            answered = await responses_store.answered(tx, campaign.id)
            held = await material(tx, campaign.id, wanted.drop_questions, answered=answered)
        if held.questions_left == 0:
            raise NoQuestionsLeft

        def compute() -> Effect:
            attempts = remarking(held)
            if attempts is None:
                raise NotEnoughData
            return attempts.effect(wanted.pass_score)

        view = rescored_view(await self._computing.run(compute))
        return RetirementEffectView(**view.model_dump(), questions_left=held.questions_left)
