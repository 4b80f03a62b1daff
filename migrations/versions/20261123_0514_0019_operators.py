"""Hold the place of the revision operators.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
