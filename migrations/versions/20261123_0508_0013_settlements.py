"""Settlements: runs, what an institution is owed and its lines, corrections, holds, reconciliations.

Only new tables, and a trigger that nothing violates yet: the code before writes no `settlement_id`.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_KINDS = "fund, refund, issue, redeem, release, reverse, recommit, expire, revoke, pay"


def upgrade() -> None:
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("file_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("matched", sa.BigInteger(), nullable=False),
        sa.Column("only_ours", sa.BigInteger(), nullable=False),
        sa.Column("only_theirs", sa.BigInteger(), nullable=False),
        sa.Column("different", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False, comment="rows that could not be read"),
        sa.Column("workbook_address", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("period_from <= period_to", name=op.f("ck_reconciliation_period")),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["redemption.institution.id"],
            name=op.f("fk_reconciliation_institution_id_institution"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliation")),
        schema="redemption",
    )
    op.create_index(
        "ix_reconciliation_institution",
        "reconciliation",
        ["institution_id", "at", "id"],
        unique=False,
        schema="redemption",
    )
    op.create_table(
        "settlement_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=True),
        sa.Column(
            "redemption_id", sa.Uuid(), nullable=True, comment="NULL: all write-offs of the institution"
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Text(), nullable=False, comment="actor"),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_by", sa.Text(), nullable=True, comment="actor"),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(bucket IS NULL) = (redemption_id IS NULL)", name=op.f("ck_settlement_hold_address")
        ),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_by IS NULL)", name=op.f("ck_settlement_hold_released")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["redemption.institution.id"],
            name=op.f("fk_settlement_hold_institution_id_institution"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_hold")),
        schema="redemption",
    )
    op.create_index(
        "ix_settlement_hold_institution",
        "settlement_hold",
        ["institution_id", "placed_at", "id"],
        unique=False,
        schema="redemption",
    )
    op.create_index(
        "ix_settlement_hold_open",
        "settlement_hold",
        ["institution_id", "bucket", "redemption_id"],
        unique=False,
        schema="redemption",
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_table(
        "settlement_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column(
            "period_from",
            sa.Date(),
            nullable=False,
            comment="days of the campaign's time zone, both included",
        ),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("period_from <= period_to", name=op.f("ck_settlement_run_period")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_settlement_run_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_run")),
        schema="redemption",
    )
    op.create_index(
        "ix_settlement_run_campaign",
        "settlement_run",
        ["campaign_id", "period_from"],
        unique=False,
        schema="redemption",
    )
    op.create_table(
        "settlement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False, comment="write-offs"),
        sa.Column("corrections", sa.BigInteger(), nullable=False),
        sa.Column(
            "amount_fen", sa.BigInteger(), nullable=False, comment="of the write-offs, less the corrections"
        ),
        sa.Column(
            "split_fen",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="the amount per payer, in the fund's order; a part may be below zero",
        ),
        sa.Column("status", sa.Text(), server_default=sa.text("'draft'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disputed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dispute_note", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_by_change", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(status = 'draft') = (confirmed_at IS NULL)", name=op.f("ck_settlement_confirmed")
        ),
        sa.CheckConstraint("(status = 'paid') = (paid_at IS NOT NULL)", name=op.f("ck_settlement_paid")),
        sa.CheckConstraint(
            "status = 'draft' OR disputed_at IS NULL", name=op.f("ck_settlement_disputed_is_not_confirmed")
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'confirmed', 'paid')", name=op.f("ck_settlement_known_status")
        ),
        sa.CheckConstraint(
            "(disputed_at IS NULL) = (dispute_note IS NULL)", name=op.f("ck_settlement_disputed")
        ),
        sa.CheckConstraint(
            "count >= 0 AND corrections >= 0 AND count + corrections > 0",
            name=op.f("ck_settlement_not_empty"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_settlement_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["redemption.institution.id"],
            name=op.f("fk_settlement_institution_id_institution"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["redemption.settlement_run.id"], name=op.f("fk_settlement_run_id_settlement_run")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement")),
        sa.UniqueConstraint("run_id", "institution_id", name=op.f("uq_settlement_run_id_institution_id")),
        schema="redemption",
    )
    op.create_index(
        "ix_settlement_campaign",
        "settlement",
        ["campaign_id", "created_at", "id"],
        unique=False,
        schema="redemption",
    )
    op.create_index(
        "ix_settlement_institution",
        "settlement",
        ["institution_id", "created_at", "id"],
        unique=False,
        schema="redemption",
    )
    op.create_table(
        "correction",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("voucher_type", sa.Text(), nullable=False),
        sa.Column(
            "amount_fen",
            sa.BigInteger(),
            nullable=False,
            comment="what is taken back: the write-off's applied amount",
        ),
        sa.Column(
            "split_fen", postgresql.ARRAY(sa.BigInteger()), nullable=False, comment="the write-off's own"
        ),
        sa.Column("original_settlement_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settlement_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_correction_amount_positive")),
        sa.CheckConstraint(
            "settlement_id <> original_settlement_id", name=op.f("ck_correction_in_a_later_settlement")
        ),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_correction_change_id_change")
        ),
        sa.ForeignKeyConstraint(
            ["original_settlement_id"],
            ["redemption.settlement.id"],
            name=op.f("fk_correction_original_settlement_id_settlement"),
        ),
        sa.ForeignKeyConstraint(
            ["settlement_id"],
            ["redemption.settlement.id"],
            name=op.f("fk_correction_settlement_id_settlement"),
        ),
        sa.PrimaryKeyConstraint("bucket", "redemption_id", name=op.f("pk_correction")),
        schema="redemption",
    )
    op.create_index(
        "ix_correction_settlement", "correction", ["settlement_id"], unique=False, schema="redemption"
    )
    op.create_index(
        "ix_correction_waiting",
        "correction",
        ["campaign_id", "institution_id"],
        unique=False,
        schema="redemption",
        postgresql_where=sa.text("settlement_id IS NULL"),
    )
    op.create_table(
        "settlement_line",
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("voucher_type", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False, comment="below zero for corrections"),
        sa.Column("split_fen", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.CheckConstraint(
            "(kind = 'redemption') = (amount_fen > 0) AND amount_fen <> 0",
            name=op.f("ck_settlement_line_sign"),
        ),
        sa.CheckConstraint(
            "kind IN ('redemption', 'correction')", name=op.f("ck_settlement_line_known_kind")
        ),
        sa.CheckConstraint("count > 0", name=op.f("ck_settlement_line_not_empty")),
        sa.ForeignKeyConstraint(
            ["settlement_id"],
            ["redemption.settlement.id"],
            name=op.f("fk_settlement_line_settlement_id_settlement"),
        ),
        sa.PrimaryKeyConstraint("settlement_id", "kind", "voucher_type", name=op.f("pk_settlement_line")),
        schema="redemption",
    )
    op.alter_column(
        "ledger_transfer",
        "kind",
        existing_type=sa.TEXT(),
        comment=_KINDS + ", recover",
        existing_comment=_KINDS,
        existing_nullable=False,
        schema="core",
    )
    for table in ("settlement_run", "settlement_line", "reconciliation"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON redemption.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    for table in ("settlement", "correction", "settlement_hold"):
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON redemption.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    # The last guard of "in at most one settlement": what is in one stays in it.
    for table in ("redemption", "correction"):
        op.execute(
            f"CREATE TRIGGER settled_once BEFORE UPDATE OF settlement_id ON redemption.{table}"
            " FOR EACH ROW WHEN (OLD.settlement_id IS NOT NULL"
            " AND NEW.settlement_id IS DISTINCT FROM OLD.settlement_id)"
            " EXECUTE FUNCTION core.refuse_change()"
        )


def downgrade() -> None:
    op.alter_column(
        "ledger_transfer",
        "kind",
        existing_type=sa.TEXT(),
        comment=_KINDS,
        existing_comment=_KINDS + ", recover",
        existing_nullable=False,
        schema="core",
    )
    op.execute("DROP TRIGGER settled_once ON redemption.redemption")
    op.drop_table("settlement_line", schema="redemption")
    op.drop_index(
        "ix_correction_waiting",
        table_name="correction",
        schema="redemption",
        postgresql_where=sa.text("settlement_id IS NULL"),
    )
    op.drop_index("ix_correction_settlement", table_name="correction", schema="redemption")
    op.drop_table("correction", schema="redemption")
    op.drop_index("ix_settlement_institution", table_name="settlement", schema="redemption")
    op.drop_index("ix_settlement_campaign", table_name="settlement", schema="redemption")
    op.drop_table("settlement", schema="redemption")
    op.drop_index("ix_settlement_run_campaign", table_name="settlement_run", schema="redemption")
    op.drop_table("settlement_run", schema="redemption")
    op.drop_index(
        "ix_settlement_hold_open",
        table_name="settlement_hold",
        schema="redemption",
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.drop_index("ix_settlement_hold_institution", table_name="settlement_hold", schema="redemption")
    op.drop_table("settlement_hold", schema="redemption")
    op.drop_index("ix_reconciliation_institution", table_name="reconciliation", schema="redemption")
    op.drop_table("reconciliation", schema="redemption")
