"""Hold the place of the revision allocation_versions.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
