"""The forecast of a phase: read what is known in one snapshot, then compute beside the event loop."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.issuance.campaigns import store as campaigns
from services.issuance.planning import store
from services.issuance.planning.errors import ParticipationUnknown
from services.issuance.planning.rules import (
    SPENT_SHARE,
    Observed,
    PhaseDays,
    Scenario,
    Solver,
    TypePlan,
    observed_participation,
    plan_begins,
    simulate,
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
from shared.estimates import (
    UNKNOWN_SHARE,
    Share,
    dispersion,
    entered_trend,
    observed_share,
    share_with_deviation,
)
from shared.kit import Kit
from shared.rates import from_ppm, rate_text, to_ppm
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef, VoucherType

# An entered pass rate is meant as it stands: worth so many attempts, it has next to no band.
_ENTERED_EVIDENCE = 1e7
# Without any choice observed, types are chosen in proportion to their stock, and that counts for little.
_WEIGHT_MIN = 1e-3


@dataclass(frozen=True, slots=True)
class _Known:
    """Everything that was read for one forecast. `waiting` are open awards, of this phase and of all."""

    today: date
    timezone: str
    phases: list[campaigns.Phase]
    phase: campaigns.Phase
    stock: dict[str, int]
    left_to_award: dict[int, int]
    waiting: int
    waiting_everywhere: int
    terms: campaigns.Terms
    chances_per_pass: int
    types: list[VoucherType]
    days: dict[date, store.Day]
    persons: int
    material: Material

    @property
    def windows(self) -> list[PhaseDays]:
        return [self.window(phase) for phase in self.phases]

    def window(self, phase: campaigns.Phase) -> PhaseDays:
        last = local_day(phase.closes_at - timedelta(microseconds=1), self.timezone)
        return PhaseDays(phase.seq, local_day(phase.opens_at, self.timezone), last)

    def total(self, of: Callable[[store.Day], int], *, within: Sequence[PhaseDays] | None = None) -> int:
        """Summed over all days, or over those of these phases."""
        return sum(
            of(day)
            for at, day in self.days.items()
            if within is None or any(window.includes(at) for window in within)
        )


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
    phase = _chosen(wanted, phases, types)
    left = await store.left_to_award(tx, campaign.id)
    stock = await campaigns.stock(tx, [campaign.id])
    days = await store.days(tx, campaign.id)
    answered = sum(day.attempts for day in days.values())
    held = await material(tx, campaign.id, wanted.drop_questions, answered=answered)
    if held.dropped and held.questions_left == 0:
        raise NoQuestionsLeft
    remaining = {entry.voucher_type: entry.remaining for entry in stock if entry.phase_id == phase.id}
    return _Known(
        today=local_day(now, campaign.timezone),
        timezone=campaign.timezone,
        phases=phases,
        phase=phase,
        stock=remaining,
        left_to_award={each.seq: left.get(each.id, 0) for each in phases},
        waiting=sum(remaining.values()) - left.get(phase.id, 0),
        waiting_everywhere=sum(entry.remaining for entry in stock) - sum(left.values()),
        terms=await campaigns.terms(tx, campaign.id),
        chances_per_pass=sum(
            channel.chances for channel in await campaigns.channels(tx, campaign.id) if channel.key == "quiz"
        ),
        types=types,
        days=days,
        persons=await store.persons(tx, campaign.id, attempts=answered),
        material=held,
    )


def _chosen(
    wanted: ForecastBody, phases: Sequence[campaigns.Phase], types: Sequence[VoucherType]
) -> campaigns.Phase:
    """Raises InvalidRequest: a phase or a voucher type that is not the campaign's."""
    phase = next((phase for phase in phases if phase.seq == wanted.phase), None)
    known = {entry.key for entry in types}
    faults = [
        Fault(f"body.release_per_day.{key}", "活动没有这种消费券", "voucher_type_unknown")
        for key in wanted.release_per_day
        if key not in known
    ]
    if phase is None:
        faults.insert(0, Fault("body.phase", "活动没有这一期", "phase_unknown"))
    if phase is None or faults:
        raise InvalidRequest(faults=tuple(faults))
    return phase


def _forecast(known: _Known, wanted: ForecastBody) -> Forecast:
    """Raises ParticipationUnknown."""
    window = known.window(known.phase)
    attempts = {day: counts.attempts for day, counts in known.days.items()}
    begins = plan_begins(window, known.today, attempts_today=attempts.get(known.today, 0))
    observed = observed_participation(attempts, known.windows, window, today=known.today, begins=begins)
    attempts_again = remarking(known.material)
    pass_score = known.phase.quiz.pass_score if wanted.pass_score is None else wanted.pass_score
    effect = attempts_again.effect(pass_score) if attempts_again else None
    scenario = _scenario(known, wanted, observed, _pass_share(known, wanted, observed, effect))
    odds_ppm = known.phase.odds_ppm if wanted.odds is None else to_ppm(wanted.odds)
    budget_fen = scenario.stock_fen if wanted.budget_fen is None else wanted.budget_fen
    target_fen = int(SPENT_SHARE * budget_fen)

    solver = Solver(scenario, target_fen=target_fen, seed=wanted.seed)
    spending_odds = solver.odds() if target_fen else None
    spending_score = None
    if target_fen and attempts_again and wanted.pass_rate is None:
        rates = _rates(attempts_again, known, wanted, observed)
        spending_score = solver.pass_score(odds_ppm, _scores(known.phase.quiz.questions), rates)
    outcome = simulate(scenario, odds_ppm, runs=wanted.runs, seed=wanted.seed)
    return Forecast(
        phase=wanted.phase,
        first_day=begins.isoformat(),
        days=wanted.days,
        runs=wanted.runs,
        odds=rate_text(from_ppm(odds_ppm)),
        pass_score=pass_score,
        basis=_basis(known, wanted, observed, effect),
        so_far=_so_far(known, window),
        pass_rate=RateFigure.of(scenario.pass_rate, wanted.seed),
        budget_fen=budget_fen,
        odds_to_spend_budget=None if spending_odds is None else rate_text(from_ppm(spending_odds)),
        pass_score_to_spend_budget=spending_score,
        **told(outcome, begins),
    )


def _rates(
    attempts_again: Remarking, known: _Known, wanted: ForecastBody, observed: Observed | None
) -> Callable[[int], Share]:
    """What the pass rate would be under other pass scores."""
    return lambda score: _pass_share(known, wanted, observed, attempts_again.effect(score))


def _scores(questions: int) -> list[int]:
    """The scores that an attempt can reach, rising."""
    return sorted({SCORE_MAX * right // questions for right in range(questions + 1)})


def _pass_share(
    known: _Known, wanted: ForecastBody, observed: Observed | None, effect: Effect | None
) -> Share:
    """What is known of the pass rate. Days that differ by more than chance make it less sure."""
    if wanted.pass_rate is not None:
        return observed_share(float(wanted.pass_rate) * _ENTERED_EVIDENCE, _ENTERED_EVIDENCE)
    if effect is None:
        return UNKNOWN_SHARE
    days = [day for at, day in known.days.items() if observed is None or observed.phase.includes(at)]
    spread = dispersion([day.passed for day in days], [day.attempts for day in days])
    return share_with_deviation(
        effect.after.estimate, effect.deviation * math.sqrt(spread), int(effect.attempts / spread)
    )


def _scenario(known: _Known, wanted: ForecastBody, observed: Observed | None, pass_rate: Share) -> Scenario:
    """Raises ParticipationUnknown: nobody has taken part, and nothing was entered."""
    if wanted.daily_attempts is not None:
        entered = wanted.daily_attempts
        participation = entered_trend([entered] if isinstance(entered, int) else entered)
    elif observed is not None:
        participation = observed.trend
    else:
        raise ParticipationUnknown
    attempts = known.total(lambda day: day.attempts)
    here = [known.window(known.phase)]
    persons_per_attempt = known.persons / attempts if attempts else 0.0
    return Scenario(
        days=wanted.days,
        participation=participation,
        pass_rate=pass_rate,
        chances_per_pass=known.chances_per_pass,
        other_chances=known.total(lambda day: day.other_chances) if attempts else 0,
        other_chances_attempts=attempts,
        drawn=_drawn(known),
        claimed=_claimed(known),
        types=_types(known, wanted),
        left_to_award=known.left_to_award[known.phase.seq],
        open_awards=known.waiting,
        award_valid_days=known.terms.award_valid_days,
        participants_per_attempt=known.total(lambda day: day.participants) / max(attempts, 1),
        draws_per_day=known.terms.draws_per_day,
        persons_per_attempt=persons_per_attempt,
        vouchers_per_person=known.terms.vouchers_per_phase,
        won_before=known.total(lambda day: day.wins, within=here),
        persons_before=known.total(lambda day: day.attempts, within=here) * persons_per_attempt,
    )


def _drawn(known: _Known) -> Share | None:
    """The share of chances that are drawn. Where awards ran out chances were left over: that says nothing."""
    telling = [window for window in known.windows if known.left_to_award[window.seq]]
    draws = known.total(lambda day: day.draws, within=telling)
    chances = known.total(lambda day: day.chances, within=telling)
    return observed_share(draws, chances) if draws and chances else None


def _claimed(known: _Known) -> Share | None:
    """The share of awards that are claimed, of those that are not still waiting."""
    decided = known.total(lambda day: day.wins) - known.waiting_everywhere
    issued = known.total(lambda day: sum(day.issued.values()))
    return observed_share(issued, decided) if decided > 0 else None


def _types(known: _Known, wanted: ForecastBody) -> tuple[TypePlan, ...]:
    stock = sum(known.stock.values())
    issued: Counter[str] = Counter()
    for day in known.days.values():
        issued.update(day.issued)
    return tuple(
        TypePlan(
            key=entry.key,
            price_fen=entry.amount_fen,
            stock=known.stock.get(entry.key, 0),
            weight=issued[entry.key]
            + max(len(known.types) * known.stock.get(entry.key, 0) / max(stock, 1), _WEIGHT_MIN),
            release_per_day=wanted.release_per_day.get(entry.key),
        )
        for entry in known.types
    )


def _basis(known: _Known, wanted: ForecastBody, observed: Observed | None, effect: Effect | None) -> Basis:
    used = observed if wanted.daily_attempts is None else None
    found = "unknown" if effect is None else "observed"
    return Basis(
        participation="observed" if used else "entered",
        observed_phase=used.phase.seq if used else None,
        observed_days=used.days if used else 0,
        pass_rate=found if wanted.pass_rate is None else "entered",
        rescored=None if effect is None else rescored_view(effect),
        choice_of_type=known.total(lambda day: sum(day.issued.values())),
    )


def _so_far(known: _Known, window: PhaseDays) -> SoFar:
    return SoFar(
        attempts=known.total(lambda day: day.attempts, within=[window]),
        passes=known.total(lambda day: day.passed, within=[window]),
        draws=known.total(lambda day: day.draws, within=[window]),
        wins=known.total(lambda day: day.wins, within=[window]),
        money_fen=known.total(lambda day: day.money_fen, within=[window]),
    )
