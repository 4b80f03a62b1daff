"""Bases for shares beside the visits: residents served, beds, whatever a bureau counts."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Numeric
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base


class BasisRow(Base):
    """A basis by the name that the bureau gave it. Its values change; a version of the quotas keeps them."""

    __tablename__ = "basis"
    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 40 AND name <> 'visits'", name="named"),
        {"schema": "quota"},
    )

    programme_id: Mapped[UUID] = mapped_column(ForeignKey("quota.programme.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    updated_at: Mapped[datetime]


class BasisValueRow(Base):
    """A hospital's figure of a basis."""

    __tablename__ = "basis_value"
    __table_args__ = (
        ForeignKeyConstraint(["programme_id", "basis"], ["quota.basis.programme_id", "quota.basis.name"]),
        CheckConstraint("value >= 0", name="value_not_negative"),
        {"schema": "quota"},
    )

    programme_id: Mapped[UUID] = mapped_column(primary_key=True)
    basis: Mapped[str] = mapped_column(primary_key=True)
    hospital_id: Mapped[str] = mapped_column(ForeignKey("quota.hospital.id"), primary_key=True)
    value: Mapped[Decimal] = mapped_column(Numeric(), comment="at most six decimals")
    updated_at: Mapped[datetime]
