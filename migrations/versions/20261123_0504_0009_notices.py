"""What people are told: inbox, ways and consents of each notice; how far periodic walks have come.

The code before it goes on writing notices: new columns are empty or have a default, and what it left out
is filled in here. `state` and `sent_at` of a notice were never read; they move to its deliveries.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Nobody was told anything before this revision: the rows are read once, and nothing waits for them.
_VALIDATE = (
    "-- squawk-ignore constraint-missing-not-valid\nALTER TABLE issuance.notice VALIDATE CONSTRAINT {}"
)

_KINDS = (
    "kind IN ('issued', 'redeemed', 'restored', 'revoked', 'expiring', 'award_won', 'award_expiring',"
    " 'activity_accepted', 'activity_rejected')"
)
_FIRST_KINDS = "kind IN ('issued', 'redeemed', 'restored')"


def upgrade() -> None:
    op.create_table(
        "walk",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("floor_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "ceiling_at", sa.DateTime(timezone=True), nullable=False, comment="where the last pass ended"
        ),
        sa.Column(
            "position_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="how far the present pass has come",
        ),
        sa.Column("position_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_walk")),
        schema="core",
    )
    op.create_table(
        "notice_delivery",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notice_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome", sa.Text(), nullable=True, comment="why it ended so: a word, or the provider's code"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state <> 'trying' AND state <> 'sent') OR attempts > 0",
            name=op.f("ck_notice_delivery_attempts_counted"),
        ),
        sa.CheckConstraint(
            "(state = 'deferred') = (not_before IS NOT NULL)", name=op.f("ck_notice_delivery_deferred")
        ),
        sa.CheckConstraint("channel IN ('wechat', 'sms')", name=op.f("ck_notice_delivery_known_channel")),
        sa.CheckConstraint(
            "state IN ('waiting', 'trying', 'deferred', 'sent', 'refused', 'unknown', 'skipped')",
            name=op.f("ck_notice_delivery_known_state"),
        ),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_notice_delivery")),
        sa.UniqueConstraint(
            "bucket", "notice_id", "channel", name=op.f("uq_notice_delivery_bucket_notice_id_channel")
        ),
        schema="issuance",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "notice_grant",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("grants_left", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("grants_left >= 0", name=op.f("ck_notice_grant_never_overdrawn")),
        sa.PrimaryKeyConstraint("bucket", "person_id", "template_id", name=op.f("pk_notice_grant")),
        schema="issuance",
    )
    op.create_table(
        "notice_preference",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), server_default=sa.text("'zh'"), nullable=False),
        sa.Column("sms_enabled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "sms_kinds", postgresql.ARRAY(sa.Text()), nullable=False, comment="kinds of notice wanted by SMS"
        ),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_hash", sa.LargeBinary(), nullable=True),
        sa.Column("phone_masked", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_notice_preference_known_language")),
        sa.CheckConstraint(
            "num_nonnulls(phone_sealed, phone_hash, phone_masked) IN (0, 3)",
            name=op.f("ck_notice_preference_whole_phone"),
        ),
        sa.CheckConstraint(
            "NOT sms_enabled OR phone_sealed IS NOT NULL", name=op.f("ck_notice_preference_sms_needs_a_phone")
        ),
        sa.PrimaryKeyConstraint("bucket", "person_id", name=op.f("pk_notice_preference")),
        schema="issuance",
    )
    op.create_index(
        "ix_notice_delivery_deferred",
        "notice_delivery",
        ["not_before"],
        unique=False,
        schema="issuance",
        postgresql_where=sa.text("state = 'deferred'"),
    )
    op.create_index(
        "ix_notice_preference_phone", "notice_preference", ["phone_hash"], unique=False, schema="issuance"
    )
    op.add_column(
        "notice",
        sa.Column(
            "person_id", sa.Uuid(), nullable=True, comment="NULL only where the code before it wrote the row"
        ),
        schema="issuance",
    )
    op.add_column("notice", sa.Column("award_id", sa.Uuid(), nullable=True), schema="issuance")
    op.add_column("notice", sa.Column("activity_id", sa.Uuid(), nullable=True), schema="issuance")
    op.add_column(
        "notice",
        sa.Column(
            "days",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="of a reminder: so long before the end, in days",
        ),
        schema="issuance",
    )
    op.add_column(
        "notice",
        sa.Column("note", sa.Text(), nullable=True, comment="the reason, in the words of whoever decided"),
        schema="issuance",
    )
    # Notices of other things than vouchers come with this revision: no earlier code reads them.
    op.execute(
        "-- squawk-ignore ban-drop-not-null\n"
        "ALTER TABLE issuance.notice ALTER COLUMN voucher_id DROP NOT NULL"
    )
    _replace_check(_KINDS)
    op.execute(
        "ALTER TABLE issuance.notice ADD CONSTRAINT ck_notice_one_subject"
        " CHECK (num_nonnulls(voucher_id, award_id, activity_id) = 1) NOT VALID"
    )
    op.execute(_VALIDATE.format("ck_notice_one_subject"))
    op.execute(
        "UPDATE issuance.notice n SET person_id = v.person_id FROM core.voucher v"
        " WHERE v.bucket = n.bucket AND v.id = n.voucher_id"
    )
    # Nothing ever read them: a notice waited in an inbox that did not exist yet.
    op.execute("-- squawk-ignore ban-drop-column\nALTER TABLE issuance.notice DROP COLUMN state")
    op.execute("-- squawk-ignore ban-drop-column\nALTER TABLE issuance.notice DROP COLUMN sent_at")
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_notice_person",
            "notice",
            ["bucket", "person_id", "recorded_at", "id"],
            unique=False,
            schema="issuance",
            postgresql_concurrently=True,
        )
        op.create_index(
            "uq_notice_voucher_once",
            "notice",
            ["bucket", "voucher_id", "kind", "days"],
            unique=True,
            schema="issuance",
            postgresql_where=sa.text("kind IN ('issued', 'revoked', 'expiring')"),
            postgresql_concurrently=True,
        )
        op.create_index(
            "uq_notice_award_once",
            "notice",
            ["bucket", "award_id", "kind"],
            unique=True,
            schema="issuance",
            postgresql_where=sa.text("award_id IS NOT NULL"),
            postgresql_concurrently=True,
        )
        op.create_index(
            "uq_notice_activity_once",
            "notice",
            ["bucket", "activity_id"],
            unique=True,
            schema="issuance",
            postgresql_where=sa.text("activity_id IS NOT NULL"),
            postgresql_concurrently=True,
        )
        op.create_index(
            "ix_award_won_at",
            "award",
            ["won_at"],
            unique=False,
            schema="issuance",
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    op.drop_index("ix_award_won_at", table_name="award", schema="issuance")
    op.drop_index("uq_notice_activity_once", table_name="notice", schema="issuance")
    op.drop_index("uq_notice_award_once", table_name="notice", schema="issuance")
    op.drop_index("uq_notice_voucher_once", table_name="notice", schema="issuance")
    op.drop_index("ix_notice_person", table_name="notice", schema="issuance")
    op.execute(
        "DELETE FROM issuance.notice"
        " WHERE voucher_id IS NULL OR kind NOT IN ('issued', 'redeemed', 'restored')"
    )
    op.drop_constraint("ck_notice_one_subject", "notice", schema="issuance")
    _replace_check(_FIRST_KINDS)
    op.alter_column("notice", "voucher_id", existing_type=sa.Uuid(), nullable=False, schema="issuance")
    for column in ("note", "days", "activity_id", "award_id", "person_id"):
        op.drop_column("notice", column, schema="issuance")
    op.add_column(
        "notice",
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        schema="issuance",
    )
    op.add_column(
        "notice", sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True), schema="issuance"
    )
    op.create_check_constraint(
        op.f("ck_notice_known_state"), "notice", "state IN ('waiting', 'sent', 'failed')", schema="issuance"
    )
    op.create_index(
        "ix_notice_waiting",
        "notice",
        ["recorded_at"],
        unique=False,
        schema="issuance",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_index("ix_notice_preference_phone", table_name="notice_preference", schema="issuance")
    op.drop_table("notice_preference", schema="issuance")
    op.drop_table("notice_grant", schema="issuance")
    op.drop_index(
        "ix_notice_delivery_deferred",
        table_name="notice_delivery",
        schema="issuance",
        postgresql_where=sa.text("state = 'deferred'"),
    )
    op.drop_table("notice_delivery", schema="issuance")
    op.drop_table("walk", schema="core")


def _replace_check(kinds: str) -> None:
    op.execute(
        "-- The one that takes its place lets more in.\n"
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE issuance.notice DROP CONSTRAINT ck_notice_known_kind"
    )
    op.execute(f"ALTER TABLE issuance.notice ADD CONSTRAINT ck_notice_known_kind CHECK ({kinds}) NOT VALID")
    op.execute(_VALIDATE.format("ck_notice_known_kind"))
