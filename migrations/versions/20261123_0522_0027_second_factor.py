"""Keep a second factor and its recovery codes for staff, and where and when a session was used.

Safe for the code before it: new tables, and columns that may be empty. Code before it signs in without asking
for a second factor; none is enrolled before this code runs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff_factor",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "last_step",
            sa.BigInteger(),
            nullable=True,
            comment="the newest time step whose code was accepted: it and older ones are spent",
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["core.staff.id"], name=op.f("fk_staff_factor_staff_id_staff")),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_staff_factor")),
        schema="core",
    )
    op.create_table(
        "staff_recovery_code",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["core.staff.id"], name=op.f("fk_staff_recovery_code_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("staff_id", "code_hash", name=op.f("pk_staff_recovery_code")),
        schema="core",
    )
    op.add_column(
        "staff_session",
        sa.Column(
            "device", sa.Text(), nullable=True, comment="browser and system, as the sign-in named them"
        ),
        schema="core",
    )
    op.add_column(
        "staff_session",
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True, comment="to some minutes"),
        schema="core",
    )


def downgrade() -> None:
    op.drop_column("staff_session", "last_seen_at", schema="core")
    op.drop_column("staff_session", "device", schema="core")
    op.drop_table("staff_recovery_code", schema="core")
    op.drop_table("staff_factor", schema="core")
