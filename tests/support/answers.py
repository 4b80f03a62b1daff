"""Builders of many answered attempts. They write rows and figures as the quiz would, a whole day at once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from sqlalchemy import insert, text

from services.issuance.lottery.tables import DrawRow
from services.issuance.quiz.tables import AttemptRow, ParticipantRow
from shared.clock import local_day
from shared.ids import BUCKETS, new_id
from shared.kit import Kit
from shared.metrics import store as metrics
from tests.support.campaigns import Published

_RULE = text("SELECT id, pass_score FROM issuance.quiz_rule WHERE phase_id = :phase LIMIT 1")
_ODDS_PPM = text("SELECT odds_ppm FROM issuance.odds_version WHERE id = :id")
_ODDS = text("SELECT id FROM issuance.odds_version WHERE phase_id = :phase LIMIT 1")
ZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class People:
    """How they answer: `ease` of each question (a logit), and how much they differ."""

    ease: Sequence[float]
    spread: float = 1.0
    wrong: str = "B"

    def answer(
        self, rng: np.random.Generator, count: int, asked: int
    ) -> tuple[list[list[int]], list[list[bool]]]:
        """Places of the questions that each of them gets, and whether each is answered right."""
        places = np.argsort(rng.random((count, len(self.ease))), axis=1)[:, :asked]
        ability = rng.normal(0, self.spread, (count, 1))
        right = rng.random((count, asked)) < 1 / (1 + np.exp(-(ability + np.asarray(self.ease)[places])))
        return places.tolist(), right.tolist()


async def answer_quiz(
    kit: Kit,
    campaign: Published,
    bank: Sequence[int],
    people: People,
    count: int,
    *,
    asked: int = 5,
    days_ago: int = 0,
    seed: int = 1,
) -> int:
    """Attempts of as many persons in phase 1, answered so many days ago; returns how many passed."""
    places, marks = people.answer(np.random.default_rng([seed, days_ago]), count, asked)
    moment = kit.clock.now() - timedelta(days=days_ago)
    day = local_day(moment, ZONE)
    async with kit.database.transaction() as tx:
        rule_id, pass_score = (await tx.execute(_RULE, {"phase": campaign.phases[0]})).one()
        rows = []
        for place, (chosen, right) in enumerate(zip(places, marks, strict=True)):
            score = 100 * sum(right) // asked
            rows.append(
                {
                    "bucket": place % BUCKETS,
                    "id": new_id(),
                    "campaign_id": campaign.id,
                    "phase_id": campaign.phases[0],
                    "person_id": new_id(),
                    "rule_id": rule_id,
                    "day": day,
                    "day_no": 1,
                    "question_ids": [bank[number] for number in chosen],
                    "option_orders": ["ABCD"] * asked,
                    "state": "answered",
                    "started_at": moment,
                    "expires_at": moment + timedelta(minutes=5),
                    "answered_at": moment,
                    "answers": ["A" if good else people.wrong for good in right],
                    "correct": right,
                    "score": score,
                    "passed": score >= pass_score,
                    "chances_granted": int(score >= pass_score),
                }
            )
        await tx.execute(insert(AttemptRow), rows)
        await tx.execute(
            insert(ParticipantRow),
            [{key: row[key] for key in ("bucket", "campaign_id", "person_id")} for row in rows],
        )
        outcomes = Counter("passed" if row["passed"] else "failed" for row in rows)
        for outcome, number in outcomes.items():
            await metrics.add(tx, campaign.id, day, "attempt", dim=outcome, n=number)
        await metrics.add(tx, campaign.id, day, "participant", n=count)
        await metrics.add(tx, campaign.id, day, "chance", dim="quiz", n=outcomes["passed"])
    return outcomes["passed"]


async def record_draws(
    kit: Kit, campaign: Published, *, won: int, lost: int, channel: str = "quiz", figures: bool = True
) -> None:
    """Draws at the odds of phase 1 as published, whatever they should have brought."""
    now = kit.clock.now()
    async with kit.database.transaction() as tx:
        odds_id = (await tx.execute(_ODDS, {"phase": campaign.phases[0]})).scalar_one()
        day = local_day(now, ZONE)
        rows = [
            {
                "bucket": place % BUCKETS,
                "id": new_id(),
                "campaign_id": campaign.id,
                "phase_id": campaign.phases[0],
                "person_id": new_id(),
                "chance_id": new_id(),
                "channel": channel,
                "client_seed": "",
                "odds_version_id": odds_id,
                "value": bytes(32),
                "won": place < won,
                "drawn_at": now,
                "day": day,
                "day_no": 1,
            }
            for place in range(won + lost)
        ]
        await tx.execute(insert(DrawRow), rows)
        if figures:
            await metrics.add(tx, campaign.id, day, "draw", dim="won", dim2=channel, n=won)
            await metrics.add(tx, campaign.id, day, "draw", dim="lost", dim2=channel, n=lost)
            odds = str((await tx.execute(_ODDS_PPM, {"id": odds_id})).scalar_one())
            await metrics.add(tx, campaign.id, day, "draw_at_odds", dim=odds, dim2=channel, n=won + lost)
