"""Operators of several terminals, why one was ended, and institutions that require them.

The code before it goes on: it reads and writes `operator.terminal_id`, which stays until a later revision
drops it. What it writes meanwhile counts for every terminal. Operators and institutions are few, so what was
said before is carried over at once.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_BEFORE, _SINCE = "NULL: every terminal of the institution", "superseded by terminals, to be dropped after it"


def upgrade() -> None:
    op.add_column(
        "operator",
        sa.Column(
            "terminals",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="ids; empty: every terminal of the institution",
        ),
        schema="redemption",
    )
    op.add_column("operator", sa.Column("end_reason", sa.Text(), nullable=True), schema="redemption")
    op.execute(
        "ALTER TABLE redemption.operator ADD CONSTRAINT ck_operator_end_reason_of_an_end"
        " CHECK (end_reason IS NULL OR ended_at IS NOT NULL) NOT VALID"
    )
    op.add_column(
        "institution",
        sa.Column(
            "operators_required",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="no write-off without an operator of its terminal's list",
        ),
        schema="redemption",
    )
    _comment(_SINCE, before=_BEFORE)
    op.execute("UPDATE redemption.operator SET terminals = ARRAY[terminal_id] WHERE terminal_id IS NOT NULL")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE redemption.operator VALIDATE CONSTRAINT ck_operator_end_reason_of_an_end")


def _comment(comment: str, *, before: str) -> None:
    op.alter_column(
        "operator",
        "terminal_id",
        existing_type=sa.Text(),
        comment=comment,
        existing_comment=before,
        existing_nullable=True,
        schema="redemption",
    )


def downgrade() -> None:
    """Of several terminals an operator keeps the first."""
    op.execute("UPDATE redemption.operator SET terminal_id = terminals[1]")
    _comment(_BEFORE, before=_SINCE)
    op.drop_column("institution", "operators_required", schema="redemption")
    op.execute("ALTER TABLE redemption.operator DROP CONSTRAINT ck_operator_end_reason_of_an_end")
    op.drop_column("operator", "end_reason", schema="redemption")
    op.drop_column("operator", "terminals", schema="redemption")
