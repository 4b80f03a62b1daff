"""Versions and categories of questions, awaited imports.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
