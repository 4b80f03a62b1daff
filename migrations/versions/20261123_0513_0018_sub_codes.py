"""Give departments, channels and staff codes below their hospital, and count cards by code.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

# Cards that were counted before codes were stand under the empty code, so that codes add up to hospitals.
_COUNT_BEFORE = """
    INSERT INTO core.tally_delta (scope_id, day, measure, dim, n)
    SELECT programme_id, day, measure || '_code', hospital_id, sum(n)
    FROM quota.card_credit GROUP BY programme_id, day, measure, hospital_id HAVING sum(n) <> 0
"""


def upgrade() -> None:
    op.create_table(
        "sub_code",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('department', 'channel', 'staff')", name=op.f("ck_sub_code_known_kind")),
        sa.CheckConstraint(
            "(retired_at IS NULL) = (retired_reason IS NULL)", name=op.f("ck_sub_code_retired_with_reason")
        ),
        sa.CheckConstraint("length(label) BETWEEN 1 AND 40", name=op.f("ck_sub_code_label_length")),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["quota.hospital.id"], name=op.f("fk_sub_code_hospital_id_hospital")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sub_code")),
        schema="quota",
    )
    op.create_index(
        op.f("ix_sub_code_hospital_id"), "sub_code", ["hospital_id"], unique=False, schema="quota"
    )
    op.create_index(
        "uq_sub_code_label",
        "sub_code",
        ["hospital_id", "kind", "label"],
        unique=True,
        schema="quota",
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.add_column(
        "card_credit",
        sa.Column(
            "code",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="the scene that brought the card; empty: none, or counted before codes were",
        ),
        schema="quota",
    )
    op.execute(_COUNT_BEFORE)
    op.add_column(
        "hospital_code",
        sa.Column(
            "sub_code_id",
            sa.Text(),
            nullable=True,
            comment="whose it is below the hospital; NULL: the hospital's own",
        ),
        schema="quota",
    )
    # A hospital has a handful of codes: these locks are held for an instant.
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE UNIQUE INDEX uq_hospital_code_sub_code_in_use ON quota.hospital_code (sub_code_id)"
        " WHERE replaced_at IS NULL"
    )
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint\n"
        "ALTER TABLE quota.hospital_code ADD CONSTRAINT fk_hospital_code_sub_code_id_sub_code"
        " FOREIGN KEY (sub_code_id) REFERENCES quota.sub_code (id)"
    )
    _in_use("replaced_at IS NULL AND sub_code_id IS NULL")


def downgrade() -> None:
    op.execute("DELETE FROM core.tally_delta WHERE measure IN ('card_code', 'card_used_code')")
    op.execute("DELETE FROM core.tally WHERE measure IN ('card_code', 'card_used_code')")
    op.execute("DELETE FROM quota.hospital_code WHERE sub_code_id IS NOT NULL")
    _in_use("replaced_at IS NULL")
    op.drop_column("hospital_code", "sub_code_id", schema="quota")
    op.drop_column("card_credit", "code", schema="quota")
    op.drop_table("sub_code", schema="quota")


def _in_use(where: str) -> None:
    """Of the codes that these rows are, a hospital has one in use."""
    op.execute("-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX quota.uq_hospital_code_in_use")
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        f"CREATE UNIQUE INDEX uq_hospital_code_in_use ON quota.hospital_code (hospital_id) WHERE {where}"
    )
