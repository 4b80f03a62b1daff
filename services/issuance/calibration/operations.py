"""The statistics of a campaign's questions: computed when they are asked for, or by a job and kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.issuance.calibration import store
from services.issuance.calibration.errors import CountedByAnother
from services.issuance.calibration.rules import (
    Item,
    ItemStatistics,
    ResponseCount,
    Verdict,
    attempts_counted,
    enough_new,
    statistics,
)
from services.issuance.calibration.store import Kept
from services.issuance.responses import store as responses
from services.issuance.responses.rules import Step, buckets_of_sample, settled_before, steps
from services.issuance.responses.store import BankQuestion
from shared.clock import local_day
from shared.computing import Computing
from shared.db import Tx
from shared.identity.staff import Staff
from shared.ids import new_id
from shared.jobs.awaited import AwaitedJobs, Progress
from shared.jobs.awaited.store import AwaitedJob
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.metrics.store import figures
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef

# Up to so many attempts everything is counted within the request (within a second). Of more, and as
# long as nobody has asked for the whole, a sample of persons of this size.
LIVE_ATTEMPTS = 30_000
# Figures are computed for so many questions at once, which bounds the memory of a run.
_QUESTIONS_AT_ONCE = 500

Figured = tuple[BankQuestion, ItemStatistics]


@dataclass(frozen=True, slots=True)
class Statistics:
    """A page of questions; their figures are from `attempts` of the `answered` ones, as of a moment.

    `more`: there are questions behind the last one; `total` with this verdict on all pages together.
    """

    as_of: datetime
    answered: int
    attempts: int
    questions: Sequence[Figured]
    more: bool
    total: int


@dataclass(frozen=True, slots=True)
class _Evaluated:
    """All of a small campaign, or of a sample: when so many were answered and the bank was as it was."""

    as_of: datetime
    answered: int
    bank_version: int
    attempts: int
    questions: list[Figured]

    def page(self, verdict: Verdict | None, *, after: int, limit: int) -> Statistics:
        judged = [pair for pair in self.questions if verdict in (None, pair[1].verdict)]
        wanted = [pair for pair in judged if pair[0].id > after]
        more = len(wanted) > limit
        return Statistics(self.as_of, self.answered, self.attempts, wanted[:limit], more, len(judged))


class Calibration:
    def __init__(self, kit: Kit, awaited: AwaitedJobs, *, live_attempts: int = LIVE_ATTEMPTS) -> None:
        self._kit = kit
        self._live_attempts = live_attempts
        self._awaited = awaited
        self._computing = Computing()
        # The last evaluation of each campaign: it stands until there is another answer or another question.
        self._evaluated: dict[UUID, _Evaluated] = {}

    async def page(self, slug: str, verdict: Verdict | None, *, after: int, limit: int) -> Statistics:
        """Questions behind this id, all or those with this verdict. Raises NotFound, Busy.

        What a job has kept is answered where there are too many attempts to count them now.
        """
        now = self._kit.clock.now()
        async with self._kit.database.snapshot(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            answered = await responses.answered(tx, campaign.id)
            kept = await store.kept(tx, campaign.id) if answered > self._live_attempts else None
            if kept is not None:
                found = await store.kept_page(tx, campaign.id, verdict, after=after, limit=limit + 1)
                total, more = await store.kept_total(tx, campaign.id, verdict), len(found) > limit
                return Statistics(kept.as_of, answered, kept.attempts, found[:limit], more, total)
            version = await responses.bank_version(tx, campaign.id)
            known = self._evaluated.get(campaign.id)
            if known is not None and (known.answered, known.bank_version) == (answered, version):
                return known.page(verdict, after=after, limit=limit)
            bank = await responses.bank(tx, campaign.id)
            buckets = buckets_of_sample(answered, self._live_attempts)
            counts = await store.counts_of_sample(tx, campaign.id, buckets=buckets)
        found = await self._computing.run(_figured, bank, counts)
        evaluated = _Evaluated(now, answered, version, attempts_counted(counts), found)
        self._evaluated[campaign.id] = evaluated
        return evaluated.page(verdict, after=after, limit=limit)

    async def ask(self, staff: Staff, slug: str) -> dict[str, str]:
        """Asks for the figures of all attempts, however many. Raises NotFound."""
        async with self._kit.database.transaction() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            arguments = {"campaign_id": str(campaign.id)}
            return await self._awaited.request(tx, Kind.STATISTICS_WANTED, arguments, requested_by=staff.id)

    async def refresh(self) -> int:
        """Asks for the figures of campaigns with enough new answers, one job each; returns how many.

        What is asked for grows with what is known, so the work over a campaign's life is bounded: each answer
        is counted a few times at most, however long the campaign.
        """
        async with self._kit.database.snapshot() as tx:
            found = await catalogue.campaigns(tx)
        asked = 0
        for campaign in found:
            async with self._kit.database.transaction() as tx:
                answered = await responses.answered(tx, campaign.id)
                if answered <= self._live_attempts:
                    continue
                kept = await store.kept(tx, campaign.id)
                arguments = {"campaign_id": str(campaign.id)}
                if enough_new(answered, None if kept is None else kept.attempts):
                    asked += await self._awaited.request_once(tx, Kind.STATISTICS_WANTED, arguments)
        return asked

    async def work(self, job: AwaitedJob, progress: Progress) -> dict[str, Any]:
        """Counts what is not counted yet, step by step, and keeps the figures. Raises CountedByAnother.

        Each step is a transaction, and moves the position with its counts: so a run that was cut off is
        gone on with, and nothing is counted twice. Memory is that of 500 questions, whatever the attempts.
        """
        now, run_id = self._kit.clock.now(), new_id()
        campaign_id = UUID(job.arguments["campaign_id"])
        async with self._kit.database.transaction(slow=True) as tx:
            campaign = await catalogue.campaign_by_id(tx, campaign_id)
            ahead = await _ahead(tx, campaign, run_id, now)
        total, done = sum(step.weight for step in ahead), 0
        for step in ahead:
            async with self._kit.database.transaction(slow=True) as tx:
                then = step.then if step.settled else None
                if not await store.hold(tx, campaign.id, run_id, then=then):
                    raise CountedByAnother
                await store.count_step(tx, campaign.id, step)
            done += step.weight
            await progress.report(done, total + 1)
        attempts, questions = await self._keep_figures(campaign.id, run_id, now)
        return {"attempts": attempts, "questions": questions}

    async def _keep_figures(self, campaign_id: UUID, run_id: UUID, now: datetime) -> tuple[int, int]:
        """How many attempts and questions there are figures of. Raises CountedByAnother."""
        responses_of: dict[int, int] = {}
        async with self._kit.database.transaction(slow=True) as tx:
            if not await store.hold(tx, campaign_id, run_id):
                raise CountedByAnother
            bank = await responses.bank(tx, campaign_id)
            await store.forget_figures(tx, campaign_id)
            for first in range(0, len(bank), _QUESTIONS_AT_ONCE):
                part = bank[first : first + _QUESTIONS_AT_ONCE]
                ids = [question.id for question in part]
                counts = await store.counts(tx, campaign_id, ids)
                found = await self._computing.run(_figured, part, counts)
                await store.insert_figures(tx, campaign_id, ids, [item for _, item in found])
                for count in counts:
                    responses_of[count.asked] = responses_of.get(count.asked, 0) + count.n
            attempts = sum(n // asked for asked, n in responses_of.items())
            await store.keep(tx, campaign_id, Kept(now, attempts))
        return attempts, len(bank)


async def _ahead(tx: Tx, campaign: CampaignRef, run_id: UUID, now: datetime) -> list[Step]:
    """What this run has to count."""
    next_day, next_bucket = await store.take_up(tx, campaign.id, run_id)
    if next_day is None:
        next_day = await store.first_day(tx, campaign.id)
        if next_day is None:
            return []
    attempts: dict[Any, int] = {}
    for figure in await figures(tx, [campaign.id], ["attempt"]):
        attempts[figure.day] = attempts.get(figure.day, 0) + figure.n
    limit = await store.longest_time_limit(tx, campaign.id)
    return steps(
        attempts,
        begin=(next_day, next_bucket),
        last_day=local_day(now, campaign.timezone),
        settled_until=local_day(settled_before(now, time_limit_seconds=limit), campaign.timezone),
    )


def _figured(bank: Sequence[BankQuestion], counts: Sequence[ResponseCount]) -> list[Figured]:
    items = [Item(question.id, question.options, question.answer) for question in bank]
    return list(zip(bank, statistics(counts, items), strict=True))
