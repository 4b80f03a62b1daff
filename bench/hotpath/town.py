"""A campaign with people and tills, filled below the platform, so that tens of thousands take seconds.

Whatever a step below HTTP writes is written by the platform's own set functions, in batches as its batchers
make them: every figure and every invariant is as if the people had come themselves.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from bench.hotpath.store import Bench, Campaign
from bench.simulator.cashiers import Till
from bench.simulator.clerks import Clerks
from bench.simulator.platform import Platform, request_no
from services.issuance.campaigns.rules import seed_context
from services.issuance.lottery import store as lottery
from services.issuance.lottery.rules import hmac_pads, message_prefix
from services.issuance.quiz import store as quiz
from services.issuance.quiz.rules import Question, shuffled_order
from services.issuance.wallet import store as wallet
from shared.crypto import Keys
from shared.db import Database
from shared.identity.citizens import CitizenTokens
from shared.ids import HotId, new_id
from shared.vouchers.codes import code_context, code_hash, make_code

VOUCHER_TYPE = "general_50"
BILL_FEN = 5_000
_AT_ONCE = 256
_TOKEN_LIFE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Person:
    """`token` is a citizen's access token, good for a day."""

    account_id: UUID
    bucket: int
    id: UUID
    token: str

    @property
    def place(self) -> tuple[int, UUID]:
        return self.bucket, self.id


@dataclass(frozen=True, slots=True)
class Attempt:
    """An open attempt with its questions and the order in which each one's options are shown."""

    address: HotId
    questions: tuple[Question, ...]
    orders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Voucher:
    address: HotId
    code: str
    code_hash: bytes


@dataclass(slots=True)
class Town:
    """`campaign` draws at odds 1 and has stock for everybody; `tills` belong to one shop that takes it."""

    platform: Platform
    clerks: Clerks
    port: int
    database_url: str
    keys: Keys
    database: Database
    bench: Bench
    slug: str
    campaign: Campaign
    tills: Sequence[Till]
    _questions: quiz.Questions | None = None
    _rng: Random = field(default_factory=lambda: Random(20201101))

    async def now(self) -> datetime:
        return await self.bench.now()

    async def people(self, count: int) -> list[Person]:
        """New people, verified, with consent, signed in."""
        tokens, now = CitizenTokens(self.keys.token), await self.now()
        found = []
        for account_id, bucket, person_id in await self.bench.people(count):
            token = tokens.issue(
                account_id=account_id, bucket=bucket, person_id=person_id, now=now, life=_TOKEN_LIFE
            )
            found.append(Person(account_id, bucket, person_id, token))
        return found

    async def attempts(self, people: Sequence[Person]) -> list[Attempt]:
        """The open attempt of each, in their order."""
        known = (await self.questions()).by_id
        rows = await self.bench.attempts(self.campaign.id, [person.place for person in people])
        return [
            Attempt(
                HotId(row["bucket"], row["id"]),
                tuple(known[ident] for ident in row["question_ids"]),
                tuple(row["option_orders"]),
            )
            for row in rows
        ]

    async def awards(self, people: Sequence[Person]) -> list[HotId]:
        """The open award of each, in their order."""
        rows = await self.bench.awards(self.campaign.id, [person.place for person in people])
        return [HotId(row["bucket"], row["id"]) for row in rows]

    async def vouchers(self, people: Sequence[Person]) -> list[Voucher]:
        """The voucher of each that was not used yet, in their order."""
        rows = await self.bench.vouchers(self.campaign.id, [person.place for person in people])
        return [
            Voucher(
                HotId(row["bucket"], row["id"]),
                self.keys.sealer.open_text(row["code_sealed"], context=code_context(row["id"])),
                row["code_hash"],
            )
            for row in rows
        ]

    async def questions(self) -> quiz.Questions:
        if self._questions is None:
            self._questions = await quiz.questions(self.database, self.campaign.id, 0)
        return self._questions

    async def sampled(self, count: int) -> list[tuple[list[int], list[str]]]:
        """Questions and orders of options of so many attempts, as starts sample them."""
        known = (await self.questions()).by_id
        ids, asked = sorted(known), (await self.quiz_rule())[1].questions
        samples = [self._rng.sample(ids, asked) for _ in range(count)]
        return [(sample, [shuffled_order(known[ident], self._rng) for ident in sample]) for sample in samples]

    async def quiz_rule(self) -> tuple[UUID, quiz.Rule]:
        """The phase that is open and its rule."""
        found = await quiz.quiz(self.database, self.slug)
        in_force = found.in_force(await self.now()) if found else None
        assert in_force is not None, "the clock was moved into the phase"  # noqa: S101 - by whoever published
        return in_force

    def draw_terms(self) -> lottery.Terms:
        seed = self.keys.sealer.open(self.campaign.seed_sealed, context=seed_context(self.campaign.phase_id))
        return lottery.Terms(
            campaign_id=self.campaign.id,
            phase_id=self.campaign.phase_id,
            pads=hmac_pads(seed),
            prefix=message_prefix(self.slug, 1),
        )

    async def start(self, people: Sequence[Person]) -> None:
        """Everybody begins an attempt, below HTTP."""
        phase_id, rule = await self.quiz_rule()
        for some in _shares(people):
            starts = [
                quiz.Start(HotId(person.bucket, new_id()), person.id, request_no(), _print(), ids, orders)
                for person, (ids, orders) in zip(some, await self.sampled(len(some)), strict=True)
            ]
            rows = await quiz.start_attempts(
                self.database, self.campaign.id, phase_id, rule.id, starts, now=await self.now()
            )
            _created(row.outcome for row in rows)

    async def submit(self, people: Sequence[Person]) -> None:
        """Everybody answers all questions rightly, below HTTP."""
        for some in _shares(people):
            submissions = [
                right_answers(person, attempt)
                for person, attempt in zip(some, await self.attempts(some), strict=True)
            ]
            rows = await quiz.submit_attempts(self.database, submissions, now=await self.now())
            _created(row.outcome for row in rows)

    async def draw(self, people: Sequence[Person]) -> None:
        """Everybody draws, and wins, below HTTP."""
        terms = self.draw_terms()
        for some in _shares(people):
            spendings = [
                lottery.Spending(
                    HotId(person.bucket, new_id()), person.id, new_id(), request_no(), _print(), ""
                )
                for person in some
            ]
            rows = await lottery.draw_batch(self.database, terms, spendings, now=await self.now())
            _created(row.outcome for row in rows)

    async def claim(self, people: Sequence[Person]) -> None:
        """Everybody takes a voucher of the one type, below HTTP."""
        for some in _shares(people):
            claims = [
                self._claim(person, award)
                for person, award in zip(some, await self.awards(some), strict=True)
            ]
            now = await self.now()
            rows = await wallet.claim_batch(self.database, claims, now=now, sent_at=datetime.now(now.tzinfo))
            _created(row.outcome for row in rows)

    async def holders(self, count: int) -> list[Person]:
        """New people who hold a voucher each."""
        people = await self.people(count)
        await self.start(people)
        await self.submit(people)
        await self.draw(people)
        await self.claim(people)
        return people

    def _claim(self, person: Person, award: HotId) -> wallet.Claim:
        voucher_id, code = new_id(), make_code(person.bucket)
        return wallet.Claim(
            address=HotId(person.bucket, voucher_id),
            person_id=person.id,
            award=award,
            voucher_type=VOUCHER_TYPE,
            request_no=request_no(),
            fingerprint=_print(),
            code_hash=code_hash(self.keys.index, code),
            code_sealed=self.keys.sealer.seal_text(code, context=code_context(voucher_id)),
            outbox_id=new_id(),
        )


def right_answers(person: Person, attempt: Attempt) -> quiz.Submission:
    return quiz.Submission(
        address=attempt.address,
        person_id=person.id,
        request_no=request_no(),
        fingerprint=_print(),
        answers=["".join(sorted(question.answer)) for question in attempt.questions],
        correct=[True] * len(attempt.questions),
        score=100,
    )


def _print() -> bytes:
    return secrets.token_bytes(16)


def _shares(people: Sequence[Person]) -> list[Sequence[Person]]:
    return [people[start : start + _AT_ONCE] for start in range(0, len(people), _AT_ONCE)]


def _created(outcomes: Any) -> None:  # noqa: ANN401 - any iterable of words
    for outcome in outcomes:
        if outcome != "created":
            raise RuntimeError(f"a step below HTTP was refused: {outcome}")
