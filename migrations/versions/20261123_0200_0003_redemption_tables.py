"""Redemption tables: institutions, terminals, write-offs, reversals, cases.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "institution",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("county", sa.Text(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=True, comment="publicly owned; NULL where nobody said"),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column(
            "credit_code", sa.Text(), nullable=True, comment="as given, also with a wrong check symbol"
        ),
        sa.Column("status", sa.Text(), server_default=sa.text("'active'"), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("status IN ('active', 'paused')", name=op.f("ck_institution_known_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institution")),
        schema="redemption",
    )
    op.create_index(
        "ix_institution_credit_code", "institution", ["credit_code"], unique=False, schema="redemption"
    )
    op.create_index("ix_institution_name", "institution", ["name"], unique=False, schema="redemption")
    op.create_table(
        "institution_statistics",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("voucher_type", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("applied_fen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "campaign_id", "institution_id", "day", "voucher_type", name=op.f("pk_institution_statistics")
        ),
        schema="redemption",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "redemption",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("voucher_type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("request_no", sa.Text(), nullable=False),
        sa.Column("bill_fen", sa.BigInteger(), nullable=True),
        sa.Column("applied_fen", sa.BigInteger(), nullable=False),
        sa.Column("payable_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "split_fen",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="applied amount per payer, in the fund's order",
        ),
        sa.Column(
            "used_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="the time of use as the till told it",
        ),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'redeemed'"), nullable=False),
        sa.Column("settlement_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('directed', 'general')", name=op.f("ck_redemption_known_kind")),
        sa.CheckConstraint(
            "payable_fen = CASE kind WHEN 'general' THEN bill_fen - applied_fen ELSE 0 END",
            name=op.f("ck_redemption_payable_is_the_rest"),
        ),
        sa.CheckConstraint(
            "source IN ('online', 'batch', 'manual')", name=op.f("ck_redemption_known_source")
        ),
        sa.CheckConstraint(
            "state = 'redeemed' OR settlement_id IS NULL", name=op.f("ck_redemption_settled_is_not_reversed")
        ),
        sa.CheckConstraint("state IN ('redeemed', 'reversed')", name=op.f("ck_redemption_known_state")),
        sa.CheckConstraint("applied_fen > 0", name=op.f("ck_redemption_applied_positive")),
        sa.CheckConstraint("payable_fen >= 0", name=op.f("ck_redemption_payable_not_negative")),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_redemption")),
        schema="redemption",
        postgresql_with={"fillfactor": "90"},
    )
    op.create_index(
        "ix_redemption_institution_day",
        "redemption",
        ["institution_id", "redeemed_at"],
        unique=False,
        schema="redemption",
    )
    op.create_index(
        "uq_redemption_live_voucher",
        "redemption",
        ["bucket", "voucher_id"],
        unique=True,
        schema="redemption",
        postgresql_where=sa.text("state = 'redeemed'"),
    )
    op.create_table(
        "reversal",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=True),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("request_no", sa.Text(), nullable=False),
        sa.Column("original_request_no", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(outcome = 'reversed') = (redemption_id IS NOT NULL)", name=op.f("ck_reversal_of_a_redemption")
        ),
        sa.CheckConstraint("outcome IN ('reversed', 'blocked')", name=op.f("ck_reversal_known_outcome")),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_reversal")),
        sa.UniqueConstraint("bucket", "redemption_id", name=op.f("uq_reversal_bucket_redemption_id")),
        schema="redemption",
    )
    op.create_index(
        "ix_reversal_institution_at", "reversal", ["institution_id", "at"], unique=False, schema="redemption"
    )
    op.create_table(
        "risk_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(status = 'decided') = (decided_at IS NOT NULL)", name=op.f("ck_risk_case_decided")
        ),
        sa.CheckConstraint("kind IN ('offline_conflict')", name=op.f("ck_risk_case_known_kind")),
        sa.CheckConstraint("status IN ('open', 'decided')", name=op.f("ck_risk_case_known_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_case")),
        sa.UniqueConstraint("kind", "reference", name=op.f("uq_risk_case_kind_reference")),
        schema="redemption",
    )
    op.create_index(
        "ix_risk_case_campaign_status",
        "risk_case",
        ["campaign_id", "status"],
        unique=False,
        schema="redemption",
    )
    op.create_table(
        "directory_import",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("file_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_directory_import_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "file_sha256", name=op.f("pk_directory_import")),
        schema="redemption",
    )
    op.create_table(
        "membership",
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("accepts", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cardinality(accepts) > 0", name=op.f("ck_membership_accepts_something")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_membership_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["redemption.institution.id"],
            name=op.f("fk_membership_institution_id_institution"),
        ),
        sa.PrimaryKeyConstraint("institution_id", "campaign_id", name=op.f("pk_membership")),
        schema="redemption",
    )
    op.create_index(
        "ix_membership_campaign_id", "membership", ["campaign_id"], unique=False, schema="redemption"
    )
    op.create_table(
        "terminal",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("caller_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("activation_hash", sa.LargeBinary(), nullable=True, comment="keyed hash of the code"),
        sa.Column("activation_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("key_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("previous_key_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("previous_good_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device_id", sa.Text(), nullable=True),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "last_seen_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="its last check-in or day close",
        ),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(status = 'pending') = (activation_hash IS NOT NULL)",
            name=op.f("ck_terminal_activation_pending"),
        ),
        sa.CheckConstraint(
            "(status IN ('active', 'paused')) = (key_sealed IS NOT NULL)",
            name=op.f("ck_terminal_key_while_live"),
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'active', 'paused', 'revoked')", name=op.f("ck_terminal_known_status")
        ),
        sa.CheckConstraint(
            "(previous_key_sealed IS NULL) = (previous_good_until IS NULL)",
            name=op.f("ck_terminal_previous_key_ends"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["redemption.institution.id"],
            name=op.f("fk_terminal_institution_id_institution"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terminal")),
        sa.UniqueConstraint("activation_hash", name=op.f("uq_terminal_activation_hash")),
        sa.UniqueConstraint("caller_id", name=op.f("uq_terminal_caller_id")),
        schema="redemption",
    )
    op.create_index(
        "ix_terminal_institution_id", "terminal", ["institution_id"], unique=False, schema="redemption"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON redemption.reversal"
        " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
    )
    # A write-off changes its state, but it is never forgotten.
    op.execute(
        "CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON redemption.redemption"
        " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
    )


def downgrade() -> None:
    op.drop_index("ix_terminal_institution_id", table_name="terminal", schema="redemption")
    op.drop_table("terminal", schema="redemption")
    op.drop_index("ix_membership_campaign_id", table_name="membership", schema="redemption")
    op.drop_table("membership", schema="redemption")
    op.drop_table("directory_import", schema="redemption")
    op.drop_index("ix_risk_case_campaign_status", table_name="risk_case", schema="redemption")
    op.drop_table("risk_case", schema="redemption")
    op.drop_index("ix_reversal_institution_at", table_name="reversal", schema="redemption")
    op.drop_table("reversal", schema="redemption")
    op.drop_index(
        "uq_redemption_live_voucher",
        table_name="redemption",
        schema="redemption",
        postgresql_where=sa.text("state = 'redeemed'"),
    )
    op.drop_index("ix_redemption_institution_day", table_name="redemption", schema="redemption")
    op.drop_table("redemption", schema="redemption")
    op.drop_table("institution_statistics", schema="redemption")
    op.drop_index("ix_institution_name", table_name="institution", schema="redemption")
    op.drop_index("ix_institution_credit_code", table_name="institution", schema="redemption")
    op.drop_table("institution", schema="redemption")
