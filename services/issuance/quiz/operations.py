"""Taking the quiz: start and submit, each a batch of one or many in one transaction."""

import hmac
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from uuid import UUID

from services.issuance.exclusions.errors import ParticipationExcluded
from services.issuance.exclusions.operations import with_appeals
from services.issuance.quiz import store
from services.issuance.quiz.errors import (
    AttemptAlreadyAnswered,
    AttemptExpired,
    AttemptsExhausted,
    AttemptTokenInvalid,
    CampaignPaused,
    PhaseNotOpen,
    QuizNotReady,
    SubmittedTooSoon,
)
from services.issuance.quiz.rules import (
    Question,
    UnknownAnswer,
    attempt_token,
    mark,
    sample,
    shuffled_order,
)
from services.issuance.quiz.schemas import HotAttempt, HotMark, shown_question, shown_result
from services.issuance.quiz.store import Asked, Questions, Quiz, Rule
from shared.batching import Batcher
from shared.clock import rfc3339
from shared.errors import Busy, Fault, InvalidRequest, NotFound, Refusal, RequestNoReused, invariant
from shared.idempotency import fingerprint
from shared.identity.citizens import Citizen
from shared.identity.presence import present_only
from shared.ids import HotId, new_id, parse_hot_id
from shared.kit import Kit
from shared.randomness import PooledRandom
from shared.remembered import Remembered

# Which questions there are and which rule samples them; who may start is decided in SQL every time.
_REMEMBERED_SECONDS = 1.0

_REFUSALS: Mapping[str, type[Refusal]] = {
    "request_no_reused": RequestNoReused,
    "not_found": NotFound,
    # The rule changed twice while one batch was under way.
    "rule_changed": Busy,
    PhaseNotOpen.code: PhaseNotOpen,
    CampaignPaused.code: CampaignPaused,
    QuizNotReady.code: QuizNotReady,
    ParticipationExcluded.code: ParticipationExcluded,
    AttemptsExhausted.code: AttemptsExhausted,
    AttemptExpired.code: AttemptExpired,
    AttemptAlreadyAnswered.code: AttemptAlreadyAnswered,
    SubmittedTooSoon.code: SubmittedTooSoon,
}
# What a view that is a moment old may be wrong about: looked at again before it is said to anybody.
_STALE = frozenset({"rule_changed", QuizNotReady.code})

_Sample = tuple[list[int], list[str]]
_NOTHING: _Sample = ([], [])


@dataclass(frozen=True, slots=True)
class Attempt:
    """A started attempt, as it is shown; `replayed` when the request number was used before."""

    reply: HotAttempt
    replayed: bool


@dataclass(frozen=True, slots=True)
class Mark:
    reply: HotMark
    replayed: bool


@dataclass(frozen=True, slots=True)
class _Start:
    citizen: Citizen
    request_no: str


@dataclass(frozen=True, slots=True)
class _Submission:
    citizen: Citizen
    attempt: HotId
    request_no: str
    answers: Mapping[str, Sequence[str]]
    attempt_token: str | None


def _person(item: _Start | _Submission) -> Hashable:
    return item.citizen.person_id


class Quizzes:
    """The quiz of all campaigns. `rng` is the system's secure generator, except in tests."""

    def __init__(self, kit: Kit, rng: Random | None = None) -> None:
        self._kit = kit
        self._rng = rng or PooledRandom()
        self._quizzes = Remembered(self._load, seconds=_REMEMBERED_SECONDS)
        self._questions: dict[UUID, Questions] = {}
        self._starts: Batcher[_Start, Attempt | Refusal] = Batcher(
            present_only(kit.database, self._start_batch, needs_consent=True), apart=_person
        )
        self._submissions: Batcher[_Submission, Mark | Refusal] = Batcher(
            present_only(kit.database, self._submit_batch), apart=_person
        )

    async def start(self, citizen: Citizen, slug: str, request_no: str) -> Attempt:
        """An attempt under the rule that is in force now.

        Raises:
            NotFound, PhaseNotOpen, CampaignPaused, QuizNotReady, ParticipationExcluded, AttemptsExhausted,
            RequestNoReused: as named.
        """
        result = await self._starts.submit(slug, _Start(citizen, request_no))
        if isinstance(result, Refusal):
            raise result
        return result

    async def submit(
        self,
        citizen: Citizen,
        attempt_id: str,
        request_no: str,
        answers: Mapping[str, Sequence[str]],
        *,
        attempt_token: str | None = None,
    ) -> Mark:
        """Marks an attempt and grants its chances.

        Raises:
            NotFound: it never was, or is somebody else's.
            InvalidRequest: an answer names a question or a letter that was not shown.
            AttemptTokenInvalid: the attempt's rule asks for a token, and this is not it.
            AttemptExpired, AttemptAlreadyAnswered, SubmittedTooSoon, RequestNoReused: as named.
        """
        item = _Submission(citizen, parse_hot_id(attempt_id), request_no, answers, attempt_token)
        result = await self._submissions.submit(None, item)
        if isinstance(result, Refusal):
            raise result
        return result

    async def drain(self) -> None:
        """Answers what was submitted; at the end of a process."""
        await self._starts.drain()
        await self._submissions.drain()

    async def _load(self, slug: str) -> Quiz:
        found = await store.quiz(self._kit.database, slug)
        if found is None:
            raise NotFound
        return found

    async def _questions_of(self, campaign_id: UUID, version: int) -> Questions:
        kept = self._questions.get(campaign_id)
        if kept is None or kept.version != version:
            kept = await store.questions(self._kit.database, campaign_id, version)
            self._questions[campaign_id] = kept
        return kept

    async def _asked(self, wanted: Mapping[UUID, set[int]]) -> Mapping[UUID, Mapping[int, Question]]:
        """The questions of each campaign that were asked; they are loaded anew when one is not known yet."""
        found: dict[UUID, Mapping[int, Question]] = {}
        for campaign_id, ids in wanted.items():
            kept = self._questions.get(campaign_id)
            if kept is None or not ids <= kept.by_id.keys():
                version = -1 if kept is None else kept.version
                kept = await store.questions(self._kit.database, campaign_id, version)
                self._questions[campaign_id] = kept
            found[campaign_id] = kept.by_id
        return found

    async def _start_batch(self, key: Hashable, items: Sequence[_Start]) -> Sequence[Attempt | Refusal]:
        slug = str(key)
        try:
            quiz = await self._quizzes.get(slug)
        except NotFound:
            return [NotFound() for _ in items]
        if quiz.in_force(self._kit.clock.now()) is None:
            quiz = await self._quizzes.get(slug, fresh=True)
        rows = await self._sample_and_start(slug, quiz, items)
        if any(row.outcome in _STALE for row in rows):
            quiz = await self._quizzes.get(slug, fresh=True)
            rows = await self._sample_and_start(slug, quiz, items)
        asked = {question_id for row in rows for question_id in row.question_ids or ()}
        questions = (await self._asked({quiz.campaign_id: asked}))[quiz.campaign_id]
        tokens = await self._tokens(quiz, items, rows)
        attempts = [_attempt(row, questions, token) for row, token in zip(rows, tokens, strict=True)]
        citizens = [item.citizen for item in items]
        return await with_appeals(self._kit, quiz.campaign_id, citizens, attempts)

    async def _tokens(
        self, quiz: Quiz, items: Sequence[_Start], rows: Sequence[store.Started]
    ) -> list[str | None]:
        """The token of each started attempt whose own rule asks for one; None for the others."""
        tokens: list[str | None] = [None] * len(rows)
        if not quiz.gives_tokens:
            return tokens
        started = [place for place, row in enumerate(rows) if row.outcome not in _REFUSALS]
        owned = [(rows[place].address, items[place].citizen.person_id) for place in started]
        for place, asked in zip(started, await store.asked(self._kit.database, owned), strict=True):
            if asked is not None and asked.needs_token:
                person = items[place].citizen.person_id
                tokens[place] = self.token(rows[place].address, person, asked.expires_at)
        return tokens

    def token(self, attempt: HotId, person_id: UUID, expires_at: datetime) -> str:
        return attempt_token(self._kit.keys.token, str(attempt), person_id, expires_at)

    async def _sample_and_start(self, slug: str, quiz: Quiz, items: Sequence[_Start]) -> list[store.Started]:
        now = self._kit.clock.now()
        phase_id, rule = quiz.in_force(now) or (None, None)
        samples = await self._samples(quiz, rule, items) if rule else [_NOTHING for _ in items]
        asked_for = fingerprint([slug])
        starts = [
            store.Start(
                address=HotId(item.citizen.bucket, new_id()),
                person_id=item.citizen.person_id,
                request_no=item.request_no,
                fingerprint=asked_for,
                question_ids=question_ids,
                option_orders=option_orders,
            )
            for item, (question_ids, option_orders) in zip(items, samples, strict=True)
        ]
        return await store.start_attempts(
            self._kit.database, quiz.campaign_id, phase_id, rule.id if rule else None, starts, now=now
        )

    async def _samples(self, quiz: Quiz, rule: Rule, items: Sequence[_Start]) -> list[_Sample]:
        """Question ids and shuffled options for each person."""
        known = await self._questions_of(quiz.campaign_id, quiz.bank_version)
        people = [(item.citizen.bucket, item.citizen.person_id) for item in items]
        samples = []
        lately = await store.recent_questions(
            self._kit.database, quiz.campaign_id, people, attempts=rule.repeat_after_attempts
        )
        for recent in lately:
            ids = sample(known.bank, rule.questions, blueprint=rule.blueprint, recent=recent, rng=self._rng)
            orders = [shuffled_order(known.by_id[question_id], self._rng) for question_id in ids]
            samples.append((ids, orders))
        return samples

    async def _submit_batch(self, _key: Hashable, items: Sequence[_Submission]) -> Sequence[Mark | Refusal]:
        addresses = [(item.attempt, item.citizen.person_id) for item in items]
        asked = await store.asked(self._kit.database, addresses)
        wanted: dict[UUID, set[int]] = {}
        for attempt in asked:
            if attempt is not None:
                wanted.setdefault(attempt.campaign_id, set()).update(attempt.question_ids)
        questions = await self._asked(wanted)
        marked = [
            NotFound() if attempt is None else self._marked(item, attempt, questions[attempt.campaign_id])
            for item, attempt in zip(items, asked, strict=True)
        ]
        submissions = [entry for entry in marked if isinstance(entry, store.Submission)]
        rows = iter(
            await store.submit_attempts(self._kit.database, submissions, now=self._kit.clock.now())
            if submissions
            else []
        )
        return [entry if isinstance(entry, Refusal) else _mark(next(rows), questions) for entry in marked]

    def _marked(
        self, item: _Submission, asked: Asked, questions: Mapping[int, Question]
    ) -> store.Submission | Refusal:
        if asked.needs_token:
            token = self.token(item.attempt, item.citizen.person_id, asked.expires_at)
            if not hmac.compare_digest((item.attempt_token or "").encode(), token.encode()):
                return AttemptTokenInvalid()
        return _marked(item, asked, questions)


def _attempt(row: store.Started, questions: Mapping[int, Question], token: str | None) -> Attempt | Refusal:
    if row.outcome in _REFUSALS:
        return _REFUSALS[row.outcome]()
    invariant(row.outcome in {"created", "replayed"}, f"a start ended as {row.outcome!r}")
    reply = HotAttempt(
        attempt_id=str(row.address),
        expires_at=rfc3339(row.expires_at),
        questions=[
            shown_question(questions[question_id], order)
            for question_id, order in zip(row.question_ids, row.option_orders, strict=True)
        ],
        attempt_token=token,
    )
    return Attempt(reply, replayed=row.outcome == "replayed")


def _marked(
    item: _Submission, asked: Asked, questions: Mapping[int, Question]
) -> store.Submission | InvalidRequest:
    try:
        marked = mark(
            [questions[question_id] for question_id in asked.question_ids], asked.option_orders, item.answers
        )
    except UnknownAnswer as unknown:
        return InvalidRequest(faults=(unknown_answer(unknown),))
    return store.Submission(
        address=item.attempt,
        person_id=item.citizen.person_id,
        request_no=item.request_no,
        fingerprint=fingerprint([str(item.attempt), item.answers]),
        answers=marked.answers,
        correct=marked.correct,
        score=marked.score,
    )


def unknown_answer(unknown: UnknownAnswer) -> Fault:
    """Where the answer stands that was not asked for, and why it is none."""
    loc = f"body.answers.{unknown.question_id}"
    if unknown.option is None:
        return Fault(loc, "本次答题没有这道题。", "question_unknown")
    return Fault(loc, "这道题没有这个选项。", "option_unknown")


def _mark(row: store.Submitted, questions: Mapping[UUID, Mapping[int, Question]]) -> Mark | Refusal:
    if row.outcome in _REFUSALS:
        return _REFUSALS[row.outcome]()
    invariant(row.outcome in {"created", "replayed"}, f"a submission ended as {row.outcome!r}")
    known = questions[row.campaign_id]
    reply = HotMark(
        score=row.score,
        passed=row.passed,
        pass_score=row.pass_score,
        chances_granted=row.chances_granted,
        results=[
            shown_result(known[question_id], order, correct=right)
            for question_id, order, right in zip(
                row.question_ids, row.option_orders, row.correct, strict=True
            )
        ],
    )
    return Mark(reply, replayed=row.outcome == "replayed")
