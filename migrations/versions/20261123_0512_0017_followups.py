"""Confirm phones by a code, mark inboxes as read, keep the funnel of a large campaign, and count openings.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _phones()
    op.create_table(
        "inbox_mark",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "read_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="of the last notice that was read",
        ),
        sa.Column("read_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "person_id", name=op.f("pk_inbox_mark")),
        schema="issuance",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "opening",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("device_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(device_hash) = 16", name=op.f("ck_opening_device_hash_keyed")),
        sa.PrimaryKeyConstraint("campaign_id", "day", "device_hash", name=op.f("pk_opening")),
        schema="issuance",
    )
    op.create_table(
        "funnel",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "basis",
            sa.BigInteger(),
            nullable=False,
            comment="sum of the tallies then: unchanged, it still stands",
        ),
        sa.Column(
            "told",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="the funnel as it is answered",
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_funnel_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_funnel")),
        schema="issuance",
    )


def _phones() -> None:
    op.create_table(
        "phone_code",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False, comment="another one for each code"),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_hash", sa.LargeBinary(), nullable=False),
        sa.Column("phone_masked", sa.Text(), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column(
            "tries", sa.SmallInteger(), server_default=sa.text("0"), nullable=False, comment="wrong ones"
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "confirmed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="then the same code is answered again",
        ),
        sa.CheckConstraint("expires_at > asked_at", name=op.f("ck_phone_code_valid_for_a_while")),
        sa.CheckConstraint("tries BETWEEN 0 AND 5", name=op.f("ck_phone_code_tries_bounded")),
        sa.PrimaryKeyConstraint("bucket", "person_id", name=op.f("pk_phone_code")),
        schema="issuance",
    )
    op.create_index("ix_phone_code_expires", "phone_code", ["expires_at"], unique=False, schema="issuance")
    op.create_table(
        "phone_code_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sends", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("sends > 0", name=op.f("ck_phone_code_day_counted")),
        sa.PrimaryKeyConstraint("day", "key_hash", name=op.f("pk_phone_code_day")),
        schema="issuance",
        postgresql_with={"fillfactor": "70"},
    )
    # Numbers that nobody has confirmed may be strangers': they are given again.
    op.execute(
        "UPDATE issuance.notice_preference SET sms_enabled = false, phone_sealed = NULL, phone_hash = NULL,"
        " phone_masked = NULL WHERE phone_sealed IS NOT NULL"
    )


def downgrade() -> None:
    op.drop_table("funnel", schema="issuance")
    op.drop_table("opening", schema="issuance")
    op.drop_table("inbox_mark", schema="issuance")
    op.drop_table("phone_code_day", schema="issuance")
    op.drop_index("ix_phone_code_expires", table_name="phone_code", schema="issuance")
    op.drop_table("phone_code", schema="issuance")
