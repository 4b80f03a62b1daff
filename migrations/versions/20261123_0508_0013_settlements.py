"""Settlements, corrections, reconciliations.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
