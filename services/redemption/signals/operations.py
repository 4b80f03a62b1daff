"""Rolls institutions' days up, opens cases for what stands out; takes down what institutions can do."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from services.redemption.risk.store import Found, report
from services.redemption.signals import rules, store
from services.redemption.signals.rules import Day, Figures, Finding, Peers, Trace, View
from services.redemption.signals.store import Subject
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.errors import NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit

# A busy institution's day is rolled up once a minute, not after every write-off.
REST = timedelta(minutes=1)
# What one pass does, so that the worker's other periodic work is never kept waiting for long.
DAYS_PER_PASS = 50


@dataclass(slots=True)
class _Pass:
    """Peers of a day are the same for everybody whom one pass judges."""

    peers: dict[tuple[UUID, date], Peers] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signals:
    kit: Kit

    async def scan(self) -> int:
        """Rolls up what changed and judges it; returns how many days. Safe to run twice, and by two."""
        this_pass = _Pass()
        for done in range(DAYS_PER_PASS):
            if not await self._next_day(this_pass):
                return done
        return DAYS_PER_PASS

    async def _next_day(self, this_pass: _Pass) -> bool:
        """Locks: the day, then the cases that it adds to."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction(slow=True) as tx:
            subject = await store.take(tx, now - REST)
            if subject is None:
                return False
            # Read after the day was locked: whatever is counted later marks it again.
            traces = await store.traces(tx, subject, subject.day, subject.day)
            figures = rules.roll_up(traces)
            await store.save(tx, subject, figures, now)
            for finding in await self._judged(tx, subject, figures, this_pass):
                await self._report(tx, subject, finding, traces, now)
        return True

    async def _judged(self, tx: Tx, subject: Subject, figures: Figures, this_pass: _Pass) -> list[Finding]:
        of = (subject.campaign_id, subject.day)
        peers = this_pass.peers.get(of) or rules.peers_of(await store.of_day(tx, *of))
        if peers != Peers():
            # While too few are rolled up, the next one looks again.
            this_pass.peers[of] = peers
        return rules.judge(
            View(
                today=Day(subject.day, figures),
                past=await store.past(tx, subject),
                peers=peers,
                hourly=subject.hourly,
                closed=rules.closed_hours(subject.opening, subject.day),
            )
        )

    async def _report(
        self, tx: Tx, subject: Subject, finding: Finding, today: list[Trace], now: datetime
    ) -> None:
        window = today
        if finding.first < subject.day:
            window = await store.traces(tx, subject, finding.first, subject.day)
        evidence = finding.selects(window)
        if not evidence:
            return
        found = Found(
            kind=finding.kind,
            reference=f"{subject.campaign_id}/{subject.institution_id}/{finding.window.isoformat()}",
            campaign_id=subject.campaign_id,
            institution_id=subject.institution_id,
            terminal_id=rules.terminal_of(evidence),
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
