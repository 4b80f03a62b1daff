"""Hold the place of the revision hospital_names.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
