"""Rolls the days of codes up and opens cases for what stands out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from services.quota.signals import rules, store
from services.quota.signals.rules import MATURE, Figures, Finding, Peers, Trace, View
from services.quota.signals.store import DayCard, Subject
from services.quota.stuffing.store import Evidence, Found, report
from shared.clock import CHINA
from shared.db import Tx
from shared.kit import Kit

# A busy code's day is rolled up once in five minutes, not after every batch.
REST = timedelta(minutes=5)
# What one pass does, so that the worker's other periodic work is never kept waiting for long.
MARKS_PER_PASS = 20_000
DAYS_PER_PASS = 100
# Tells the devices of a case apart, and is too short to find one again elsewhere.
_DEVICE_BITS = 24


@dataclass(slots=True)
class _Pass:
    """Peers of a day are the same for everybody whom one pass judges, and are counted once."""

    peers: dict[tuple[UUID, date, bool], Peers] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signals:
    kit: Kit

    async def scan(self) -> int:
        """Rolls up what is new or had its time, and judges it; returns how many days. Safe to run twice."""
        async with self.kit.database.transaction(slow=True) as tx:
            await store.fold_marks(tx, MARKS_PER_PASS)
        this_pass = _Pass()
        for done in range(DAYS_PER_PASS):
            if not await self._next_day(this_pass):
                return done
        return DAYS_PER_PASS

    async def _next_day(self, this_pass: _Pass) -> bool:
        """Locks: the day, then the cases that it renews."""
        now = self.kit.clock.now()
        mature_until = (now - MATURE).astimezone(CHINA).date() - timedelta(days=1)
        async with self.kit.database.transaction(slow=True) as tx:
            subject = await store.take(tx, rested=now - REST, mature_until=mature_until)
            if subject is None:
                return False
            # Read after the day was locked: whatever is counted later marks it again.
            cards = await store.cards(tx, subject)
            traces = [
                Trace(place, card.opened_at, card.used, card.device_hash) for place, card in enumerate(cards)
            ]
            figures = rules.roll_up(traces, await store.scans(tx, subject))
            await store.save(tx, subject, figures, now)
            view = View(
                traces, figures, await store.past(tx, subject), await self._peers(tx, subject, this_pass),
                subject.mature,
            )  # fmt: skip
            for finding in rules.judge(view):
                await report(tx, _found(subject, finding, cards), now)
        return True

    async def _peers(self, tx: Tx, subject: Subject, this_pass: _Pass) -> Peers:
        of = (subject.programme_id, subject.day, subject.mature)
        peers = this_pass.peers.get(of)
        if peers is None:
            fortnight: Sequence[Figures] = ()
            if subject.mature:
                await store.recount_day(tx, subject)
                fortnight = await store.fortnight(tx, subject)
            peers = rules.peers_of(await store.same_day(tx, subject), fortnight)
            if (peers.used_share if subject.mature else peers.busiest) is not None:
                # While too few are rolled up, the next one looks again.
                this_pass.peers[of] = peers
        return peers


def _found(subject: Subject, finding: Finding, cards: Sequence[DayCard]) -> Found:
    return Found(
        programme_id=subject.programme_id,
        hospital_id=subject.hospital_id,
        code=subject.code,
        day=subject.day,
        kind=finding.kind,
        score=finding.score,
        reasons=[
            {"code": one.code, "value": round(one.value, 4), "threshold": round(one.threshold, 4)}
            for one in finding.reasons
        ],
        evidence=[_evidence(cards[place]) for place in finding.cards],
    )


def _evidence(card: DayCard) -> Evidence:
    device = None if card.device_hash is None else card.device_hash & ((1 << _DEVICE_BITS) - 1)
    return Evidence(card.bucket, card.holder_hash, card.event_id, card.opened_at, device)
