"""Builders of campaigns: published through issuance's own operations, by two staff members."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from services.issuance.campaigns import store
from services.issuance.campaigns.schemas import Definition
from services.issuance.wiring import build
from shared.clock import ManualClock, rfc3339
from shared.identity.staff import Role
from shared.kit import Kit
from shared.vouchers import catalogue
from tests.support.people import staff_member

_numbers = count(1)

# Prices in fen by voucher type; a test names only those whose stock it cares about.
PRICES = {"checkup": 30_000, "fitness": 5_000, "general_50": 5_000, "general_100": 10_000}
STOCK = {"checkup": 10, "fitness": 20, "general_50": 50, "general_100": 20}
QUIZ = {"questions": 5, "pass_score": 60, "attempts_per_day": 3, "time_limit_seconds": 300}
LIMITS = {"vouchers_per_phase": 2, "draws_per_day": 5}
OPENS_IN = timedelta(hours=1)
LASTS = timedelta(days=10)
PAUSE_BETWEEN = timedelta(hours=11)


@dataclass(frozen=True, slots=True)
class Published:
    """`phases[0]` is the id of phase 1."""

    id: UUID
    slug: str
    phases: tuple[UUID, ...]
    opens_at: datetime
    closes_at: datetime


def _voucher_type(key: str, price_fen: int) -> dict[str, Any]:
    general = key.startswith("general")
    return {
        "key": key,
        "kind": "general" if general else "directed",
        "name": f"{key}券",
        "face_value_fen" if general else "settlement_price_fen": price_fen,
        "validity_days": 60,
    }


def definition(
    now: datetime,
    *,
    slug: str | None = None,
    odds: object = "0.2",
    stock: Mapping[str, int] | None = None,
    quiz: Mapping[str, Any] | None = None,
    limits: Mapping[str, int] | None = None,
    phases: int = 1,
    opens_in: timedelta = OPENS_IN,
    lasts: timedelta = LASTS,
    every_phase: Mapping[str, Any] | None = None,
    **parts: Any,  # noqa: ANN401 - any part of a definition
) -> dict[str, Any]:
    """A sound definition as JSON; `parts` replaces whole parts of it."""
    phase = {
        "odds": odds,
        "quiz": QUIZ | dict(quiz or {}),
        "stock": dict(STOCK if stock is None else stock),
        **(every_phase or {}),
    }
    opening = [now + opens_in + number * (lasts + PAUSE_BETWEEN) for number in range(phases)]
    return {
        "slug": slug or f"campaign-{next(_numbers)}",
        "title": "全民健康消费券测试活动",
        "timezone": "Asia/Shanghai",
        "budget_fen": 1_000_000_000,
        "funding_sources": [
            {"key": "treasury", "name": "州本级财政", "share": "0.40"},
            {"key": "institutions", "name": "服务机构", "share": "0.35"},
            {"key": "insurance", "name": "医保资金", "share": "0.25"},
        ],
        "channels": [
            {"key": "quiz", "name": "网上答题", "chances": 1},
            {"key": "event", "name": "线下活动", "chances": 1, "per_day": 1},
        ],
        "voucher_types": [_voucher_type(key, price_fen) for key, price_fen in PRICES.items()],
        "phases": [
            deepcopy(phase)
            | {"seq": seq, "opens_at": rfc3339(opens_at), "closes_at": rfc3339(opens_at + lasts)}
            for seq, opens_at in enumerate(opening, start=1)
        ],
        "per_person_limits": LIMITS | dict(limits or {}),
        "award_valid_days": 3,
    } | parts


async def publish_campaign(kit: Kit, **parts: Any) -> Published:  # noqa: ANN401 - any part of a definition
    """Proposes and approves `definition(now, **parts)`; phase 1 opens an hour from now unless told."""
    wiring = build(kit)
    proposed = Definition.model_validate(definition(kit.clock.now(), **parts))
    proposer = await staff_member(kit, Role.OPERATOR)
    approver = await staff_member(kit, Role.OPERATOR)
    answer = await wiring.campaigns.propose(proposer, proposed, None)
    await wiring.approvals.approve(approver, UUID(answer.body["change_id"]))
    async with kit.database.snapshot() as tx:
        campaign = await catalogue.campaign_by_slug(tx, proposed.slug)
        phases: Sequence[store.Phase] = await store.phases(tx, [campaign.id], kit.clock.now())
    return Published(
        id=campaign.id,
        slug=campaign.slug,
        phases=tuple(phase.id for phase in phases),
        opens_at=phases[0].opens_at,
        closes_at=phases[-1].closes_at,
    )


async def open_campaign(kit: Kit, clock: ManualClock, **parts: Any) -> Published:  # noqa: ANN401 - any part of a definition
    """The same, and moves the clock a second past the opening of phase 1."""
    campaign = await publish_campaign(kit, **parts)
    clock.set(campaign.opens_at + timedelta(seconds=1))
    return campaign
