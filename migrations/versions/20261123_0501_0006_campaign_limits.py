"""Campaign rules: versions of budget, shares, limits and channels, caps, release plans, carried-over stock.

Safe for the code before and after it: every new column has a default or may be empty, and what stands in
the version tables is copied from the rows as they are. Campaigns are few, so the copy is one statement each.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_APPEND_ONLY = (
    "core.fund_version",
    "issuance.limits_version",
    "issuance.channel_version",
    "issuance.stock_return",
)
_CHECKS = (
    ("core.voucher_type", "ck_voucher_type_total_cap_positive", "total_cap > 0"),
    ("issuance.phase", "ck_phase_release_step_positive", "release_seconds > 0"),
    ("issuance.phase_stock", "ck_phase_stock_release_positive", "release_amount > 0"),
    ("issuance.phase_stock", "ck_phase_stock_returned_was_issued", "returned BETWEEN 0 AND issued"),
)


def upgrade() -> None:
    _add_columns()
    _create_fund_version()
    _create_limits_version()
    _create_channel_version()
    _create_stock_return()
    _copy_versions()
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    for table, name, condition in _CHECKS:
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
    # Checked outside the transaction, so that nobody waits for it.
    with op.get_context().autocommit_block():
        for table, name, _ in _CHECKS:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def _add_columns() -> None:
    op.add_column(
        "fund",
        sa.Column("version", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        schema="core",
    )
    op.alter_column(
        "ledger_transfer",
        "kind",
        existing_type=sa.TEXT(),
        comment="fund, refund, issue, redeem, release, reverse, recommit, expire, revoke, pay",
        existing_comment="fund, issue, redeem, release, reverse, recommit, expire, revoke, pay",
        existing_nullable=False,
        schema="core",
    )
    op.add_column(
        "voucher",
        sa.Column(
            "fund_version",
            sa.SmallInteger(),
            server_default=sa.text("1"),
            nullable=False,
            comment="the shares it is split by, for good",
        ),
        schema="core",
    )
    for table, name, comment, schema in (
        ("voucher_type", "total_cap", "pieces that all phases together may put in", "core"),
        ("campaign_rules", "draws_per_phase", "none: as many as the days allow", "issuance"),
        ("campaign_rules", "vouchers_per_type", "of one type in all phases together", "issuance"),
        ("phase", "release_seconds", "the step of its release plan, if it has one", "issuance"),
        (
            "phase_stock",
            "release_amount",
            "pieces that become claimable at the opening and at each step; none: all at once",
            "issuance",
        ),
    ):
        op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=True, comment=comment), schema=schema)
    op.alter_column(
        "phase_stock",
        "returned",
        existing_type=sa.BIGINT(),
        comment="issued, expired, and carried over to another phase",
        existing_nullable=False,
        existing_server_default=sa.text("0"),
        schema="issuance",
    )


def _create_fund_version() -> None:
    op.create_table(
        "fund_version",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.SmallInteger(), nullable=False),
        sa.Column("shares_ppm", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("budget_fen", sa.BigInteger(), nullable=False),
        sa.Column("put_up_fen", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "cardinality(put_up_fen) = cardinality(shares_ppm)", name=op.f("ck_fund_version_one_share_each")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.fund.campaign_id"], name=op.f("fk_fund_version_campaign_id_fund")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "version", name=op.f("pk_fund_version")),
        schema="core",
    )


def _create_limits_version() -> None:
    op.create_table(
        "limits_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("vouchers_per_phase", sa.BigInteger(), nullable=False),
        sa.Column("draws_per_day", sa.BigInteger(), nullable=False),
        sa.Column("draws_per_phase", sa.BigInteger(), nullable=True),
        sa.Column("vouchers_per_type", sa.BigInteger(), nullable=True),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "vouchers_per_phase > 0 AND draws_per_day > 0 AND draws_per_phase > 0 AND vouchers_per_type > 0",
            name=op.f("ck_limits_version_positive"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_limits_version_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_limits_version_change_id_change")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_limits_version")),
        sa.UniqueConstraint(
            "campaign_id", "effective_from", name=op.f("uq_limits_version_campaign_id_effective_from")
        ),
        schema="issuance",
    )


def _create_channel_version() -> None:
    op.create_table(
        "channel_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("chances", sa.BigInteger(), nullable=False),
        sa.Column("per_day", sa.BigInteger(), nullable=True),
        sa.Column("review", sa.Boolean(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "chances > 0 AND (per_day IS NULL OR per_day > 0)",
            name=op.f("ck_channel_version_limits_positive"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_channel_version_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_channel_version_change_id_change")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_version")),
        sa.UniqueConstraint(
            "campaign_id",
            "key",
            "effective_from",
            name=op.f("uq_channel_version_campaign_id_key_effective_from"),
        ),
        schema="issuance",
    )


def _create_stock_return() -> None:
    op.create_table(
        "stock_return",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("voucher_type", sa.Text(), nullable=False),
        sa.Column("pieces", sa.BigInteger(), nullable=False),
        sa.Column(
            "value_fen",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="per payer: what these pieces cost at the shares of that moment",
        ),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("pieces > 0", name=op.f("ck_stock_return_something")),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_stock_return_change_id_change")
        ),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["issuance.phase.id"], name=op.f("fk_stock_return_phase_id_phase")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_return")),
        schema="issuance",
    )
    op.create_index("ix_stock_return_phase", "stock_return", ["phase_id", "voucher_type"], schema="issuance")


def _copy_versions() -> None:
    op.execute("""
        INSERT INTO core.fund_version (
            campaign_id, version, shares_ppm, budget_fen, put_up_fen, effective_from, actor)
        SELECT f.campaign_id, 1, f.shares_ppm, f.budget_fen, t.amounts_fen, t.at, t.actor
        FROM core.fund f
        JOIN core.ledger_transfer t ON t.bucket = 0 AND t.source_id = f.campaign_id AND t.kind = 'fund'
    """)
    # The change that published a campaign is the one that made its first phase's first odds.
    op.execute("""
        INSERT INTO issuance.limits_version (
            id, campaign_id, vouchers_per_phase, draws_per_day, effective_from, change_id)
        SELECT gen_random_uuid(), r.campaign_id, r.vouchers_per_phase, r.draws_per_day, o.effective_from,
               o.change_id
        FROM issuance.campaign_rules r
        CROSS JOIN LATERAL (
            SELECT o.effective_from, o.change_id FROM issuance.phase p
            JOIN issuance.odds_version o ON o.phase_id = p.id
            WHERE p.campaign_id = r.campaign_id ORDER BY o.effective_from LIMIT 1) o
    """)
    op.execute("""
        INSERT INTO issuance.channel_version (
            id, campaign_id, key, chances, per_day, review, effective_from, change_id)
        SELECT gen_random_uuid(), ch.campaign_id, ch.key, ch.chances, ch.per_day, ch.review,
               l.effective_from, l.change_id
        FROM issuance.channel ch JOIN issuance.limits_version l ON l.campaign_id = ch.campaign_id
    """)


def downgrade() -> None:
    for table, name, _ in _CHECKS:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.alter_column(
        "phase_stock",
        "returned",
        existing_type=sa.BIGINT(),
        comment=None,
        existing_comment="issued, expired, and carried over to another phase",
        existing_nullable=False,
        existing_server_default=sa.text("0"),
        schema="issuance",
    )
    op.drop_column("phase_stock", "release_amount", schema="issuance")
    op.drop_column("phase", "release_seconds", schema="issuance")
    op.drop_column("campaign_rules", "vouchers_per_type", schema="issuance")
    op.drop_column("campaign_rules", "draws_per_phase", schema="issuance")
    op.drop_column("voucher_type", "total_cap", schema="core")
    op.drop_column("voucher", "fund_version", schema="core")
    op.alter_column(
        "ledger_transfer",
        "kind",
        existing_type=sa.TEXT(),
        comment="fund, issue, redeem, release, reverse, recommit, expire, revoke, pay",
        existing_comment="fund, refund, issue, redeem, release, reverse, recommit, expire, revoke, pay",
        existing_nullable=False,
        schema="core",
    )
    op.drop_column("fund", "version", schema="core")
    op.drop_table("stock_return", schema="issuance")
    op.drop_table("limits_version", schema="issuance")
    op.drop_table("channel_version", schema="issuance")
    op.drop_table("fund_version", schema="core")
