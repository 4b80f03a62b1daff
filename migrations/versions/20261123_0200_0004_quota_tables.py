"""Quota tables: programmes, hospitals, allocations, codes, cards, ranking editions.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


# What was counted, decided or published is written once; what comes later is a row of its own.
_APPEND_ONLY = (
    "quota.allocation",
    "quota.allocation_adjustment",
    "quota.allocation_item",
    "quota.card_assignment",
    "quota.card_credit",
    "quota.card_event",
    "quota.imported_file",
    "quota.ranking_edition",
    "quota.ranking_item",
)


def upgrade() -> None:
    op.create_table(
        "card",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("holder_hash", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=True, comment="whom it counts for; NULL: unattributed"),
        sa.Column("event_id", sa.Text(), nullable=True, comment="the event that issued it"),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column(
            "events", sa.BigInteger(), nullable=False, comment="how many of the person's events are stored"
        ),
        sa.Column(
            "credits", sa.BigInteger(), nullable=False, comment="how many credits were written for the person"
        ),
        sa.CheckConstraint("(state = 'none') = (event_id IS NULL)", name=op.f("ck_card_issued_by_an_event")),
        sa.CheckConstraint("state IN ('none', 'active', 'cancelled')", name=op.f("ck_card_known_state")),
        sa.CheckConstraint("octet_length(holder_hash) = 16", name=op.f("ck_card_holder_hash_form")),
        sa.PrimaryKeyConstraint("bucket", "programme_id", "holder_hash", name=op.f("pk_card")),
        schema="quota",
        postgresql_with={"fillfactor": "85"},
    )
    op.create_index(
        "ix_card_unattributed",
        "card",
        ["programme_id", "opened_at"],
        unique=False,
        schema="quota",
        postgresql_where=sa.text("state = 'active' AND hospital_id IS NULL"),
    )
    op.create_table(
        "card_assignment",
        sa.Column("bucket", sa.SmallInteger(), nullable=False, comment="the holder's"),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "programme_id", "event_id", name=op.f("pk_card_assignment")),
        schema="quota",
    )
    op.create_table(
        "card_credit",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("holder_hash", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False, comment="empty: unattributed"),
        sa.Column(
            "day",
            sa.Date(),
            nullable=False,
            comment="the event's day, or the first day of the first open month",
        ),
        sa.Column("n", sa.SmallInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("measure IN ('card', 'card_used')", name=op.f("ck_card_credit_known_measure")),
        sa.CheckConstraint("n IN (-1, 1)", name=op.f("ck_card_credit_one_card")),
        sa.PrimaryKeyConstraint(
            "bucket", "programme_id", "holder_hash", "place", name=op.f("pk_card_credit")
        ),
        schema="quota",
    )
    op.create_table(
        "card_event",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("holder_hash", sa.LargeBinary(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scene", sa.Text(), nullable=True, comment="as it was sent"),
        sa.Column("hospital_id", sa.Text(), nullable=True, comment="whose code that is; NULL: nobody's"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="when it happened"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="platform:<key id> or file:<digest>"),
        sa.Column("outcome", sa.Text(), nullable=False, comment="as it was answered"),
        sa.CheckConstraint("kind IN ('issued', 'used', 'cancelled')", name=op.f("ck_card_event_known_kind")),
        sa.CheckConstraint(
            "outcome IN ('counted', 'already_has_card', 'unattributed', 'unknown_holder')",
            name=op.f("ck_card_event_known_outcome"),
        ),
        sa.PrimaryKeyConstraint("bucket", "programme_id", "holder_hash", "place", name=op.f("pk_card_event")),
        schema="quota",
    )
    op.create_table(
        "card_event_key",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("holder_bucket", sa.SmallInteger(), nullable=False),
        sa.Column("holder_hash", sa.LargeBinary(), nullable=False),
        sa.Column("replays", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "programme_id", "event_id", name=op.f("pk_card_event_key")),
        schema="quota",
        postgresql_with={"fillfactor": "90"},
    )
    op.create_table(
        "programme",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("target_cards", sa.BigInteger(), nullable=False),
        sa.Column("issued_before_cards", sa.BigInteger(), nullable=False),
        sa.Column("landing_url", sa.Text(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "frozen_through",
            sa.Date(),
            nullable=True,
            comment="last day of the last frozen month: nothing is counted on or before it any more",
        ),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("issued_before_cards >= 0", name=op.f("ck_programme_issued_before_not_negative")),
        sa.CheckConstraint("target_cards > 0", name=op.f("ck_programme_target_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme")),
        sa.UniqueConstraint("slug", name=op.f("uq_programme_slug")),
        schema="quota",
    )
    op.create_table(
        "hospital",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "name_key", sa.Text(), nullable=False, comment="the name in one spelling; the key of imports"
        ),
        sa.Column(
            "alliance", sa.Text(), server_default=sa.text("''"), nullable=False, comment="empty: stands alone"
        ),
        sa.Column("visits", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("visits >= 0", name=op.f("ck_hospital_visits_not_negative")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["quota.programme.id"], name=op.f("fk_hospital_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hospital")),
        sa.UniqueConstraint("programme_id", "name_key", name=op.f("uq_hospital_programme_id_name_key")),
        sa.UniqueConstraint("programme_id", "position", name=op.f("uq_hospital_programme_id_position")),
        schema="quota",
    )
    op.create_table(
        "imported_file",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("file_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('hospitals', 'card_events')", name=op.f("ck_imported_file_known_kind")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["quota.programme.id"], name=op.f("fk_imported_file_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("programme_id", "kind", "file_sha256", name=op.f("pk_imported_file")),
        schema="quota",
    )
    op.create_table(
        "platform_key",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by IS NULL)", name=op.f("ck_platform_key_revoked_by_somebody")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["quota.programme.id"], name=op.f("fk_platform_key_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_platform_key")),
        schema="quota",
    )
    op.create_index(
        op.f("ix_platform_key_programme_id"), "platform_key", ["programme_id"], unique=False, schema="quota"
    )
    op.create_table(
        "allocation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column(
            "quota_sum",
            sa.BigInteger(),
            nullable=False,
            comment="what the quotas add up to; round_each may miss the total",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "method <> 'largest_remainder' OR quota_sum = total", name=op.f("ck_allocation_adds_up")
        ),
        sa.CheckConstraint(
            "method IN ('largest_remainder', 'round_each')", name=op.f("ck_allocation_known_method")
        ),
        sa.CheckConstraint("total > 0 AND version > 0", name=op.f("ck_allocation_total_positive")),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_allocation_change_id_change")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["quota.programme.id"], name=op.f("fk_allocation_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation")),
        sa.UniqueConstraint("change_id", name=op.f("uq_allocation_change_id")),
        sa.UniqueConstraint("programme_id", "version", name=op.f("uq_allocation_programme_id_version")),
        schema="quota",
    )
    op.create_table(
        "hospital_code",
        sa.Column("scene", sa.Text(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaced_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("scene ~ '^[0-9A-Z]{1,32}$'", name=op.f("ck_hospital_code_scene_form")),
        sa.CheckConstraint(
            "(replaced_at IS NULL) = (replaced_reason IS NULL)",
            name=op.f("ck_hospital_code_replaced_with_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["quota.hospital.id"], name=op.f("fk_hospital_code_hospital_id_hospital")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["quota.programme.id"], name=op.f("fk_hospital_code_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("scene", name=op.f("pk_hospital_code")),
        schema="quota",
    )
    op.create_index(
        op.f("ix_hospital_code_hospital_id"), "hospital_code", ["hospital_id"], unique=False, schema="quota"
    )
    op.create_index(
        "uq_hospital_code_in_use",
        "hospital_code",
        ["hospital_id"],
        unique=True,
        schema="quota",
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "allocation_adjustment",
        sa.Column("allocation_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("from_hospital_id", sa.Text(), nullable=False),
        sa.Column("to_hospital_id", sa.Text(), nullable=False),
        sa.Column("share_points", sa.Numeric(), nullable=True),
        sa.Column("cards", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(share_points IS NULL) <> (cards IS NULL)", name=op.f("ck_allocation_adjustment_points_or_cards")
        ),
        sa.CheckConstraint(
            "from_hospital_id <> to_hospital_id", name=op.f("ck_allocation_adjustment_two_hospitals")
        ),
        sa.CheckConstraint(
            "share_points > 0 OR cards > 0", name=op.f("ck_allocation_adjustment_moves_something")
        ),
        sa.ForeignKeyConstraint(
            ["allocation_id"],
            ["quota.allocation.id"],
            name=op.f("fk_allocation_adjustment_allocation_id_allocation"),
        ),
        sa.ForeignKeyConstraint(
            ["from_hospital_id"],
            ["quota.hospital.id"],
            name=op.f("fk_allocation_adjustment_from_hospital_id_hospital"),
        ),
        sa.ForeignKeyConstraint(
            ["to_hospital_id"],
            ["quota.hospital.id"],
            name=op.f("fk_allocation_adjustment_to_hospital_id_hospital"),
        ),
        sa.PrimaryKeyConstraint("allocation_id", "place", name=op.f("pk_allocation_adjustment")),
        schema="quota",
    )
    op.create_table(
        "allocation_item",
        sa.Column("allocation_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column(
            "place",
            sa.BigInteger(),
            nullable=False,
            comment="order of the list; equal remainders go to the earlier one",
        ),
        sa.Column("hospital", sa.Text(), nullable=False),
        sa.Column("alliance", sa.Text(), nullable=False),
        sa.Column("visits", sa.BigInteger(), nullable=False),
        sa.Column(
            "adjustment_points",
            sa.Numeric(),
            nullable=False,
            comment="percentage points of the total, moved to (+) or from (-) it",
        ),
        sa.Column("adjustment_cards", sa.BigInteger(), nullable=False, comment="the same, in cards"),
        sa.Column("quota", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quota >= 0", name=op.f("ck_allocation_item_quota_not_negative")),
        sa.CheckConstraint("visits >= 0", name=op.f("ck_allocation_item_visits_not_negative")),
        sa.ForeignKeyConstraint(
            ["allocation_id"],
            ["quota.allocation.id"],
            name=op.f("fk_allocation_item_allocation_id_allocation"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["quota.hospital.id"], name=op.f("fk_allocation_item_hospital_id_hospital")
        ),
        sa.PrimaryKeyConstraint("allocation_id", "hospital_id", name=op.f("pk_allocation_item")),
        sa.UniqueConstraint("allocation_id", "place", name=op.f("uq_allocation_item_allocation_id_place")),
        schema="quota",
    )
    op.create_table(
        "ranking_edition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("edition", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("allocation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "unattributed",
            sa.BigInteger(),
            nullable=False,
            comment="cards without a hospital at the month's end",
        ),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "edition = 1 OR reason IS NOT NULL", name=op.f("ck_ranking_edition_correction_has_reason")
        ),
        sa.CheckConstraint(
            "extract(day FROM month) = 1", name=op.f("ck_ranking_edition_month_by_its_first_day")
        ),
        sa.ForeignKeyConstraint(
            ["allocation_id"],
            ["quota.allocation.id"],
            name=op.f("fk_ranking_edition_allocation_id_allocation"),
        ),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_ranking_edition_change_id_change")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["quota.programme.id"], name=op.f("fk_ranking_edition_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ranking_edition")),
        sa.UniqueConstraint("change_id", name=op.f("uq_ranking_edition_change_id")),
        sa.UniqueConstraint(
            "programme_id", "month", "edition", name=op.f("uq_ranking_edition_programme_id_month_edition")
        ),
        schema="quota",
    )
    op.create_table(
        "ranking_item",
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False, comment="order of the list"),
        sa.Column("hospital", sa.Text(), nullable=False),
        sa.Column("alliance", sa.Text(), nullable=False),
        sa.Column("quota", sa.BigInteger(), nullable=False),
        sa.Column("month_issued", sa.BigInteger(), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=True, comment="NULL: without a quota nobody is ranked"),
        sa.Column("rank_change", sa.BigInteger(), nullable=True),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"],
            ["quota.ranking_edition.id"],
            name=op.f("fk_ranking_item_edition_id_ranking_edition"),
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["quota.hospital.id"], name=op.f("fk_ranking_item_hospital_id_hospital")
        ),
        sa.PrimaryKeyConstraint("edition_id", "hospital_id", name=op.f("pk_ranking_item")),
        sa.UniqueConstraint("edition_id", "place", name=op.f("uq_ranking_item_edition_id_place")),
        schema="quota",
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("ranking_item", schema="quota")
    op.drop_table("ranking_edition", schema="quota")
    op.drop_table("allocation_item", schema="quota")
    op.drop_table("allocation_adjustment", schema="quota")
    op.drop_index(
        "uq_hospital_code_in_use",
        table_name="hospital_code",
        schema="quota",
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.drop_index(op.f("ix_hospital_code_hospital_id"), table_name="hospital_code", schema="quota")
    op.drop_table("hospital_code", schema="quota")
    op.drop_table("allocation", schema="quota")
    op.drop_index(op.f("ix_platform_key_programme_id"), table_name="platform_key", schema="quota")
    op.drop_table("platform_key", schema="quota")
    op.drop_table("imported_file", schema="quota")
    op.drop_table("hospital", schema="quota")
    op.drop_table("programme", schema="quota")
    op.drop_table("card_event_key", schema="quota")
    op.drop_table("card_event", schema="quota")
    op.drop_table("card_credit", schema="quota")
    op.drop_table("card_assignment", schema="quota")
    op.drop_index(
        "ix_card_unattributed",
        table_name="card",
        schema="quota",
        postgresql_where=sa.text("state = 'active' AND hospital_id IS NULL"),
    )
    op.drop_table("card", schema="quota")
