from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class VoucherOriginRow(Base):
    """From which device and address an award was claimed: the first try, never who or where that is."""

    __tablename__ = "voucher_origin"
    __table_args__ = (
        CheckConstraint("octet_length(device_hash) = 16", name="device_hash_keyed"),
        CheckConstraint("octet_length(address_hash) = 16", name="address_hash_keyed"),
        Index("ix_voucher_origin_person", "bucket", "person_id"),
        Index("ix_voucher_origin_device", "campaign_id", "device_hash"),
        Index("ix_voucher_origin_address", "campaign_id", "address_hash"),
        Index("ix_voucher_origin_claimed_on", "claimed_on"),
        {"schema": "core"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    source_id: Mapped[UUID] = mapped_column(primary_key=True, comment="the award, as of its voucher")
    campaign_id: Mapped[UUID]
    person_id: Mapped[UUID]
    device_hash: Mapped[bytes | None] = mapped_column(comment="keyed, per campaign; NULL: none was named")
    address_hash: Mapped[bytes | None] = mapped_column(comment="keyed, per campaign and day")
    claimed_on: Mapped[date] = mapped_column(Date, comment="day of the campaign's time zone")
