"""Rolls institutions' days up, opens cases for what stands out; takes down what institutions can do."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from services.redemption.circles.rules import DEVICE_HOLDERS, first_day
from services.redemption.findings.rules import Finding, View, terminal_of
from services.redemption.risk.store import Found, report
from services.redemption.riskdays import store as riskdays
from services.redemption.riskdays.rules import Day, Figures, Peers, Trace, closed_hours, peers_of, roll_up
from services.redemption.riskdays.store import Subject
from services.redemption.signals import store
from services.redemption.signals.rules import judge
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.errors import NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import HotId
from shared.jobs.kinds import Kind, Queue
from shared.kit import Kit
from shared.outbox import OutboxItem, add
from shared.outbox.store import DeadRow, dead_count, dead_page, revive

log = structlog.get_logger(__name__)

# A busy institution's day is rolled up once a minute, not after every write-off.
REST = timedelta(minutes=1)
# What one pass does, so that the worker's other periodic work is never kept waiting for long.
DAYS_PER_PASS = 50


class DaysFailed(Exception):
    """A pass did what it could; the days that failed are tried again by jobs of their own."""


@dataclass(slots=True)
class _Pass:
    """Peers of a day are the same for everybody whom one pass judges."""

    peers: dict[tuple[UUID, date], Peers] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Signals:
    kit: Kit

    async def scan(self) -> int:
        """Rolls up what changed and judges it; returns how many days. Safe to run twice, and by two.

        A day that fails is left to a job of its own, and all others are done.

        Raises:
            DaysFailed: at the end, for the report of the periodic work.
        """
        this_pass = _Pass()
        done = 0
        while done < DAYS_PER_PASS and await self._next_day(this_pass):
            done += 1
        if this_pass.failed:
            raise DaysFailed(f"{len(this_pass.failed)} days wait for another try: {this_pass.failed[0]}")
        return done

    async def _next_day(self, this_pass: _Pass) -> bool:
        """Locks: the day, then the cases that it adds to."""
        now = self.kit.clock.now()
        subject: Subject | None = None
        try:
            async with self.kit.database.transaction(slow=True) as tx:
                subject = await riskdays.take(tx, now - REST)
                if subject is None:
                    return False
                await self._do(tx, subject, this_pass, now)
        except Exception as error:
            if subject is None:
                raise
            log.warning("Day not judged", day=str(subject.day), exc_info=error)
            await self._defer(subject, now)
            this_pass.failed.append(f"{subject.institution_id} on {subject.day}: {type(error).__name__}")
        return True

    async def _defer(self, subject: Subject, now: datetime) -> None:
        """From now on the day is its own job's, which tries again, and is a dead letter in the end."""
        async with self.kit.database.transaction() as tx:
            if await riskdays.defer(tx, subject, now):
                await add(
                    tx,
                    Queue.REDEMPTION,
                    Kind.RISK_DAY_DEFERRED,
                    {
                        "campaign_id": str(subject.campaign_id),
                        "institution_id": subject.institution_id,
                        "day": subject.day.isoformat(),
                    },
                )

    async def do_deferred(self, tx: Tx, items: Sequence[OutboxItem]) -> None:
        """The effect of the jobs of days that failed; what was done meanwhile is left alone."""
        now = self.kit.clock.now()
        for item in sorted(items, key=lambda one: (one.payload["day"], one.payload["institution_id"])):
            subject = await riskdays.take_deferred(
                tx,
                UUID(item.payload["campaign_id"]),
                item.payload["institution_id"],
                date.fromisoformat(item.payload["day"]),
            )
            if subject is not None:
                await self._do(tx, subject, _Pass(), now)

    async def _do(self, tx: Tx, subject: Subject, this_pass: _Pass, now: datetime) -> None:
        # Read after the day was locked: whatever is counted later marks it again.
        traces = await riskdays.traces(tx, subject, subject.day, subject.day)
        figures = roll_up(traces)
        await riskdays.save(tx, subject, figures, now)
        for finding in await self._judged(tx, subject, figures, this_pass):
            await self._report(tx, subject, finding, traces, now)

    async def _judged(self, tx: Tx, subject: Subject, figures: Figures, this_pass: _Pass) -> list[Finding]:
        of = (subject.campaign_id, subject.day)
        peers = this_pass.peers.get(of) or peers_of(await riskdays.of_day(tx, *of))
        if peers != Peers():
            # While too few are rolled up, the next one looks again.
            this_pass.peers[of] = peers
        origins = []
        if subject.noted:
            first = first_day(subject.day)
            origins = await riskdays.origins(tx, subject, first, few=DEVICE_HOLDERS)
        return judge(
            View(
                today=Day(subject.day, figures),
                past=await riskdays.past(tx, subject),
                peers=peers,
                hourly=subject.hourly,
                closed=closed_hours(subject.opening, subject.day),
                origins=origins,
            )
        )

    async def _report(
        self, tx: Tx, subject: Subject, finding: Finding, today: list[Trace], now: datetime
    ) -> None:
        window = today
        if finding.first < subject.day:
            window = await riskdays.traces(tx, subject, finding.first, subject.day)
        evidence = finding.selects(window)
        if not evidence:
            return
        found = Found(
            kind=finding.kind,
            reference=f"{subject.campaign_id}/{subject.institution_id}/{finding.window.isoformat()}",
            campaign_id=subject.campaign_id,
            institution_id=subject.institution_id,
            terminal_id=terminal_of(evidence),
            score=finding.score,
            suggested=finding.suggested,
            first=finding.first,
            last=finding.last,
            evidence={
                "reasons": [
                    {"code": one.code, "value": round(one.value, 4), "threshold": round(one.threshold, 4)}
                    for one in finding.reasons
                ],
            },
            write_offs=[trace.redemption for trace in evidence],
        )
        await report(tx, found, now)

    async def dead(
        self, *, limit: int, after: tuple[datetime, UUID] | None, institution_id: str | None = None
    ) -> tuple[list[DeadRow], dict[str, str], int]:
        """Days that failed too often, of one institution or all, newest first; one more than `limit` if any.

        With their institutions' names by id, and how many such days there are.
        """
        kinds = [Kind.RISK_DAY_DEFERRED]
        about = {} if institution_id is None else {"institution_id": institution_id}
        async with self.kit.database.snapshot() as tx:
            found = await dead_page(tx, kinds, after=after, limit=limit + 1, about=about)
            names = await store.names(tx, {row.payload["institution_id"] for row in found})
            return found, names, await dead_count(tx, kinds, about)

    async def retry(self, staff: Staff, letter: HotId, key: RequestKey | None) -> Answer:
        """Has a day that failed too often tried again.

        Raises:
            NotFound: it is no dead letter (any more).
            RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            revived = await revive(tx, [Kind.RISK_DAY_DEFERRED], letter.bucket, letter.uuid)
            if revived is None:
                raise NotFound
            entry = AuditEntry(
                staff.actor,
                "risk.day_retry",
                f"outbox:{letter}",
                before={"state": "dead", "error": revived.error},
                after={"state": "ready"},
            )
            await record(tx, entry, at=now)
            return {"id": str(letter), "status": "queued"}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def declare(
        self, staff: Staff, institution_id: str, hourly: int | None, key: RequestKey | None
    ) -> Answer:
        """How many write-offs an hour an institution can do; None: it no longer says.

        Raises:
            NotFound, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            if not await store.lock_institution(tx, institution_id):
                raise NotFound
            before = await store.declared(tx, institution_id)
            await store.declare(tx, institution_id, hourly, by=staff.id, now=now)
            entry = AuditEntry(
                staff.actor,
                "institution.capacity",
                f"institution:{institution_id}",
                before={"hourly": before},
                after={"hourly": hourly},
            )
            await record(tx, entry, at=now)
            return {"institution_id": institution_id, "hourly": hourly}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)
