"""Allocate by other bases than visits, within bounds, alliances first, and from a month on.

What the code before it writes are versions by visits, without bounds, in force at once: as it means them.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

# A programme has a handful of versions, of some dozens of hospitals each.
_FEW_ROWS = "-- squawk-ignore constraint-missing-not-valid\n"
_CHECKS = (
    (
        "quota.allocation",
        "ck_allocation_month_by_its_first_day",
        "extract(day FROM effective_month) = 1",
    ),
    (
        "quota.allocation",
        "ck_allocation_scale_is_a_fraction",
        (
            "(scale_numerator IS NULL) = (scale_denominator IS NULL)"
            " AND scale_numerator >= 0 AND scale_denominator > 0"
        ),
    ),
    ("quota.allocation_item", "ck_allocation_item_basis_value_not_negative", "basis_value >= 0"),
)
_KINDS_BEFORE = "kind IN ('hospitals', 'card_events')"


def upgrade() -> None:
    _create_tables()
    _add_columns()
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quota.allocation_bound"
        " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
    )
    for table, name, condition in _CHECKS:
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
        op.execute(f"{_FEW_ROWS}ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    _replace_kinds(f"{_KINDS_BEFORE} OR starts_with(kind, 'basis:')")


def downgrade() -> None:
    # Files of bases mean nothing to the code before; versions stay as they were decided.
    op.execute("ALTER TABLE quota.imported_file DISABLE TRIGGER append_only")
    op.execute("DELETE FROM quota.imported_file WHERE starts_with(kind, 'basis:')")
    op.execute("ALTER TABLE quota.imported_file ENABLE TRIGGER append_only")
    _replace_kinds(_KINDS_BEFORE)
    op.drop_column("allocation_item", "basis_value", schema="quota")
    for column in ("scale_denominator", "scale_numerator", "nested", "effective_month", "basis"):
        op.drop_column("allocation", column, schema="quota")
    op.drop_table("allocation_bound", schema="quota")
    op.drop_table("basis_value", schema="quota")
    op.drop_table("basis", schema="quota")


def _create_tables() -> None:
    op.create_table(
        "basis",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 40 AND name <> 'visits'", name=op.f("ck_basis_named")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["quota.programme.id"], name=op.f("fk_basis_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("programme_id", "name", name=op.f("pk_basis")),
        schema="quota",
    )
    op.create_table(
        "basis_value",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False, comment="at most six decimals"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("value >= 0", name=op.f("ck_basis_value_value_not_negative")),
        sa.ForeignKeyConstraint(
            ["programme_id", "basis"],
            ["quota.basis.programme_id", "quota.basis.name"],
            name=op.f("fk_basis_value_programme_id_basis_basis"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["quota.hospital.id"], name=op.f("fk_basis_value_hospital_id_hospital")
        ),
        sa.PrimaryKeyConstraint("programme_id", "basis", "hospital_id", name=op.f("pk_basis_value")),
        schema="quota",
    )
    op.create_table(
        "allocation_bound",
        sa.Column("allocation_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("minimum", sa.BigInteger(), nullable=True),
        sa.Column("maximum", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "minimum IS NOT NULL OR maximum IS NOT NULL", name=op.f("ck_allocation_bound_bounds_something")
        ),
        sa.CheckConstraint(
            "minimum >= 0 AND maximum >= 0 AND minimum <= maximum", name=op.f("ck_allocation_bound_in_order")
        ),
        sa.ForeignKeyConstraint(
            ["allocation_id"],
            ["quota.allocation.id"],
            name=op.f("fk_allocation_bound_allocation_id_allocation"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["quota.hospital.id"], name=op.f("fk_allocation_bound_hospital_id_hospital")
        ),
        sa.PrimaryKeyConstraint("allocation_id", "hospital_id", name=op.f("pk_allocation_bound")),
        schema="quota",
    )


def _add_columns() -> None:
    for column in (
        sa.Column(
            "basis",
            sa.Text(),
            server_default=sa.text("'visits'"),
            nullable=False,
            comment="what the shares are of: visits, or an imported basis",
        ),
        sa.Column(
            "effective_month",
            sa.Date(),
            nullable=True,
            comment="NULL: in every month that is not frozen",
        ),
        sa.Column(
            "nested",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="cards went to alliances first: each lies within one card of its exact quota too",
        ),
        sa.Column(
            "scale_numerator",
            sa.Numeric(),
            nullable=True,
            comment="with bounds: what every quota between its bounds was multiplied by",
        ),
        sa.Column("scale_denominator", sa.Numeric(), nullable=True),
    ):
        op.add_column("allocation", column, schema="quota")
    op.add_column(
        "allocation_item",
        sa.Column(
            "basis_value", sa.Numeric(), nullable=True, comment="what its share is of; NULL: the visits"
        ),
        schema="quota",
    )


def _replace_kinds(kinds: str) -> None:
    op.execute(
        "-- One that is wider, or whose other kinds are gone, takes its place.\n"
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE quota.imported_file DROP CONSTRAINT ck_imported_file_known_kind"
    )
    name = "ck_imported_file_known_kind"
    op.execute(f"ALTER TABLE quota.imported_file ADD CONSTRAINT {name} CHECK ({kinds}) NOT VALID")
    op.execute(f"{_FEW_ROWS}ALTER TABLE quota.imported_file VALIDATE CONSTRAINT {name}")
