"""Hold the place of the revision screen_links.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
