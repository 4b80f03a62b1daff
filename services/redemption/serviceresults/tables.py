from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class ServiceResultRow(Base):
    """The result of a directed service, on its way to the health code. It lies with its write-off.

    `waiting`: no platform is set up; `due`: a job carries it; `delivered`; `undeliverable`: its holder is
    forgotten, so there is nobody to report about. What it says is kept, sealed, while it may still go out.
    """

    __tablename__ = "service_result"
    __table_args__ = (
        ForeignKeyConstraint(
            ["bucket", "redemption_id"], ["redemption.redemption.bucket", "redemption.redemption.id"]
        ),
        CheckConstraint("status IN ('waiting', 'due', 'delivered', 'undeliverable')", name="known_status"),
        CheckConstraint(
            "(status IN ('waiting', 'due')) = (content_sealed IS NOT NULL)", name="content_while_it_may_go"
        ),
        CheckConstraint("(status = 'delivered') = (delivered_at IS NOT NULL)", name="delivered_at"),
        Index(
            "ix_service_result_open",
            "reported_at",
            "redemption_id",
            postgresql_where=text("status <> 'delivered'"),
        ),
        {"schema": "redemption"},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    redemption_id: Mapped[UUID] = mapped_column(primary_key=True)
    campaign_id: Mapped[UUID]
    institution_id: Mapped[str]
    terminal_id: Mapped[str]
    content_sealed: Mapped[bytes | None]
    status: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default=text("0"), comment="deliveries that were tried")
    reported_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
