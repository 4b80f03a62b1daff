"""The forecast of a phase: read what is known in one snapshot, then compute beside the event loop."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.issuance.campaigns import store as campaigns
from services.issuance.outcomes.rules import SPENT_SHARE, Solver, simulate
from services.issuance.phases.rules import Release
from services.issuance.planning import store
from services.issuance.planning.errors import ParticipationUnknown
from services.issuance.planning.rules import (
    Assumed,
    Facts,
    Observed,
    PhaseDays,
    TypeFacts,
    observed_trend_of,
    scenario,
)
from services.issuance.planning.schemas import Basis, Forecast, ForecastBody, RateFigure, SoFar, told
from services.issuance.quiz.rules import SCORE_MAX
from services.issuance.rescoring.errors import NoQuestionsLeft
from services.issuance.rescoring.operations import Material, material, remarking, rescored_view
from services.issuance.rescoring.rules import Effect, Remarking
from shared.clock import local_day
from shared.computing import Computing
from shared.db import Tx
from shared.errors import Fault, InvalidRequest
from shared.estimates import UNKNOWN_SHARE, Share, dispersion, observed_share, share_with_deviation
from shared.kit import Kit
from shared.rates import from_ppm, rate_text, to_ppm
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef, VoucherType

# An entered pass rate is meant as it stands: worth so many attempts, it has next to no band.
_ENTERED_EVIDENCE = 1e7


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything that was read for one forecast."""

    facts: Facts
    odds_ppm: int
    quiz: campaigns.QuizTerms
    material: Material


class Planning:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._computing = Computing()

    async def forecast(self, slug: str, wanted: ForecastBody) -> Forecast:
        """Raises NotFound, InvalidRequest, NoQuestionsLeft, ParticipationUnknown, Busy."""
        now = self._kit.clock.now()
        async with self._kit.database.snapshot(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            known = await _read(tx, campaign, wanted, now)
        return await self._computing.run(_forecast, known, wanted)


async def _read(tx: Tx, campaign: CampaignRef, wanted: ForecastBody, now: datetime) -> _Known:
    """Raises InvalidRequest, NoQuestionsLeft."""
    phases = await campaigns.phases(tx, [campaign.id], now)
    types = await catalogue.voucher_types(tx, campaign.id)
    channels = await campaigns.channels(tx, campaign.id)
    phase = _chosen(wanted, phases, types, channels)
    left = await store.left_to_award(tx, campaign.id)
    stock = await campaigns.stock(tx, [campaign.id])
    days = await store.days(tx, campaign.id)
    terms = await campaigns.terms(tx, campaign.id)
    answered = sum(day.attempts for day in days.values())
    held = await material(tx, campaign.id, wanted.drop_questions, answered=answered)
    if held.dropped and held.questions_left == 0:
        raise NoQuestionsLeft
    remaining = sum(entry.remaining for entry in stock if entry.phase_id == phase.id)
    facts = Facts(
        timezone=campaign.timezone,
        today=local_day(now, campaign.timezone),
        phases=[_window(each, campaign.timezone) for each in phases],
        phase=_window(phase, campaign.timezone),
        days=days,
        types=_types(types, phase, [entry for entry in stock if entry.phase_id == phase.id]),
        ways=[channel.key for channel in channels],
        chances_per_pass=sum(channel.chances for channel in channels if channel.key == "quiz"),
        left_to_award={each.seq: left.get(each.id, 0) for each in phases},
        waiting=remaining - left.get(phase.id, 0),
        waiting_everywhere=sum(entry.remaining for entry in stock) - sum(left.values()),
        persons=await store.persons(tx, campaign.id, attempts=answered),
        award_valid_days=terms.award_valid_days,
        draws_per_day=terms.draws_per_day,
        draws_per_phase=terms.draws_per_phase,
        vouchers_per_phase=terms.vouchers_per_phase,
    )
    return _Known(facts, phase.odds_ppm, phase.quiz, held)


def _window(phase: campaigns.Phase, timezone: str) -> PhaseDays:
    last = local_day(phase.closes_at - timedelta(microseconds=1), timezone)
    return PhaseDays(phase.seq, local_day(phase.opens_at, timezone), last)


def _types(
    types: Sequence[VoucherType], phase: campaigns.Phase, stock: Sequence[campaigns.Stock]
) -> list[TypeFacts]:
    """All types of the campaign, with what this phase has of them."""
    held = {entry.voucher_type: entry for entry in stock}
    found: list[TypeFacts] = []
    for each in types:
        entry = held.get(each.key)
        if entry is None:
            found.append(TypeFacts(each.key, each.amount_fen, stock=0, issued=0))
            continue
        release = None
        if phase.release_seconds is not None and entry.release_amount is not None:
            release = Release(phase.opens_at, phase.closes_at, phase.release_seconds, entry.release_amount)
        found.append(TypeFacts(each.key, each.amount_fen, entry.remaining, entry.issued, release))
    return found


def _chosen(
    wanted: ForecastBody,
    phases: Sequence[campaigns.Phase],
    types: Sequence[VoucherType],
    channels: Sequence[campaigns.Channel],
) -> campaigns.Phase:
    """Raises InvalidRequest: a phase, a voucher type or a way that is not the campaign's."""
    phase = next((phase for phase in phases if phase.seq == wanted.phase), None)
    known, ways = {entry.key for entry in types}, {channel.key for channel in channels} - {"quiz"}
    faults = [
        Fault(f"body.release_per_day.{key}", "活动没有这种消费券", "voucher_type_unknown")
        for key in wanted.release_per_day
        if key not in known
    ]
    faults += [
        Fault(f"body.daily_chances.{key}", "活动没有这种参与方式", "channel_unknown")
        for key in wanted.daily_chances
        if key not in ways
    ]
    if phase is None:
        faults.insert(0, Fault("body.phase", "活动没有这一期", "phase_unknown"))
    if phase is None or faults:
        raise InvalidRequest(faults=tuple(faults))
    return phase


def _forecast(known: _Known, wanted: ForecastBody) -> Forecast:
    """Raises ParticipationUnknown."""
    facts = known.facts
    observed = observed_trend_of(facts, facts.attempts)
    attempts_again = remarking(known.material)
    pass_score = known.quiz.pass_score if wanted.pass_score is None else wanted.pass_score
    effect = attempts_again.effect(pass_score) if attempts_again else None
    plan = scenario(
        facts,
        _assumed(wanted),
        observed=observed,
        pass_rate=_pass_share(facts, wanted, observed, effect),
    )
    if plan is None:
        raise ParticipationUnknown
    odds_ppm = known.odds_ppm if wanted.odds is None else to_ppm(wanted.odds)
    budget_fen = plan.stock_fen if wanted.budget_fen is None else wanted.budget_fen
    target_fen = int(SPENT_SHARE * budget_fen)

    solver = Solver(plan, target_fen=target_fen, seed=wanted.seed)
    spending_odds = solver.odds() if target_fen else None
    spending_score = None
    if target_fen and attempts_again and wanted.pass_rate is None:
        rates = _rates(attempts_again, facts, wanted, observed)
        spending_score = solver.pass_score(odds_ppm, _scores(known.quiz.questions), rates)
    outcome = simulate(plan, odds_ppm, runs=wanted.runs, seed=wanted.seed)
    return Forecast(
        phase=wanted.phase,
        first_day=facts.begins.isoformat(),
        days=wanted.days,
        runs=wanted.runs,
        odds=rate_text(from_ppm(odds_ppm)),
        pass_score=pass_score,
        basis=_basis(facts, wanted, observed, effect),
        so_far=_so_far(facts),
        pass_rate=RateFigure.of(plan.pass_rate, wanted.seed),
        budget_fen=budget_fen,
        odds_to_spend_budget=None if spending_odds is None else rate_text(from_ppm(spending_odds)),
        pass_score_to_spend_budget=spending_score,
        **told(outcome, facts.begins),
    )


def _assumed(wanted: ForecastBody) -> Assumed:
    entered = wanted.daily_attempts
    return Assumed(
        days=wanted.days,
        daily_attempts=[entered] if isinstance(entered, int) else entered,
        daily_chances=wanted.daily_chances,
        release_per_day=wanted.release_per_day,
    )


def _rates(
    attempts_again: Remarking, facts: Facts, wanted: ForecastBody, observed: Observed | None
) -> Callable[[int], Share]:
    """What the pass rate would be under other pass scores."""
    return lambda score: _pass_share(facts, wanted, observed, attempts_again.effect(score))


def _scores(questions: int) -> list[int]:
    """The scores that an attempt can reach, rising."""
    return sorted({SCORE_MAX * right // questions for right in range(questions + 1)})


def _pass_share(
    facts: Facts, wanted: ForecastBody, observed: Observed | None, effect: Effect | None
) -> Share:
    """What is known of the pass rate. Days that differ by more than chance make it less sure."""
    if wanted.pass_rate is not None:
        return observed_share(float(wanted.pass_rate) * _ENTERED_EVIDENCE, _ENTERED_EVIDENCE)
    if effect is None:
        return UNKNOWN_SHARE
    days = [day for at, day in facts.days.items() if observed is None or observed.phase.includes(at)]
    spread = dispersion([day.passed for day in days], [day.attempts for day in days])
    return share_with_deviation(
        effect.after.estimate, effect.deviation * math.sqrt(spread), int(effect.attempts / spread)
    )


def _basis(facts: Facts, wanted: ForecastBody, observed: Observed | None, effect: Effect | None) -> Basis:
    used = observed if wanted.daily_attempts is None else None
    found = "unknown" if effect is None else "observed"
    return Basis(
        participation="observed" if wanted.daily_attempts is None else "entered",
        observed_phase=used.phase.seq if used else None,
        observed_days=used.days if used else 0,
        pass_rate=found if wanted.pass_rate is None else "entered",
        rescored=None if effect is None else rescored_view(effect),
        choice_of_type=facts.total(lambda day: sum(day.issued.values())),
    )


def _so_far(facts: Facts) -> SoFar:
    here = [facts.phase]
    return SoFar(
        attempts=facts.total(lambda day: day.attempts, within=here),
        passes=facts.total(lambda day: day.passed, within=here),
        draws=facts.total(lambda day: day.draws, within=here),
        wins=facts.total(lambda day: day.wins, within=here),
        money_fen=facts.total(lambda day: day.money_fen, within=here),
    )
