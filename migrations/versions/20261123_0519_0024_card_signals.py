"""Hold the place of the revision card_signals.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
