"""Redemption tables: institutions, terminals, write-offs.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
