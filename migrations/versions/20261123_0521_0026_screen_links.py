"""Links of the big screen: read-only, expiring, by the keyed hash of their token.

A new table that the code before it does not know.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "screen_link",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "expires_at > created_at AND expires_at <= created_at + interval '30 days'",
            name=op.f("ck_screen_link_expires_soon"),
        ),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by IS NULL)", name=op.f("ck_screen_link_revoked_by_somebody")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["core.staff.id"], name=op.f("fk_screen_link_created_by_staff")
        ),
        sa.ForeignKeyConstraint(
            ["revoked_by"], ["core.staff.id"], name=op.f("fk_screen_link_revoked_by_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screen_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_screen_link_token_hash")),
        schema="core",
    )
    op.create_index("ix_screen_link_newest", "screen_link", ["created_at", "id"], schema="core")
    op.execute(
        "CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON core.screen_link"
        " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
    )
    # What was revoked once stays so.
    op.execute(
        "CREATE TRIGGER revoked_once BEFORE UPDATE ON core.screen_link"
        " FOR EACH ROW WHEN (OLD.revoked_at IS NOT NULL) EXECUTE FUNCTION core.refuse_change()"
    )


def downgrade() -> None:
    op.drop_table("screen_link", schema="core")
