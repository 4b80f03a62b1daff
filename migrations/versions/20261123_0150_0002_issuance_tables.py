"""Issuance tables: campaigns, question bank, attempts, chances, draws, awards.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "award",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("draw_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("won_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("voucher_id", sa.Uuid(), nullable=True),
        sa.Column("voucher_type", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'claimed') = (voucher_id IS NOT NULL)", name=op.f("ck_award_claimed")),
        sa.CheckConstraint("state IN ('open', 'claimed', 'expired')", name=op.f("ck_award_known_state")),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_award")),
        sa.UniqueConstraint("bucket", "draw_id", name=op.f("uq_award_bucket_draw_id")),
        schema="issuance",
    )
    op.create_index(
        "ix_award_open",
        "award",
        ["expires_at"],
        unique=False,
        schema="issuance",
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_award_person", "award", ["bucket", "person_id", "phase_id"], unique=False, schema="issuance"
    )
    op.create_table(
        "chance",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False, comment="the attempt or activity that earned it"),
        sa.Column(
            "source_no", sa.SmallInteger(), nullable=False, comment="from 1: one source may earn several"
        ),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="available", nullable=False),
        sa.Column("draw_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(draw_id IS NOT NULL) = (state = 'drawn')", name=op.f("ck_chance_drawn")),
        sa.CheckConstraint("state IN ('available', 'drawn', 'void')", name=op.f("ck_chance_known_state")),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_chance")),
        sa.UniqueConstraint(
            "bucket", "source_id", "source_no", name=op.f("uq_chance_bucket_source_id_source_no")
        ),
        schema="issuance",
    )
    op.create_index(
        "ix_chance_available",
        "chance",
        ["bucket", "person_id", "campaign_id", "granted_at", "id"],
        unique=False,
        schema="issuance",
        postgresql_where=sa.text("state = 'available'"),
    )
    op.create_index("ix_chance_person", "chance", ["bucket", "person_id"], unique=False, schema="issuance")
    op.create_table(
        "draw",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("chance_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False, comment="how the chance was earned"),
        sa.Column("client_seed", sa.Text(), nullable=False),
        sa.Column("odds_version_id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("won", sa.Boolean(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("day_no", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("octet_length(value) = 32", name=op.f("ck_draw_value_sha256")),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_draw")),
        sa.UniqueConstraint(
            "bucket",
            "campaign_id",
            "person_id",
            "day",
            "day_no",
            name=op.f("uq_draw_bucket_campaign_id_person_id_day_day_no"),
        ),
        sa.UniqueConstraint("bucket", "chance_id", name=op.f("uq_draw_bucket_chance_id")),
        schema="issuance",
    )
    op.create_index("ix_draw_phase", "draw", ["phase_id", "drawn_at"], unique=False, schema="issuance")
    op.create_table(
        "participant",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("attempts_day", sa.Date(), nullable=True),
        sa.Column("attempts_today", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("answered_day", sa.Date(), nullable=True, comment="last day with an answered attempt"),
        sa.Column("draws_day", sa.Date(), nullable=True),
        sa.Column("draws_today", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("bucket", "campaign_id", "person_id", name=op.f("pk_participant")),
        schema="issuance",
        postgresql_with={"fillfactor": "80"},
    )
    op.create_table(
        "quiz_attempt",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("day_no", sa.SmallInteger(), nullable=False),
        sa.Column("question_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("option_orders", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "answers", postgresql.ARRAY(sa.Text()), nullable=True, comment="original option keys, sorted: AC"
        ),
        sa.Column("correct", postgresql.ARRAY(sa.Boolean()), nullable=True),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("passed", sa.Boolean(), nullable=True),
        sa.Column("chances_granted", sa.SmallInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'answered') = (answered_at IS NOT NULL)", name=op.f("ck_quiz_attempt_answered_at")
        ),
        sa.CheckConstraint("state IN ('open', 'answered')", name=op.f("ck_quiz_attempt_known_state")),
        sa.CheckConstraint(
            "cardinality(question_ids) = cardinality(option_orders)",
            name=op.f("ck_quiz_attempt_one_order_each"),
        ),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_quiz_attempt")),
        sa.UniqueConstraint(
            "bucket",
            "campaign_id",
            "person_id",
            "day",
            "day_no",
            name=op.f("uq_quiz_attempt_bucket_campaign_id_person_id_day_day_no"),
        ),
        schema="issuance",
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "ix_quiz_attempt_campaign_day",
        "quiz_attempt",
        ["campaign_id", "day"],
        unique=False,
        schema="issuance",
    )
    op.create_table(
        "campaign_rules",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("slogan", sa.Text(), nullable=True),
        sa.Column("award_valid_days", sa.BigInteger(), nullable=False),
        sa.Column("vouchers_per_phase", sa.BigInteger(), nullable=False),
        sa.Column("draws_per_day", sa.BigInteger(), nullable=False),
        sa.Column(
            "bank_version",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="moves with the bank",
        ),
        sa.Column("definition", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_campaign_rules_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaign_rules")),
        schema="issuance",
    )
    op.create_table(
        "channel",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("chances", sa.BigInteger(), nullable=False),
        sa.Column("per_day", sa.BigInteger(), nullable=True),
        sa.Column("review", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "key IN ('quiz', 'share', 'lead', 'event', 'fitness')", name=op.f("ck_channel_known_key")
        ),
        sa.CheckConstraint(
            "chances > 0 AND (per_day IS NULL OR per_day > 0)", name=op.f("ck_channel_limits_positive")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_channel_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "key", name=op.f("pk_channel")),
        schema="issuance",
    )
    op.create_table(
        "phase",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.SmallInteger(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seed_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("seed_commitment", sa.Text(), nullable=False, comment="hex SHA-256 of the seed"),
        sa.Column(
            "seed_revealed", sa.Text(), nullable=True, comment="hex; set by the job after the phase closed"
        ),
        sa.CheckConstraint("seed_commitment ~ '^[0-9a-f]{64}$'", name=op.f("ck_phase_commitment_form")),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("ck_phase_closes_after_opening")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_phase_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phase")),
        sa.UniqueConstraint("campaign_id", "seq", name=op.f("uq_phase_campaign_id_seq")),
        schema="issuance",
    )
    op.create_table(
        "question",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column(
            "options", postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='{"A": "…", "B": "…"}'
        ),
        sa.Column("answer", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("difficulty", sa.SmallInteger(), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("cardinality(answer) > 0", name=op.f("ck_question_has_answer")),
        sa.CheckConstraint("difficulty BETWEEN 1 AND 3", name=op.f("ck_question_difficulty_range")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_question_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
        sa.UniqueConstraint("campaign_id", "content_hash", name=op.f("uq_question_campaign_id_content_hash")),
        schema="issuance",
    )
    op.create_table(
        "question_import",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("file_hash", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("octet_length(file_hash) = 32", name=op.f("ck_question_import_file_hash_sha256")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_question_import_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "file_hash", name=op.f("pk_question_import")),
        schema="issuance",
    )
    op.create_table(
        "notice",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'waiting'"), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('issued', 'redeemed', 'restored')", name=op.f("ck_notice_known_kind")),
        sa.CheckConstraint("state IN ('waiting', 'sent', 'failed')", name=op.f("ck_notice_known_state")),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_notice")),
        schema="issuance",
    )
    op.create_index("ix_notice_voucher", "notice", ["bucket", "voucher_id"], unique=False, schema="issuance")
    op.create_index(
        "ix_notice_waiting",
        "notice",
        ["recorded_at"],
        unique=False,
        schema="issuance",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "award_pool",
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("left_to_award", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("left_to_award >= 0", name=op.f("ck_award_pool_never_overdrawn")),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["issuance.phase.id"], name=op.f("fk_award_pool_phase_id_phase")
        ),
        sa.PrimaryKeyConstraint("phase_id", name=op.f("pk_award_pool")),
        schema="issuance",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "odds_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("odds_ppm", sa.BigInteger(), nullable=False),
        sa.Column(
            "threshold",
            sa.LargeBinary(),
            nullable=True,
            comment="floor(odds × 2^64), big-endian; NULL = always",
        ),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "(threshold IS NULL) = (odds_ppm = 1000000)",
            name=op.f("ck_odds_version_threshold_unless_certain"),
        ),
        sa.CheckConstraint("octet_length(threshold) = 8", name=op.f("ck_odds_version_threshold_64_bits")),
        sa.CheckConstraint("odds_ppm BETWEEN 1 AND 1000000", name=op.f("ck_odds_version_odds_range")),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_odds_version_change_id_change")
        ),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["issuance.phase.id"], name=op.f("fk_odds_version_phase_id_phase")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_odds_version")),
        sa.UniqueConstraint(
            "phase_id", "effective_from", name=op.f("uq_odds_version_phase_id_effective_from")
        ),
        schema="issuance",
    )
    op.create_table(
        "phase_stock",
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("voucher_type", sa.Text(), nullable=False),
        sa.Column("put_in", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.Column("issued", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("returned", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("put_in = remaining + issued - returned", name=op.f("ck_phase_stock_conserved")),
        sa.CheckConstraint("remaining >= 0", name=op.f("ck_phase_stock_never_oversold")),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["issuance.phase.id"], name=op.f("fk_phase_stock_phase_id_phase")
        ),
        sa.PrimaryKeyConstraint("phase_id", "voucher_type", name=op.f("pk_phase_stock")),
        schema="issuance",
        postgresql_with={"fillfactor": "50"},
    )
    op.create_table(
        "quiz_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("questions", sa.BigInteger(), nullable=False),
        sa.Column("pass_score", sa.BigInteger(), nullable=False),
        sa.Column("attempts_per_day", sa.BigInteger(), nullable=False),
        sa.Column("time_limit_seconds", sa.BigInteger(), nullable=False),
        sa.Column("min_seconds", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "blueprint",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment='{"1": 5, "2": 3}: so many per difficulty',
        ),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("pass_score BETWEEN 0 AND 100", name=op.f("ck_quiz_rule_pass_score_range")),
        sa.CheckConstraint(
            "questions > 0 AND attempts_per_day > 0 AND time_limit_seconds > 0",
            name=op.f("ck_quiz_rule_positive"),
        ),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_quiz_rule_change_id_change")
        ),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["issuance.phase.id"], name=op.f("fk_quiz_rule_phase_id_phase")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quiz_rule")),
        sa.UniqueConstraint("phase_id", "effective_from", name=op.f("uq_quiz_rule_phase_id_effective_from")),
        schema="issuance",
    )
    op.create_table(
        "stock_move",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("voucher_type", sa.Text(), nullable=False),
        sa.Column("delta", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_stock_move_change_id_change")
        ),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["issuance.phase.id"], name=op.f("fk_stock_move_phase_id_phase")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_move")),
        schema="issuance",
    )
    for table in ("issuance.draw", "issuance.stock_move"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )


def downgrade() -> None:
    op.drop_table("stock_move", schema="issuance")
    op.drop_table("quiz_rule", schema="issuance")
    op.drop_table("phase_stock", schema="issuance")
    op.drop_table("odds_version", schema="issuance")
    op.drop_table("award_pool", schema="issuance")
    op.drop_index(
        "ix_notice_waiting",
        table_name="notice",
        schema="issuance",
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.drop_index("ix_notice_voucher", table_name="notice", schema="issuance")
    op.drop_table("notice", schema="issuance")
    op.drop_table("question_import", schema="issuance")
    op.drop_table("question", schema="issuance")
    op.drop_table("phase", schema="issuance")
    op.drop_table("channel", schema="issuance")
    op.drop_table("campaign_rules", schema="issuance")
    op.drop_index("ix_quiz_attempt_campaign_day", table_name="quiz_attempt", schema="issuance")
    op.drop_table("quiz_attempt", schema="issuance")
    op.drop_table("participant", schema="issuance")
    op.drop_index("ix_draw_phase", table_name="draw", schema="issuance")
    op.drop_table("draw", schema="issuance")
    op.drop_index("ix_chance_person", table_name="chance", schema="issuance")
    op.drop_index(
        "ix_chance_available",
        table_name="chance",
        schema="issuance",
        postgresql_where=sa.text("state = 'available'"),
    )
    op.drop_table("chance", schema="issuance")
    op.drop_index("ix_award_person", table_name="award", schema="issuance")
    op.drop_index(
        "ix_award_open", table_name="award", schema="issuance", postgresql_where=sa.text("state = 'open'")
    )
    op.drop_table("award", schema="issuance")
