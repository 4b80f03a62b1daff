"""What the funnel of a large campaign came to."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class FunnelRow(Base):
    """A large campaign's funnel as a job counted it."""

    __tablename__ = "funnel"
    __table_args__ = ({"schema": "issuance"},)

    campaign_id: Mapped[UUID] = mapped_column(ForeignKey("core.campaign.id"), primary_key=True)
    as_of: Mapped[datetime]
    basis: Mapped[int] = mapped_column(comment="sum of the tallies then: unchanged, it still stands")
    told: Mapped[dict[str, Any]] = mapped_column(comment="the funnel as it is answered")
