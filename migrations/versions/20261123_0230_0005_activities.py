"""Activities: shares, leads and check-ins, decisions about them, staff-made events, photos.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "activity",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("day_no", sa.SmallInteger(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("chances_granted", sa.SmallInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("evidence_sealed", sa.LargeBinary(), nullable=True),
        sa.Column(
            "subject_hash",
            sa.LargeBinary(),
            nullable=True,
            comment="of what it is about: an address, a place",
        ),
        sa.Column("text_bands", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.CheckConstraint(
            "(event_id IS NOT NULL) = (channel IN ('event', 'fitness'))", name=op.f("ck_activity_check_in")
        ),
        sa.CheckConstraint(
            "(state = 'accepted') = (chances_granted > 0)", name=op.f("ck_activity_accepted_earns_chances")
        ),
        sa.CheckConstraint(
            "channel IN ('share', 'lead', 'event', 'fitness')", name=op.f("ck_activity_known_channel")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'accepted', 'rejected')", name=op.f("ck_activity_known_state")
        ),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_activity")),
        sa.UniqueConstraint(
            "bucket",
            "campaign_id",
            "person_id",
            "channel",
            "day",
            "day_no",
            name=op.f("uq_activity_bucket_campaign_id_person_id_channel_day_day_no"),
        ),
        sa.UniqueConstraint("bucket", "person_id", "event_id", name="uq_activity_one_check_in_each"),
        schema="issuance",
    )
    op.create_index(
        "ix_activity_event",
        "activity",
        ["event_id"],
        unique=False,
        schema="issuance",
        postgresql_where=sa.text("event_id IS NOT NULL"),
    )
    op.create_index(
        "ix_activity_person",
        "activity",
        ["bucket", "person_id", "submitted_at", "id"],
        unique=False,
        schema="issuance",
    )
    op.create_index(
        "ix_activity_state", "activity", ["state", "submitted_at", "id"], unique=False, schema="issuance"
    )
    op.create_index(
        "ix_activity_subject",
        "activity",
        ["campaign_id", "subject_hash", "submitted_at"],
        unique=False,
        schema="issuance",
    )
    op.create_index(
        "ix_activity_text_bands",
        "activity",
        ["text_bands"],
        unique=False,
        schema="issuance",
        postgresql_using="gin",
    )
    op.create_table(
        "activity_decision",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="staff:<id>, or verifier"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=True, comment="told to the citizen when rejected"),
        sa.CheckConstraint(
            "state = 'accepted' OR note IS NOT NULL", name=op.f("ck_activity_decision_rejected_with_a_reason")
        ),
        sa.CheckConstraint(
            "state IN ('accepted', 'rejected')", name=op.f("ck_activity_decision_known_state")
        ),
        sa.PrimaryKeyConstraint("bucket", "activity_id", name=op.f("pk_activity_decision")),
        schema="issuance",
    )
    op.create_table(
        "photo",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.SmallInteger(), nullable=True, comment="its place in the activity, from 0"),
        sa.Column(
            "content_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="SHA-256 of the picture as it was drawn anew",
        ),
        sa.Column("address", sa.Text(), nullable=False, comment="of the sealed picture in the object store"),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("look", sa.BigInteger(), nullable=False, comment="dHash"),
        sa.Column("look_bands", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("uploads", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("address ~ '^[0-9a-f]{64}$'", name=op.f("ck_photo_address_form")),
        sa.CheckConstraint("octet_length(content_hash) = 32", name=op.f("ck_photo_content_hash_sha256")),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_photo")),
        sa.UniqueConstraint(
            "bucket", "person_id", "content_hash", name=op.f("uq_photo_bucket_person_id_content_hash")
        ),
        schema="issuance",
    )
    op.create_index("ix_photo_activity", "photo", ["activity_id"], unique=False, schema="issuance")
    op.create_index("ix_photo_content_hash", "photo", ["content_hash"], unique=False, schema="issuance")
    op.create_index(
        "ix_photo_look_bands",
        "photo",
        ["look_bands"],
        unique=False,
        schema="issuance",
        postgresql_using="gin",
    )
    op.create_index(
        "ix_photo_unused",
        "photo",
        ["uploaded_at"],
        unique=False,
        schema="issuance",
        postgresql_where=sa.text("activity_id IS NULL"),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=True),
        sa.Column("seats_taken", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("rotate_seconds", sa.BigInteger(), nullable=True, comment="NULL: the code stays the same"),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "closed_at", sa.DateTime(timezone=True), nullable=True, comment="closed by staff before its end"
        ),
        sa.CheckConstraint("channel IN ('event', 'fitness')", name=op.f("ck_event_known_channel")),
        sa.CheckConstraint("capacity > 0 AND rotate_seconds > 0", name=op.f("ck_event_limits_positive")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_event_ends_after_start")),
        sa.CheckConstraint(
            "seats_taken BETWEEN 0 AND coalesce(capacity, 0)", name=op.f("ck_event_never_overfull")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_event_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_event_code_hash")),
        schema="issuance",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_index(
        "ix_event_campaign", "event", ["campaign_id", "starts_at", "id"], unique=False, schema="issuance"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON issuance.activity_decision"
        " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
    )


def downgrade() -> None:
    op.drop_index("ix_event_campaign", table_name="event", schema="issuance")
    op.drop_table("event", schema="issuance")
    op.drop_index(
        "ix_photo_unused",
        table_name="photo",
        schema="issuance",
        postgresql_where=sa.text("activity_id IS NULL"),
    )
    op.drop_index("ix_photo_look_bands", table_name="photo", schema="issuance", postgresql_using="gin")
    op.drop_index("ix_photo_content_hash", table_name="photo", schema="issuance")
    op.drop_index("ix_photo_activity", table_name="photo", schema="issuance")
    op.drop_table("photo", schema="issuance")
    op.drop_table("activity_decision", schema="issuance")
    op.drop_index("ix_activity_text_bands", table_name="activity", schema="issuance", postgresql_using="gin")
    op.drop_index("ix_activity_subject", table_name="activity", schema="issuance")
    op.drop_index("ix_activity_state", table_name="activity", schema="issuance")
    op.drop_index("ix_activity_person", table_name="activity", schema="issuance")
    op.drop_index(
        "ix_activity_event",
        table_name="activity",
        schema="issuance",
        postgresql_where=sa.text("event_id IS NOT NULL"),
    )
    op.drop_table("activity", schema="issuance")
