"""Service results, manual write-offs, wrong codes; who may undo a write-off, and what tills may do offline.

Safe for the code before and after it: new columns may be empty or have a default under which nothing changes,
and the kinds of cases are only added to.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Campaigns, their types and cases are few: what is read through is over in no time.
_FEW_ROWS = "-- squawk-ignore constraint-missing-not-valid\n"

_KINDS_BEFORE = (
    "kind IN ('offline_conflict', 'capacity', 'burst', 'hours', 'amounts', 'closed_group', 'manual',"
    " 'reversals', 'jump')"
)
_CHECKS = (
    (
        "core.campaign",
        "ck_campaign_offline_limits_positive",
        "offline_count_per_day > 0 AND offline_fen_per_day > 0",
    ),
    ("core.voucher_type", "ck_voucher_type_known_reversal", "reversal IN ('terminal', 'staff', 'never')"),
    ("core.voucher_type", "ck_voucher_type_reversal_window_positive", "reversal_window_hours > 0"),
)


def upgrade() -> None:
    _create_tables()
    _add_columns()
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON redemption.lockout"
        " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
    )
    for table in ("manual_write_off", "service_result"):
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON redemption.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    for table, name, condition in _CHECKS:
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
        op.execute(f"{_FEW_ROWS}ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    _replace_kinds(_KINDS_BEFORE.replace("'jump'", "'jump', 'wrong_codes'"))


def _replace_kinds(kinds: str) -> None:
    op.execute(
        "-- The one that takes its place lets more in.\n"
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE redemption.risk_case DROP CONSTRAINT ck_risk_case_known_kind"
    )
    op.execute(
        f"ALTER TABLE redemption.risk_case ADD CONSTRAINT ck_risk_case_known_kind CHECK ({kinds}) NOT VALID"
    )
    op.execute(f"{_FEW_ROWS}ALTER TABLE redemption.risk_case VALIDATE CONSTRAINT ck_risk_case_known_kind")


def _create_tables() -> None:
    op.create_table(
        "manual_write_off",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True, comment="NULL: its holder was forgotten"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["bucket", "redemption_id"],
            ["redemption.redemption.bucket", "redemption.redemption.id"],
            name=op.f("fk_manual_write_off_bucket_redemption_id_redemption"),
        ),
        sa.PrimaryKeyConstraint("bucket", "redemption_id", name=op.f("pk_manual_write_off")),
        schema="redemption",
    )
    op.create_index(
        "ix_manual_write_off_campaign",
        "manual_write_off",
        ["campaign_id", "at", "redemption_id"],
        unique=False,
        schema="redemption",
    )
    op.create_table(
        "service_result",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column(
            "attempts",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="deliveries that were tried",
        ),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'delivered') = (delivered_at IS NOT NULL)", name=op.f("ck_service_result_delivered_at")
        ),
        sa.CheckConstraint(
            "(status IN ('waiting', 'due')) = (content_sealed IS NOT NULL)",
            name=op.f("ck_service_result_content_while_it_may_go"),
        ),
        sa.CheckConstraint(
            "status IN ('waiting', 'due', 'delivered', 'undeliverable')",
            name=op.f("ck_service_result_known_status"),
        ),
        sa.ForeignKeyConstraint(
            ["bucket", "redemption_id"],
            ["redemption.redemption.bucket", "redemption.redemption.id"],
            name=op.f("fk_service_result_bucket_redemption_id_redemption"),
        ),
        sa.PrimaryKeyConstraint("bucket", "redemption_id", name=op.f("pk_service_result")),
        schema="redemption",
    )
    op.create_index(
        "ix_service_result_open",
        "service_result",
        ["reported_at", "redemption_id"],
        unique=False,
        schema="redemption",
        postgresql_where=sa.text("status <> 'delivered'"),
    )
    op.create_table(
        "lockout",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "misses", sa.BigInteger(), nullable=True, comment="within the window that ended in the lock"
        ),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True, comment="why staff let it in again"),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'locked') = (locked_until IS NOT NULL)", name=op.f("ck_lockout_locked_until")
        ),
        sa.CheckConstraint("kind IN ('locked', 'unlocked')", name=op.f("ck_lockout_known_kind")),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["redemption.terminal.id"], name=op.f("fk_lockout_terminal_id_terminal")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lockout")),
        schema="redemption",
    )
    op.create_index("ix_lockout_at", "lockout", ["at", "id"], unique=False, schema="redemption")
    op.create_table(
        "wrong_codes",
        sa.Column("terminal_id", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False, comment="since the terminal was made"),
        sa.Column("misses", sa.BigInteger(), nullable=False, comment="since `window_started_at`"),
        sa.Column("window_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("total >= misses AND misses >= 0", name=op.f("ck_wrong_codes_counted")),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["redemption.terminal.id"], name=op.f("fk_wrong_codes_terminal_id_terminal")
        ),
        sa.PrimaryKeyConstraint("terminal_id", name=op.f("pk_wrong_codes")),
        schema="redemption",
    )
    op.create_index(
        "ix_wrong_codes_locked",
        "wrong_codes",
        ["locked_until"],
        unique=False,
        schema="redemption",
        postgresql_where=sa.text("locked_until IS NOT NULL"),
    )


def _add_columns() -> None:
    for schema, table, column in (
        (
            "core",
            "campaign",
            sa.Column(
                "manual_write_off",
                sa.Boolean(),
                server_default=sa.text("false"),
                nullable=False,
                comment="tills may write off by id number, for people without a phone",
            ),
        ),
        (
            "core",
            "campaign",
            sa.Column(
                "offline_count_per_day",
                sa.BigInteger(),
                nullable=True,
                comment="live write-offs of a terminal's uploads that were used on one day",
            ),
        ),
        (
            "core",
            "campaign",
            sa.Column(
                "offline_fen_per_day",
                sa.BigInteger(),
                nullable=True,
                comment="their applied amounts together",
            ),
        ),
        (
            "core",
            "voucher_type",
            sa.Column(
                "reversal",
                sa.Text(),
                server_default=sa.text("'terminal'"),
                nullable=False,
                comment="who may undo a write-off of it",
            ),
        ),
        (
            "core",
            "voucher_type",
            sa.Column(
                "reversal_window_hours",
                sa.BigInteger(),
                nullable=True,
                comment="so long after a write-off reached us a terminal may undo it;"
                " none: until it is settled",
            ),
        ),
        (
            "redemption",
            "redemption",
            sa.Column(
                "result_reported_at",
                sa.DateTime(timezone=True),
                nullable=True,
                comment="its service result is with us: from then on no till undoes it",
            ),
        ),
    ):
        op.add_column(table, column, schema=schema)


def downgrade() -> None:
    # Cases of wrong codes are unknown to the code before.
    op.execute("ALTER TABLE redemption.risk_case DISABLE TRIGGER never_deleted")
    op.execute("DELETE FROM redemption.risk_case WHERE kind = 'wrong_codes'")
    op.execute("ALTER TABLE redemption.risk_case ENABLE TRIGGER never_deleted")
    _replace_kinds(_KINDS_BEFORE)
    for schema, table, column in (
        ("redemption", "redemption", "result_reported_at"),
        ("core", "voucher_type", "reversal_window_hours"),
        ("core", "voucher_type", "reversal"),
        ("core", "campaign", "offline_fen_per_day"),
        ("core", "campaign", "offline_count_per_day"),
        ("core", "campaign", "manual_write_off"),
    ):
        op.drop_column(table, column, schema=schema)
    for table in ("wrong_codes", "lockout", "service_result", "manual_write_off"):
        op.drop_table(table, schema="redemption")
