"""Hold the place of the revision second_factor.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
