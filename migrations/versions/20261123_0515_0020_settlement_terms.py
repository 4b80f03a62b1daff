"""Hold the place of the revision settlement_terms.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
