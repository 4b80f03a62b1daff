"""What makes a win suspicious in a campaign, where its people were seen, and the wins that were held."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class RiskRuleRow(Base):
    """When a win of this campaign is held for a look; no row: never. NULL: that signal is not looked at.

    `note_claims`: it is noted where its awards are claimed, for the signals of redemption.
    """

    __tablename__ = "risk_rule"
    __table_args__ = (
        CheckConstraint(
            "persons_per_device > 0 AND persons_per_address_per_day > 0 AND seconds_per_question_below > 0"
            " AND wins_per_device > 0",
            name="limits_positive",
        ),
        {"schema": "issuance"},
    )

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    persons_per_device: Mapped[int | None]
    persons_per_address_per_day: Mapped[int | None]
    seconds_per_question_below: Mapped[int | None]
    wins_per_device: Mapped[int | None]
    note_claims: Mapped[bool] = mapped_column(server_default=text("false"))


class SightingRow(Base):
    """That a person took part from a device, or on a day from an address. Forgotten after some days.

    `key_hash` is keyed, an address's with its day besides: nobody can be followed from day to day by it.
    """

    __tablename__ = "sighting"
    __table_args__ = (
        CheckConstraint("kind IN ('device', 'address')", name="known_kind"),
        Index("ix_sighting_person", "bucket", "person_id", "campaign_id"),
        Index("ix_sighting_seen_on", "seen_on"),
        {"schema": "issuance"},
    )

    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    key_hash: Mapped[bytes] = mapped_column(primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    person_id: Mapped[UUID] = mapped_column(primary_key=True)
    seen_on: Mapped[date] = mapped_column(Date, comment="the last day, of an address the only one")


class AwardHoldRow(Base):
    """A win that somebody has to look at, with what made it suspicious. One each, decided once."""

    __tablename__ = "award_hold"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'released', 'rejected')", name="known_state"),
        CheckConstraint(
            "(state = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)"
            " AND (decided_at IS NULL) = (note IS NULL)",
            name="decided_by_somebody_with_a_reason",
        ),
        Index("ix_award_hold_state", "state", "held_at", "award_id"),
        Index("ix_award_hold_open", "campaign_id", postgresql_where=text("state = 'open'")),
        {"schema": "issuance"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    award_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    evidence: Mapped[list[Any]] = mapped_column(comment='[{"signal": …, "observed": n, "limit": n}]')
    held_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default=text("'open'"))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    note: Mapped[str | None]
