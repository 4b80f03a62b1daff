"""Going on with the quiz after the line was lost: the attempt as it was left, and drafts of its answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from services.issuance.attempts import store
from services.issuance.attempts.schemas import AttemptAsLeft, DraftKept, State
from services.issuance.attempts.store import Attempt
from services.issuance.quiz.errors import AttemptAlreadyAnswered, AttemptExpired
from services.issuance.quiz.operations import unknown_answer
from services.issuance.quiz.rules import SHOWN_KEYS, Question, UnknownAnswer, attempt_token, mark
from services.issuance.quiz.schemas import HotMark, HotQuestion, shown_question, shown_result
from shared.clock import rfc3339
from shared.db import Tx
from shared.errors import InvalidRequest, NotFound
from shared.identity.citizens import Citizen
from shared.ids import HotId, parse_hot_id
from shared.kit import Kit
from shared.vouchers import catalogue


@dataclass(frozen=True, slots=True)
class Attempts:
    kit: Kit

    async def as_left(self, citizen: Citizen, attempt_id: str) -> AttemptAsLeft:
        """Raises NotFound, also for somebody else's."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            attempt = await _own(tx, citizen, parse_hot_id(attempt_id))
            return await _view(tx, attempt, now, self._token(attempt, citizen, now))

    async def current(self, citizen: Citizen, slug: str) -> AttemptAsLeft:
        """The person's open attempt, else its last one. Raises NotFound, also when there was none yet."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            attempt = await store.current(tx, campaign.id, _person(citizen), now)
            if attempt is None:
                raise NotFound
            return await _view(tx, attempt, now, self._token(attempt, citizen, now))

    async def keep_draft(
        self, citizen: Citizen, attempt_id: str, answers: Mapping[str, Sequence[str]]
    ) -> DraftKept:
        """Keeps what is chosen so far, instead of what was kept before; it is never marked.

        Raises:
            NotFound, AttemptExpired, AttemptAlreadyAnswered: as named.
            InvalidRequest: an answer names a question or a letter that was not shown.
        """
        now, address = self.kit.clock.now(), parse_hot_id(attempt_id)
        async with self.kit.database.transaction() as tx:
            attempt = await _own(tx, citizen, address)
            asked = await store.questions(tx, attempt.question_ids)
            try:
                chosen = mark(asked, attempt.option_orders, answers).answers
            except UnknownAnswer as unknown:
                raise InvalidRequest(faults=(unknown_answer(unknown),)) from None
            if not await store.keep_draft(tx, address, _person(citizen), chosen, now):
                attempt = await _own(tx, citizen, address)
                raise AttemptAlreadyAnswered if attempt.state == "answered" else AttemptExpired
        return DraftKept(attempt_id=str(address), seconds_left=_seconds_left(attempt, now))

    def _token(self, attempt: Attempt, citizen: Citizen, now: datetime) -> str | None:
        """What the answers must bring along, as the start answered it."""
        if not attempt.needs_token or _state(attempt, now) != "open":
            return None
        key = self.kit.keys.token
        return attempt_token(key, str(attempt.address), citizen.person_id, attempt.expires_at)


async def _own(tx: Tx, citizen: Citizen, address: HotId) -> Attempt:
    attempt = await store.one(tx, address, _person(citizen))
    if attempt is None:
        raise NotFound
    return attempt


def _person(citizen: Citizen) -> HotId:
    return HotId(citizen.bucket, citizen.person_id)


def _state(attempt: Attempt, now: datetime) -> State:
    if attempt.state == "answered":
        return "answered"
    return "open" if now < attempt.expires_at else "expired"


def _seconds_left(attempt: Attempt, now: datetime) -> int:
    return max(0, int((attempt.expires_at - now).total_seconds())) if attempt.state == "open" else 0


async def _view(tx: Tx, attempt: Attempt, now: datetime, token: str | None) -> AttemptAsLeft:
    asked = list(zip(await store.questions(tx, attempt.question_ids), attempt.option_orders, strict=True))
    state = _state(attempt, now)
    shown: list[HotQuestion] = [shown_question(question, order) for question, order in asked]
    return AttemptAsLeft.model_validate(
        {
            "attempt_id": str(attempt.address),
            "campaign": attempt.slug,
            "state": state,
            "started_at": rfc3339(attempt.started_at),
            "expires_at": rfc3339(attempt.expires_at),
            "seconds_left": _seconds_left(attempt, now),
            "questions": msgspec.to_builtins(shown),
            "draft": _draft(attempt, asked) if state == "open" else {},
            "attempt_token": token,
            "result": msgspec.to_builtins(_result(attempt, asked)) if state == "answered" else None,
        }
    )


def _draft(attempt: Attempt, asked: Sequence[tuple[Question, str]]) -> dict[str, list[str]]:
    """In the letters that were shown; nothing for what was not chosen yet."""
    return {
        str(question.id): [shown for shown, key in zip(SHOWN_KEYS, order, strict=False) if key in chosen]
        for (question, order), chosen in zip(asked, attempt.drafts or [""] * len(asked), strict=True)
        if chosen
    }


def _result(attempt: Attempt, asked: Sequence[tuple[Question, str]]) -> HotMark:
    return HotMark(
        score=attempt.score or 0,
        passed=bool(attempt.passed),
        pass_score=attempt.pass_score,
        chances_granted=attempt.chances_granted or 0,
        results=[
            shown_result(question, order, correct=right)
            for (question, order), right in zip(asked, attempt.correct or (), strict=True)
        ],
    )
