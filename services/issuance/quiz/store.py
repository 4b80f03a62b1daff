"""SQL of the quiz. The hot statements are set-based: one row in, one row out, in the same order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from services.issuance.quiz.rules import Bank, Blueprint, Question
from shared.db import Database
from shared.ids import HotId

_QUIZ = """
    SELECT c.id, t.bank_version, p.id AS phase_id, p.opens_at, p.closes_at, r.id AS rule_id, r.questions,
           r.blueprint, r.repeat_after_attempts, r.attempt_token, r.effective_from
    FROM core.campaign c
    JOIN issuance.campaign_rules t ON t.campaign_id = c.id
    LEFT JOIN issuance.phase p ON p.campaign_id = c.id
    LEFT JOIN issuance.quiz_rule r ON r.phase_id = p.id
    WHERE c.slug = $1
    ORDER BY p.opens_at, r.effective_from
"""
_QUESTIONS = """
    SELECT id, text, options, answer, explanation, difficulty, category, retired_at IS NOT NULL AS retired,
           superseded_at IS NOT NULL AS superseded, coalesce(first_id, id) AS first_id
    FROM issuance.question WHERE campaign_id = $1 ORDER BY id
"""
_RECENT = "SELECT * FROM issuance.recent_questions($1, $2, $3, $4)"
_START = "SELECT * FROM issuance.start_attempts($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
_ASKED = "SELECT * FROM issuance.attempts_to_mark($1, $2, $3)"
_SUBMIT = "SELECT * FROM issuance.submit_attempts($1, $2, $3, $4, $5, $6, $7, $8, $9)"


@dataclass(frozen=True, slots=True)
class Rule:
    """What sampling needs of a version of a quiz rule; the limits are decided in SQL."""

    id: UUID
    questions: int
    blueprint: Blueprint | None
    repeat_after_attempts: int
    attempt_token: bool
    effective_from: datetime


@dataclass(frozen=True, slots=True)
class Phase:
    id: UUID
    opens_at: datetime
    closes_at: datetime
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Quiz:
    """A campaign's quiz: its phases in the order of time, with every version of their rules."""

    campaign_id: UUID
    bank_version: int
    phases: tuple[Phase, ...]

    @property
    def gives_tokens(self) -> bool:
        """Some rule does: which attempts have a token is read from each one's own."""
        return any(rule.attempt_token for phase in self.phases for rule in phase.rules)

    def in_force(self, now: datetime) -> tuple[UUID, Rule] | None:
        """The open phase and the rule in force in it."""
        for phase in self.phases:
            if phase.opens_at <= now < phase.closes_at:
                begun = [rule for rule in phase.rules if rule.effective_from <= now]
                return (phase.id, begun[-1]) if begun else None
        return None


@dataclass(frozen=True, slots=True)
class Questions:
    """All questions that were ever asked, and the bank of those still in use."""

    version: int
    by_id: dict[int, Question]
    bank: Bank


@dataclass(frozen=True, slots=True)
class Start:
    """One start: whose, under which number, and what was sampled for it."""

    address: HotId
    person_id: UUID
    request_no: str
    fingerprint: bytes
    question_ids: Sequence[int]
    option_orders: Sequence[str]


@dataclass(frozen=True, slots=True)
class Started:
    outcome: str
    address: HotId
    expires_at: datetime
    question_ids: Sequence[int]
    option_orders: Sequence[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What an attempt of this person asked; `needs_token` when its rule says so."""

    campaign_id: UUID
    question_ids: Sequence[int]
    option_orders: Sequence[str]
    expires_at: datetime
    needs_token: bool


@dataclass(frozen=True, slots=True)
class Submission:
    """`answers` are original option keys, `correct` the mark of each question."""

    address: HotId
    person_id: UUID
    request_no: str
    fingerprint: bytes
    answers: Sequence[str]
    correct: Sequence[bool]
    score: int


@dataclass(frozen=True, slots=True)
class Submitted:
    outcome: str
    campaign_id: UUID
    question_ids: Sequence[int]
    option_orders: Sequence[str]
    correct: Sequence[bool]
    score: int
    passed: bool
    pass_score: int
    chances_granted: int


async def quiz(database: Database, slug: str) -> Quiz | None:
    """The quiz of a campaign with this slug; locks nothing."""
    rows = await database.call(_QUIZ, slug)
    if not rows:
        return None
    phases: dict[UUID, list[Any]] = {}
    for row in rows:
        if row["phase_id"] is not None:
            phases.setdefault(row["phase_id"], []).append(row)
    return Quiz(
        campaign_id=rows[0]["id"],
        bank_version=rows[0]["bank_version"],
        phases=tuple(
            Phase(phase_id, rules[0]["opens_at"], rules[0]["closes_at"], tuple(map(_rule, rules)))
            for phase_id, rules in phases.items()
        ),
    )


def _rule(row: Any) -> Rule:  # noqa: ANN401 - a driver's record
    blueprint = None if row["blueprint"] is None else msgspec.json.decode(row["blueprint"])
    return Rule(
        id=row["rule_id"],
        questions=row["questions"],
        blueprint=Blueprint.read(blueprint),
        repeat_after_attempts=row["repeat_after_attempts"],
        attempt_token=row["attempt_token"],
        effective_from=row["effective_from"],
    )


async def questions(database: Database, campaign_id: UUID, version: int) -> Questions:
    """Every question of the campaign, also those that are no longer asked."""
    by_id: dict[int, Question] = {}
    levels: defaultdict[int, list[int]] = defaultdict(list)
    cells: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    level_of: dict[int, int] = {}
    last_of: dict[int, int] = {}
    first_of: dict[int, int] = {}
    for row in await database.call(_QUESTIONS, campaign_id):
        question_id, level = row["id"], row["difficulty"]
        by_id[question_id] = Question(
            id=question_id,
            text=row["text"],
            options=msgspec.json.decode(row["options"]),
            answer=frozenset(row["answer"]),
            explanation=row["explanation"],
        )
        if row["superseded"]:
            first_of[question_id] = row["first_id"]
        else:
            last_of[row["first_id"]] = question_id
        if not row["retired"]:
            levels[level].append(question_id)
            level_of[question_id] = level
            if row["category"] is not None:
                cells[level, row["category"]].append(question_id)
    current = {question_id: last_of[first] for question_id, first in first_of.items() if first in last_of}
    return Questions(version, by_id, Bank(levels, level_of, cells, current))


async def recent_questions(
    database: Database, campaign_id: UUID, people: Sequence[tuple[int, UUID]], *, attempts: int
) -> list[Sequence[int]]:
    """issuance.recent_questions: what each was asked in so many last attempts, the latest first."""
    buckets, persons = [bucket for bucket, _ in people], [person_id for _, person_id in people]
    rows = await database.call(_RECENT, campaign_id, attempts, buckets, persons)
    return [row["question_ids"] for row in rows]


async def start_attempts(
    database: Database,
    campaign_id: UUID,
    phase_id: UUID | None,
    rule_id: UUID | None,
    starts: Sequence[Start],
    *,
    now: datetime,
) -> list[Started]:
    """issuance.start_attempts: locks the persons' turns in the campaign; one outcome each, in order."""
    ready = any(start.question_ids for start in starts)
    rows = await database.call(
        _START,
        campaign_id,
        phase_id,
        rule_id,
        ready,
        now,
        [start.address.bucket for start in starts],
        [start.person_id for start in starts],
        [start.request_no for start in starts],
        [start.fingerprint for start in starts],
        [start.address.uuid for start in starts],
        [",".join(map(str, start.question_ids)) for start in starts],
        [",".join(start.option_orders) for start in starts],
    )
    return [Started(row[0], HotId(row[1], row[2]), row[3], row[4], row[5]) for row in rows]


async def asked(database: Database, attempts: Sequence[tuple[HotId, UUID]]) -> list[Asked | None]:
    """issuance.attempts_to_mark: what these attempts of these persons asked; None for what is not theirs."""
    rows = await database.call(
        _ASKED,
        [address.bucket for address, _ in attempts],
        [address.uuid for address, _ in attempts],
        [person_id for _, person_id in attempts],
    )
    return [None if row[0] is None else Asked(*row) for row in rows]


async def submit_attempts(
    database: Database, submissions: Sequence[Submission], *, now: datetime
) -> list[Submitted]:
    """issuance.submit_attempts: locks the persons' turns in their campaigns; one outcome each, in order."""
    rows = await database.call(
        _SUBMIT,
        now,
        [submission.address.bucket for submission in submissions],
        [submission.person_id for submission in submissions],
        [submission.address.uuid for submission in submissions],
        [submission.request_no for submission in submissions],
        [submission.fingerprint for submission in submissions],
        ["".join("," + keys for keys in submission.answers) for submission in submissions],
        [",".join(str(int(right)) for right in submission.correct) for submission in submissions],
        [submission.score for submission in submissions],
    )
    return [Submitted(*row) for row in rows]
