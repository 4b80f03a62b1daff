from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, Date
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class OpeningRow(Base):
    """A device that opened a campaign on a day. Forgotten after the day.

    Its hash is keyed and has day and campaign in it: nobody can be followed from one to the next.
    """

    __tablename__ = "opening"
    __table_args__ = (
        CheckConstraint("octet_length(device_hash) = 16", name="device_hash_keyed"),
        {"schema": "issuance"},
    )

    campaign_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    device_hash: Mapped[bytes] = mapped_column(primary_key=True)
