from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class RequestRow(Base):
    """A request number of a caller and operation: the one memory of what was already done.

    Hot operations point to the row they made (`result_bucket`, `result_id`); the others keep their
    sealed answer. A tombstone (`blocked`) refuses a number that was reversed before it arrived.
    """

    __tablename__ = "request"
    __table_args__ = (
        CheckConstraint("request_no ~ '^[0-9A-Za-z_-]{1,32}$'", name="request_no_form"),
        {"schema": "core", "postgresql_with": {"fillfactor": "85"}},
    )

    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    caller_id: Mapped[UUID] = mapped_column(primary_key=True)
    operation: Mapped[str] = mapped_column(primary_key=True)
    request_no: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    result_bucket: Mapped[int | None] = mapped_column(SmallInteger)
    result_id: Mapped[UUID | None]
    answer_sealed: Mapped[bytes | None]
    blocked: Mapped[bool] = mapped_column(server_default=text("false"))
    replays: Mapped[int] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime]
