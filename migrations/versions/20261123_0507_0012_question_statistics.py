"""Computed statistics of questions.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
