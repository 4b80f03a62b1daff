"""Institutions and terminals: opening hours, closing, history, approval of types, contract prices, operators.

The code before it goes on: new columns are empty or have a default, statuses are only added to, and a list
that it imports gets its id by default. Institutions, memberships and imports are few, so what has to be
rewritten is rewritten at once.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TOLD_BY_TILL = "who worked the terminal, by code, as it told"


def upgrade() -> None:
    _create_institution_version()
    _create_contract_price()
    _create_operator()
    _add_columns()
    _name_imports()
    for table in ("institution_version", "contract_price"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON redemption.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    for table in ("operator", "directory_import"):
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON redemption.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    _replace_check("institution", "known_status", "status IN ('active', 'paused', 'closed')")
    _replace_check("membership", "accepts_something", "cardinality(accepts) + cardinality(awaiting) > 0")
    _outside_the_transaction()


def _create_institution_version() -> None:
    op.create_table(
        "institution_version",
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=True, comment="whose vouchers `accepts` tells of"),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True, comment="NULL: it was not there"),
        sa.Column("entry", postgresql.JSONB(), nullable=True, comment="NULL: it is gone"),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(cause IN ('import', 'undo')) = (import_id IS NOT NULL)",
            name=op.f("ck_institution_version_import_named"),
        ),
        sa.CheckConstraint(
            "cause IN ('create', 'edit', 'import', 'undo', 'approve', 'close')",
            name=op.f("ck_institution_version_known_cause"),
        ),
        sa.PrimaryKeyConstraint("institution_id", "version", name=op.f("pk_institution_version")),
        schema="redemption",
    )
    op.create_index(
        "ix_institution_version_import_id",
        "institution_version",
        ["import_id"],
        unique=False,
        schema="redemption",
    )


def _create_contract_price() -> None:
    op.create_table(
        "contract_price",
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("voucher_type", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("effective_day", sa.Date(), nullable=False, comment="in the campaign's time zone"),
        sa.Column(
            "price_fen", sa.BigInteger(), nullable=True, comment="NULL: the campaign's price from then on"
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "created_at < effective_from", name=op.f("ck_contract_price_written_before_it_begins")
        ),
        sa.CheckConstraint("price_fen > 0", name=op.f("ck_contract_price_price_positive")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_contract_price_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_contract_price_change_id_change")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["redemption.institution.id"],
            name=op.f("fk_contract_price_institution_id_institution"),
        ),
        sa.PrimaryKeyConstraint(
            "institution_id",
            "campaign_id",
            "voucher_type",
            "effective_from",
            "version",
            name=op.f("pk_contract_price"),
        ),
        schema="redemption",
    )


def _create_operator() -> None:
    op.create_table(
        "operator",
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("terminal_id", sa.Text(), nullable=True, comment="NULL: every terminal of the institution"),
        sa.Column(
            "label",
            sa.Text(),
            nullable=False,
            comment="what the institution calls them, no legal name needed",
        ),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_operator_ended_by_somebody")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["redemption.institution.id"],
            name=op.f("fk_operator_institution_id_institution"),
        ),
        sa.ForeignKeyConstraint(
            ["terminal_id"], ["redemption.terminal.id"], name=op.f("fk_operator_terminal_id_terminal")
        ),
        sa.PrimaryKeyConstraint("institution_id", "code", name=op.f("pk_operator")),
        schema="redemption",
    )
    op.create_index(
        "ix_operator_terminal_id",
        "operator",
        ["terminal_id"],
        unique=False,
        schema="redemption",
        postgresql_where=sa.text("terminal_id IS NOT NULL"),
    )


def _add_columns() -> None:
    for schema, table, column in (
        (
            "core",
            "campaign",
            sa.Column(
                "institution_approval",
                sa.Boolean(),
                server_default=sa.text("false"),
                nullable=False,
                comment="two people let an institution accept a type",
            ),
        ),
        (
            "redemption",
            "institution",
            sa.Column(
                "hours",
                postgresql.JSONB(),
                nullable=True,
                comment="opening hours: spans by weekday, mon to sun; NULL where nobody said",
            ),
        ),
        (
            "redemption",
            "membership",
            sa.Column(
                "awaiting", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
            ),
        ),
        ("redemption", "redemption", sa.Column("operator", sa.Text(), nullable=True, comment=_TOLD_BY_TILL)),
        ("redemption", "reversal", sa.Column("operator", sa.Text(), nullable=True, comment=_TOLD_BY_TILL)),
        (
            "redemption",
            "terminal",
            sa.Column(
                "clock_skew_seconds",
                sa.BigInteger(),
                nullable=True,
                comment="how far its clock is ahead of ours",
            ),
        ),
        (
            "redemption",
            "terminal",
            sa.Column(
                "version",
                sa.Text(),
                nullable=True,
                comment="of its software, as told at its last check-in",
            ),
        ),
        (
            "redemption",
            "directory_import",
            sa.Column("updated", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        ),
        (
            "redemption",
            "directory_import",
            sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        ),
        ("redemption", "directory_import", sa.Column("undone_by", sa.Uuid(), nullable=True)),
    ):
        op.add_column(table, column, schema=schema)
    op.alter_column(
        "terminal",
        "last_seen_at",
        existing_type=sa.DateTime(timezone=True),
        comment="its last signed call, to the minute",
        existing_comment="its last check-in or day close",
        existing_nullable=True,
        schema="redemption",
    )


def _name_imports() -> None:
    """An import is known by an id of its own: a list may be imported again once it was undone."""
    op.execute(
        "ALTER TABLE redemption.directory_import"
        " ADD CONSTRAINT ck_directory_import_undone_by_somebody"
        " CHECK ((undone_at IS NULL) = (undone_by IS NULL)) NOT VALID"
    )
    op.execute(
        "-- A list is imported now and then: there are some dozens.\n"
        "-- squawk-ignore adding-field-with-default\n"
        "ALTER TABLE redemption.directory_import ADD COLUMN id uuid DEFAULT gen_random_uuid() NOT NULL"
    )
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE redemption.directory_import DROP CONSTRAINT pk_directory_import"
    )
    op.execute(
        "-- squawk-ignore adding-serial-primary-key-field, constraint-missing-not-valid\n"
        "ALTER TABLE redemption.directory_import ADD CONSTRAINT pk_directory_import PRIMARY KEY (id)"
    )


def _outside_the_transaction() -> None:
    """So that nobody waits for it."""
    with op.get_context().autocommit_block():
        for table, name in (
            ("institution", "known_status"),
            ("membership", "accepts_something"),
            ("directory_import", "undone_by_somebody"),
        ):
            op.execute(f"ALTER TABLE redemption.{table} VALIDATE CONSTRAINT ck_{table}_{name}")
        for name, columns in (
            ("file", ["campaign_id", "file_sha256"]),
            ("at", ["imported_at", "id"]),
        ):
            op.create_index(
                f"ix_directory_import_{name}",
                "directory_import",
                columns,
                unique=False,
                schema="redemption",
                postgresql_concurrently=True,
            )


def _replace_check(table: str, name: str, condition: str) -> None:
    constraint = f"ck_{table}_{name}"
    op.execute(
        "-- The one that takes its place lets more in.\n"
        f"-- squawk-ignore ban-drop-constraint\nALTER TABLE redemption.{table} DROP CONSTRAINT {constraint}"
    )
    op.execute(f"ALTER TABLE redemption.{table} ADD CONSTRAINT {constraint} CHECK ({condition}) NOT VALID")


def downgrade() -> None:
    """What was closed is paused again, and a membership that only waits for approval ends."""
    op.execute("UPDATE redemption.institution SET status = 'paused' WHERE status = 'closed'")
    op.execute("DELETE FROM redemption.membership WHERE cardinality(accepts) = 0")
    _replace_check("membership", "accepts_something", "cardinality(accepts) > 0")
    _replace_check("institution", "known_status", "status IN ('active', 'paused')")
    for constraint in (
        "membership VALIDATE CONSTRAINT ck_membership_accepts_something",
        "institution VALIDATE CONSTRAINT ck_institution_known_status",
    ):
        op.execute(f"ALTER TABLE redemption.{constraint}")
    op.execute("DROP TRIGGER never_deleted ON redemption.directory_import")
    op.execute(
        "DELETE FROM redemption.directory_import d USING redemption.directory_import later"
        " WHERE d.campaign_id = later.campaign_id AND d.file_sha256 = later.file_sha256 AND d.id < later.id"
    )
    op.drop_index("ix_directory_import_at", table_name="directory_import", schema="redemption")
    op.drop_index("ix_directory_import_file", table_name="directory_import", schema="redemption")
    op.execute("ALTER TABLE redemption.directory_import DROP CONSTRAINT pk_directory_import")
    op.execute(
        "ALTER TABLE redemption.directory_import DROP CONSTRAINT ck_directory_import_undone_by_somebody"
    )
    op.execute(
        "ALTER TABLE redemption.directory_import"
        " ADD CONSTRAINT pk_directory_import PRIMARY KEY (campaign_id, file_sha256)"
    )
    op.alter_column(
        "terminal",
        "last_seen_at",
        existing_type=sa.DateTime(timezone=True),
        comment="its last check-in or day close",
        existing_comment="its last signed call, to the minute",
        existing_nullable=True,
        schema="redemption",
    )
    for schema, table, column in (
        ("redemption", "directory_import", "undone_by"),
        ("redemption", "directory_import", "undone_at"),
        ("redemption", "directory_import", "updated"),
        ("redemption", "directory_import", "id"),
        ("redemption", "terminal", "version"),
        ("redemption", "terminal", "clock_skew_seconds"),
        ("redemption", "reversal", "operator"),
        ("redemption", "redemption", "operator"),
        ("redemption", "membership", "awaiting"),
        ("redemption", "institution", "hours"),
        ("core", "campaign", "institution_approval"),
    ):
        op.drop_column(table, column, schema=schema)
    for table in ("operator", "contract_price", "institution_version"):
        op.drop_table(table, schema="redemption")
