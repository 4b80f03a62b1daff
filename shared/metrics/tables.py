from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class TallyDeltaRow(Base):
    """What one committed batch added to the figures. A job folds the rows into core.tally.

    A figure is always tally + deltas read in one statement, so it is exact at every instant, while
    the hot transaction only ever appends. `amounts_fen` is per payer, in the campaign's order.
    """

    __tablename__ = "tally_delta"
    __table_args__ = ({"schema": "core"},)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    scope_id: Mapped[UUID] = mapped_column(comment="campaign or programme")
    day: Mapped[date]
    measure: Mapped[str]
    dim: Mapped[str] = mapped_column(server_default=text("''"))
    dim2: Mapped[str] = mapped_column(server_default=text("''"))
    n: Mapped[int]
    amounts_fen: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))


class TallyRow(Base):
    __tablename__ = "tally"
    __table_args__ = ({"schema": "core", "postgresql_with": {"fillfactor": "70"}},)

    scope_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    measure: Mapped[str] = mapped_column(primary_key=True)
    dim: Mapped[str] = mapped_column(primary_key=True)
    dim2: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]
    amounts_fen: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
