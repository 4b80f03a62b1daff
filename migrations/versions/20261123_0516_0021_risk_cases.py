"""Hold the place of the revision risk_cases.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
