"""What a till did while it had no line, and its day compared with ours."""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.redemption.lockouts.operations import Lockouts
from services.redemption.offline import rules, store
from services.redemption.operators.rules import OperatorTotal, operator_totals
from services.redemption.risk.store import Case, open_cases
from services.redemption.terminals.operations import SignedTerminal
from services.redemption.terminals.store import mark_seen
from services.redemption.writeoff import store as writeoff_store
from services.redemption.writeoff.errors import VoucherNotFound
from services.redemption.writeoff.operations import Asked, WriteOffs, redeemed_of, written_off
from services.redemption.writeoff.rules import BILL_FEN_MAX, IN_FUTURE, storable, time_fault
from shared.clock import rfc3339
from shared.db import Tx, retried
from shared.errors import Fault, InvalidRequest
from shared.idempotency import Answer, RequestKey, fingerprint, once
from shared.ids import HotId
from shared.kit import Kit
from shared.signing import BadSignature
from shared.signing.store import use_nonce
from shared.vouchers.codes import Presented

_CONFLICT = "offline_conflict"


@dataclass(frozen=True, slots=True)
class Upload:
    batch_no: str
    items: Sequence[Asked]


@dataclass(frozen=True, slots=True)
class Day:
    """The platform's totals of a terminal's day; `lines` are given when they differ from the till's.

    `operators` is None when nobody was named that day.
    """

    matched: bool
    count: int
    applied_fen: int
    lines: list[store.Line] | None
    operators: list[OperatorTotal] | None


@dataclass(frozen=True, slots=True)
class _Entry:
    asked: Asked
    presented: Presented | None
    word: str | None = None
    redemption: HotId | None = None


@dataclass(frozen=True, slots=True)
class Offline:
    kit: Kit
    writeoffs: WriteOffs
    lockouts: Lockouts

    async def upload(self, terminal: SignedTerminal, upload: Upload) -> Answer:
        """Writes off what a till used offline, each item by itself, all in one transaction.

        Wrong codes among them count towards the terminal's lock; what was uploaded stands.

        Raises:
            Replayed, RequestNoReused (the batch number was used for other items).
            TooManyWrongCodes: the terminal is locked; nothing is lost, it uploads later.
            BadSignature: the terminal was revoked since its signature was checked; likewise.
        """
        self.lockouts.require_open(terminal)
        done = await self._upload(terminal, upload)
        misses = sum(result["reason"] == VoucherNotFound.code for result in done.body["results"])
        if misses and not done.replayed:
            await self.lockouts.count(terminal, misses)
        return done

    @retried
    async def _upload(self, terminal: SignedTerminal, upload: Upload) -> Answer:
        now = self.kit.clock.now()
        key = RequestKey(
            caller=terminal.caller,
            operation="redemption-batch",
            request_no=upload.batch_no,
            fingerprint=fingerprint(
                [
                    (item.request_no, item.voucher, item.bill_fen, item.used_at)
                    + (() if item.operator is None else (item.operator,))
                    for item in upload.items
                ]
            ),
        )

        async def act() -> dict[str, Any]:
            entries = await self._write_off(tx, terminal, upload.items, now)
            if any(entry.word == BadSignature.code for entry in entries):
                # Never an answer about the items: a till would take it for the end of what it had accepted.
                raise BadSignature
            await self._open_cases(tx, terminal, entries, now)
            return {"batch_no": upload.batch_no, "results": [_result(entry) for entry in entries]}

        async with self.kit.database.transaction() as tx:
            await use_nonce(tx, terminal.header, now)
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _write_off(
        self, tx: Tx, terminal: SignedTerminal, items: Sequence[Asked], now: datetime
    ) -> list[_Entry]:
        entries = [
            _Entry(asked, self.writeoffs.presented(asked.voucher), _fault(asked, now)) for asked in items
        ]
        # As they were used, whatever the order in which they come: the till's own times decide.
        sound = sorted(
            (place for place, entry in enumerate(entries) if entry.word is None),
            key=lambda place: (storable(entries[place].asked.used_at) or now, place),
        )
        limits = await store.day_limits(tx, terminal.institution_id)
        if limits:
            await store.lock_terminal(tx, terminal.id)
        for turn in rules.rounds([_keys(entries[place]) for place in sound]):
            upload = _Turn(tx, terminal, entries, now)
            places = [sound[position] for position in turn]
            # What was let in may be refused for another reason: then there is room for more.
            while places:
                found = await upload.sort_out(places, limits)
                await upload.judge([place for place in places if place in found.fit | found.over], found.over)
                places = [place for place in places if place not in found.fit | found.over]
        return entries

    async def _open_cases(
        self, tx: Tx, terminal: SignedTerminal, entries: Sequence[_Entry], now: datetime
    ) -> None:
        """A voucher that was used elsewhere meanwhile is for staff to look at."""
        conflicts = [
            entry for entry in entries if entry.presented and rules.result_of(entry.word or "") == "conflict"
        ]
        if not conflicts:
            return
        addresses = [
            (entry.presented.bucket, entry.presented.code_hash) for entry in conflicts if entry.presented
        ]
        found = await store.holdings(tx, addresses)
        await open_cases(
            tx, [_case(terminal, conflicts[holding.place - 1].asked, holding) for holding in found], now
        )

    async def close_day(self, terminal: SignedTerminal, day: date, *, count: int, applied_fen: int) -> Day:
        """Compares a till's totals of a day with the platform's, live write-offs only.

        Raises:
            InvalidRequest: a day that no till can have had.
            Replayed.
        """
        if not rules.FIRST_DAY <= day <= rules.LAST_DAY:
            raise InvalidRequest(faults=(Fault("body.date", "is out of range", "date_range"),))
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            await use_nonce(tx, terminal.header, now)
            await mark_seen(tx, terminal.id, now)
            lines = await store.live_lines(
                tx, institution_id=terminal.institution_id, terminal_id=terminal.id, day=day
            )
        ours = (len(lines), sum(line.applied_fen for line in lines))
        matched = ours == (count, applied_fen)
        operators = operator_totals((line.operator, line.applied_fen) for line in lines)
        return Day(matched, ours[0], ours[1], None if matched else lines, operators)


def _fault(asked: Asked, now: datetime) -> str | None:
    fault = rules.item_fault(request_no=asked.request_no, bill_fen=asked.bill_fen, bill_fen_max=BILL_FEN_MAX)
    if fault is None and time_fault(asked.used_at, now) == IN_FUTURE:
        return IN_FUTURE
    return fault


def _keys(entry: _Entry) -> set[Hashable]:
    """What no two items that are judged together may share."""
    presented = entry.presented
    voucher = () if presented is None else ((presented.bucket, presented.code_hash),)
    return {entry.asked.request_no, *voucher}


@dataclass(frozen=True, slots=True)
class _Turn:
    """Items of an upload whose numbers and vouchers differ; the entries become what was found."""

    tx: Tx
    terminal: SignedTerminal
    entries: list[_Entry]
    now: datetime

    async def sort_out(self, places: Sequence[int], limits: Mapping[UUID, rules.DayLimit]) -> rules.Sorted:
        """Which of these, in the order of use, fit into their days as the terminal's uploads are now."""
        shown = [
            store.Shown(
                place,
                entry.presented.bucket,
                entry.presented.code_hash,
                entry.asked.bill_fen,
                self._used_at(entry),
            )
            for place, entry in ((place, self.entries[place]) for place in places)
            if entry.presented is not None and limits
        ]
        if not shown:
            return rules.Sorted(frozenset(places), frozenset())
        taken = await store.taken(
            self.tx,
            institution_id=self.terminal.institution_id,
            terminal_id=self.terminal.id,
            campaigns=list(limits),
            first=min(one.at for one in shown),
            last=max(one.at for one in shown),
        )
        found = {one.place: one for one in await store.stakes(self.tx, shown, list(limits))}
        stakes = [found[place] for place in places if place in found]
        decided = rules.sort_out(stakes, limits, taken)
        unlimited = frozenset(place for place in places if place not in found)
        return rules.Sorted(decided.fit | unlimited, decided.over)

    def _used_at(self, entry: _Entry) -> datetime:
        """What a clock that is ahead tells counts as now, as in the write-off."""
        return min(storable(entry.asked.used_at) or self.now, self.now)

    async def judge(self, places: Sequence[int], over: Collection[int]) -> None:
        """Writes them off; those that are `over` their day's limit are refused, except for repetitions."""
        items = [
            _item(self.terminal, self.entries[place], self.now, rules.OVER_LIMIT if place in over else None)
            for place in places
        ]
        outcomes = await writeoff_store.redeem_within(self.tx, items, source="batch", now=self.now)
        for place, outcome in zip(places, outcomes, strict=True):
            self.entries[place] = _judged(self.entries[place], outcome)


def _item(
    terminal: SignedTerminal, entry: _Entry, now: datetime, refused: str | None
) -> writeoff_store.WriteOff:
    word = time_fault(entry.asked.used_at, now) or refused
    return written_off(terminal, entry.asked, entry.presented, word=word, again=False)


def _judged(entry: _Entry, outcome: writeoff_store.Outcome) -> _Entry:
    redeemed = redeemed_of(entry.asked.request_no, outcome)
    return _Entry(entry.asked, entry.presented, outcome.word, None if redeemed is None else redeemed.id)


def _result(entry: _Entry) -> dict[str, Any]:
    word = entry.word or ""
    outcome = rules.result_of(word)
    return {
        "request_no": entry.asked.request_no,
        "outcome": outcome,
        "reason": word if outcome in ("conflict", "refused") else None,
        "redemption_id": None if entry.redemption is None else str(entry.redemption),
    }


def _case(terminal: SignedTerminal, asked: Asked, holding: store.Holding) -> Case:
    used_by: dict[str, Any] | None = None
    if (
        holding.redemption_bucket is not None
        and holding.redemption_id is not None
        and holding.redeemed_at is not None
    ):
        used_by = {
            "redemption_id": str(HotId(holding.redemption_bucket, holding.redemption_id)),
            "institution_id": holding.institution_id,
            "redeemed_at": rfc3339(holding.redeemed_at),
        }
    return Case(
        kind=_CONFLICT,
        reference=f"{terminal.id}/{asked.request_no}",
        campaign_id=holding.campaign_id,
        institution_id=terminal.institution_id,
        terminal_id=terminal.id,
        evidence={
            "voucher_id": str(HotId(holding.voucher_bucket, holding.voucher_id)),
            "request_no": asked.request_no,
            "used_at": None if asked.used_at is None else rfc3339(asked.used_at),
            "used_by": used_by,
        },
    )
