"""Changes of odds, quiz rule and stock: proposed by one, in force when another approves.

A change adds a version; what was drawn, answered or issued under the one before stays as it was.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from services.issuance.campaigns import store as campaigns
from services.issuance.campaigns.schemas import QuizRule
from services.issuance.campaigns.store import QuizTerms
from services.issuance.changes import store
from services.issuance.changes.errors import BudgetExceeded, PhaseClosed, StockInUse
from services.issuance.changes.schemas import OddsChange, QuizRuleChange, StockChange
from services.issuance.changes.store import PhaseRef
from services.issuance.phases import store as phases
from services.issuance.terms import store as terms
from services.issuance.terms.rules import refuse_too_much
from shared import ledger
from shared.approvals import Applier, Change, propose
from shared.clock import local_day
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NoLongerFits, NotFound, Refusal
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.rates import from_ppm, parse_rate, rate_text, to_ppm
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef

ODDS, QUIZ_RULE, STOCK = "odds", "quiz_rule", "stock"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of a campaign as it is proposed; `before` is what it would replace."""

    kind: str
    slug: str
    body: dict[str, Any]
    before: dict[str, Any]
    reason: str


async def propose_change(
    kit: Kit,
    service: str,
    staff: Staff,
    key: RequestKey | None,
    ask: Callable[[Tx, datetime], Awaitable[Proposal]],
) -> Answer:
    """`ask` makes the proposal from the campaign as it is, and refuses what cannot be proposed."""
    now = kit.clock.now()

    async with kit.database.transaction() as tx:

        async def act() -> dict[str, Any]:
            proposal = await ask(tx, now)
            return await propose(
                tx,
                staff,
                service=service,
                kind=proposal.kind,
                target=proposal.slug,
                body=proposal.body,
                before=proposal.before,
                reason=proposal.reason,
                now=now,
            )

        return await once(tx, key, sealer=kit.keys.sealer, now=now, act=act)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is to be changed: a phase of a campaign, at this moment."""

    campaign: CampaignRef
    phase: PhaseRef
    seq: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Changes:
    kit: Kit
    service: str

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {ODDS: self._apply_odds, QUIZ_RULE: self._apply_quiz_rule, STOCK: self._apply_stock}

    async def propose_odds(
        self, staff: Staff, slug: str, seq: int, wanted: OddsChange, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, PhaseClosed."""

        async def before(tx: Tx, subject: Subject) -> dict[str, Any]:
            _refuse_closed(subject)
            current = await _current(tx, subject)
            return {"odds": rate_text(from_ppm(current.odds_ppm))}

        body = {"odds": rate_text(wanted.odds)}
        return await self._propose(
            staff, key, slug, seq, kind=ODDS, body=body, before=before, reason=wanted.reason
        )

    async def propose_quiz_rule(
        self, staff: Staff, slug: str, seq: int, wanted: QuizRuleChange, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, PhaseClosed."""

        async def before(tx: Tx, subject: Subject) -> dict[str, Any]:
            _refuse_closed(subject)
            current = await _current(tx, subject)
            return asdict(current.quiz)

        body = wanted.model_dump(mode="json", exclude={"reason", "request_no"})
        return await self._propose(
            staff, key, slug, seq, kind=QUIZ_RULE, body=body, before=before, reason=wanted.reason
        )

    async def propose_stock(
        self, staff: Staff, slug: str, seq: int, wanted: StockChange, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, PhaseClosed, BudgetExceeded, StockInUse, InvalidRequest (unknown type)."""

        async def before(tx: Tx, subject: Subject) -> dict[str, Any]:
            state = await _stock_that_fits(tx, subject, wanted.voucher_type, wanted.delta)
            return {"put_in": state.put_in, "remaining": state.remaining}

        body = {"voucher_type": wanted.voucher_type, "delta": wanted.delta}
        return await self._propose(
            staff, key, slug, seq, kind=STOCK, body=body, before=before, reason=wanted.reason
        )

    async def _propose(
        self,
        staff: Staff,
        key: RequestKey | None,
        slug: str,
        seq: int,
        *,
        kind: str,
        body: dict[str, Any],
        before: Callable[[Tx, Subject], Awaitable[dict[str, Any]]],
        reason: str,
    ) -> Answer:
        """`before` reads what the change would replace, and refuses what cannot be proposed."""

        async def ask(tx: Tx, now: datetime) -> Proposal:
            subject = await _subject(tx, slug, seq, now)
            return Proposal(kind, slug, {"phase": seq, **body}, await before(tx, subject), reason)

        return await propose_change(self.kit, self.service, staff, key, ask)

    async def _apply_odds(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits."""
        subject = await self._locked_subject(tx, change)
        odds_ppm = to_ppm(parse_rate(change.body["odds"]))
        start = await store.odds_start(tx, subject.phase.id, subject.now)
        await phases.insert_odds(
            tx, subject.phase.id, odds_ppm, change_id=change.id, effective_from=start, reason=change.reason
        )

    async def _apply_quiz_rule(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits. Attempts that have begun keep the rule they began under."""
        subject = await self._locked_subject(tx, change)
        rule = {name: value for name, value in change.body.items() if name != "phase"}
        quiz = QuizTerms(**QuizRule.model_validate(rule).model_dump())
        start = await store.quiz_rule_start(tx, subject.phase.id, subject.now)
        await phases.insert_quiz_rule(
            tx, subject.phase.id, quiz, change_id=change.id, effective_from=start, reason=change.reason
        )

    async def _apply_stock(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits. Locks the fund and all stock first: no two changes spend the budget twice."""
        campaign = await catalogue.campaign_by_slug(tx, change.target)
        await ledger.lock_fund(tx, campaign.id)
        pieces = Counter(await terms.lock_remaining(tx, campaign.id))
        subject = await _subject(tx, change.target, change.body["phase"], self.kit.clock.now())
        voucher_type, delta = change.body["voucher_type"], change.body["delta"]
        try:
            state = await _stock_that_fits(tx, subject, voucher_type, delta)
            if not await store.move_stock(tx, subject.phase.id, voucher_type, delta):
                raise StockInUse
            pieces[state.amount_fen] += delta
            if delta > 0 and not await ledger.cover(
                tx, campaign.id, cause_of(change, campaign, subject.now), pieces=pieces
            ):
                raise BudgetExceeded
        except Refusal as refusal:
            raise NoLongerFits(refusal.zh) from refusal
        await phases.insert_stock_move(
            tx,
            subject.phase.id,
            voucher_type,
            delta,
            change_id=change.id,
            at=subject.now,
            reason=change.reason,
        )

    async def _locked_subject(self, tx: Tx, change: Change) -> Subject:
        """Raises NoLongerFits when the phase closed meanwhile."""
        now = self.kit.clock.now()
        subject = await _subject(tx, change.target, change.body["phase"], now, lock=True)
        try:
            _refuse_closed(subject)
        except PhaseClosed as refusal:
            raise NoLongerFits(refusal.zh) from refusal
        return subject


def cause_of(change: Change, campaign: CampaignRef, now: datetime) -> ledger.Cause:
    """Whose change moves money, and when."""
    day = local_day(now, campaign.timezone)
    return ledger.Cause(change.id, f"change:{change.id}", change.reason, now, day)


async def _subject(tx: Tx, slug: str, seq: int, now: datetime, *, lock: bool = False) -> Subject:
    """Raises NotFound."""
    campaign = await catalogue.campaign_by_slug(tx, slug)
    phase = await store.phase(tx, campaign.id, seq, lock=lock)
    if phase is None:
        raise NotFound
    return Subject(campaign, phase, seq, now)


def _refuse_closed(subject: Subject) -> None:
    if subject.phase.closes_at <= subject.now:
        raise PhaseClosed


async def _current(tx: Tx, subject: Subject) -> campaigns.Phase:
    found = await campaigns.phases(tx, [subject.campaign.id], subject.now)
    return next(phase for phase in found if phase.seq == subject.seq)


async def _stock_that_fits(tx: Tx, subject: Subject, voucher_type: str, delta: int) -> store.StockState:
    """The stock as it is before the change.

    Stock may be taken out of a phase that is over, so that its budget is free for the next one.
    """
    state = await store.stock_state(tx, subject.campaign.id, subject.phase.id, voucher_type)
    if state is None:
        fault = Fault("body.voucher_type", "本活动没有该券种", "stock_type_unknown")
        raise InvalidRequest(faults=(fault,))
    if delta > 0:
        _refuse_closed(subject)
        fund = await ledger.fund_of(tx, subject.campaign.id)
        refuse_too_much(await terms.put_in(tx, subject.campaign.id), {voucher_type: delta}, fund.budget_fen)
    elif min(state.remaining, state.left_to_award) + delta < 0:
        raise StockInUse
    return state
