"""Risk signals, cases and their decisions.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
