"""Settlement terms: hold period of a campaign, what was held back, disputes and their end, payees' accounts.

The code before it goes on: new columns are empty or have a default, a line that it writes is of the first
revision, and the constraint that takes the place of another lets more in. Campaigns, settlements and their
lines are few (institutions by months), so what is copied is one statement and its locks are short.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("issuance.settlement_hold_version", "redemption.held_back")
_NEVER_DELETED = ("redemption.settlement_dispute", "redemption.payee_account")
_PLACE_BEFORE = "settlement_id <> original_settlement_id"
_PLACE = (
    f"CASE WHEN dispute_id IS NULL THEN {_PLACE_BEFORE}"
    " ELSE settlement_id = original_settlement_id AND settlement_id IS NOT NULL END"
)
_FEW_ROWS = "-- squawk-ignore constraint-missing-not-valid\n"


def upgrade() -> None:
    _create_tables()
    _add_columns()
    _copy()
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    for table in _NEVER_DELETED:
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    # What was approved once, or ended once, stays so.
    op.execute(
        "CREATE TRIGGER approved_once BEFORE UPDATE ON redemption.payee_account"
        " FOR EACH ROW WHEN (OLD.version IS NOT NULL) EXECUTE FUNCTION core.refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER ended_once BEFORE UPDATE ON redemption.settlement_dispute"
        " FOR EACH ROW WHEN (OLD.outcome IS NOT NULL) EXECUTE FUNCTION core.refuse_change()"
    )


def _create_tables() -> None:
    op.create_table(
        "settlement_hold_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("settlement_hold_days", sa.SmallInteger(), nullable=True),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "settlement_hold_days BETWEEN 0 AND 365", name=op.f("ck_settlement_hold_version_range")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["core.campaign.id"],
            name=op.f("fk_settlement_hold_version_campaign_id_campaign"),
        ),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_settlement_hold_version_change_id_change")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_hold_version")),
        sa.UniqueConstraint(
            "campaign_id",
            "effective_from",
            name=op.f("uq_settlement_hold_version_campaign_id_effective_from"),
        ),
        schema="issuance",
    )
    op.create_table(
        "held_back",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "cause IN ('hold_period', 'write_off_hold', 'institution_hold')",
            name=op.f("ck_held_back_known_cause"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["redemption.settlement_run.id"], name=op.f("fk_held_back_run_id_settlement_run")
        ),
        sa.PrimaryKeyConstraint("run_id", "bucket", "redemption_id", name=op.f("pk_held_back")),
        schema="redemption",
    )
    op.create_index(
        "ix_held_back_institution", "held_back", ["institution_id", "run_id"], schema="redemption"
    )
    _create_payee_account()
    _create_dispute()


def _create_payee_account() -> None:
    op.create_table(
        "payee_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column(
            "details_sealed",
            sa.LargeBinary(),
            nullable=False,
            comment="account name, bank and number, as JSON",
        ),
        sa.Column("account_name_masked", sa.Text(), nullable=False),
        sa.Column("bank_name_masked", sa.Text(), nullable=False),
        sa.Column("account_number_masked", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.SmallInteger(), nullable=True),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(version IS NULL) = (effective_from IS NULL) AND (version IS NULL OR change_id IS NOT NULL)",
            name=op.f("ck_payee_account_approved"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_payee_account_version_positive")),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_payee_account_change_id_change")
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["redemption.institution.id"],
            name=op.f("fk_payee_account_institution_id_institution"),
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["core.staff.id"], name=op.f("fk_payee_account_proposed_by_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payee_account")),
        sa.UniqueConstraint(
            "institution_id", "version", name=op.f("uq_payee_account_institution_id_version")
        ),
        schema="redemption",
    )
    op.create_index(
        "ix_payee_account_in_force",
        "payee_account",
        ["institution_id", "effective_from"],
        schema="redemption",
        postgresql_where=sa.text("version IS NOT NULL"),
    )


def _create_dispute() -> None:
    op.create_table(
        "settlement_dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True, comment="of the outcome, for the institution"),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("change_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(change_id IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'upheld')",
            name=op.f("ck_settlement_dispute_four_eyes"),
        ),
        sa.CheckConstraint(
            "outcome IN ('upheld', 'rejected', 'confirmed', 'restated')",
            name=op.f("ck_settlement_dispute_known_outcome"),
        ),
        sa.CheckConstraint(
            "outcome IS NULL OR outcome NOT IN ('upheld', 'rejected') OR reason IS NOT NULL",
            name=op.f("ck_settlement_dispute_reasoned"),
        ),
        sa.CheckConstraint(
            "(outcome IS NULL) = (ended_at IS NULL)", name=op.f("ck_settlement_dispute_ended")
        ),
        *(
            sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_settlement_dispute_{column}_{table}"))
            for column, target, table in (
                ("change_id", "core.change.id", "change"),
                ("ended_by", "core.staff.id", "staff"),
                ("raised_by", "core.staff.id", "staff"),
                ("settlement_id", "redemption.settlement.id", "settlement"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_dispute")),
        schema="redemption",
    )
    op.create_index(
        "ix_settlement_dispute_settlement",
        "settlement_dispute",
        ["settlement_id", "raised_at"],
        schema="redemption",
    )
    op.create_index(
        "uq_settlement_dispute_open",
        "settlement_dispute",
        ["settlement_id"],
        unique=True,
        schema="redemption",
        postgresql_where=sa.text("outcome IS NULL"),
    )


def _add_columns() -> None:
    op.add_column(
        "campaign",
        sa.Column(
            "settlement_hold_days",
            sa.SmallInteger(),
            nullable=True,
            comment="younger write-offs wait for the next settlement; none: as the platform is set",
        ),
        schema="core",
    )
    op.execute(
        "ALTER TABLE core.campaign ADD CONSTRAINT ck_campaign_settlement_hold_range"
        " CHECK (settlement_hold_days BETWEEN 0 AND 365) NOT VALID"
    )
    op.execute(f"{_FEW_ROWS}ALTER TABLE core.campaign VALIDATE CONSTRAINT ck_campaign_settlement_hold_range")
    for column in (
        sa.Column(
            "hold_days",
            sa.SmallInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="the hold period when the run began",
        ),
        sa.Column(
            "received_until",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="what reached us later is within the hold period; none: no such period",
        ),
    ):
        op.add_column("settlement_run", column, schema="redemption")
    for table in ("settlement", "settlement_line"):
        op.add_column(
            table,
            sa.Column("revision", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
            schema="redemption",
        )
    op.execute(
        "-- Lines are few: some for each institution and month.\n"
        "-- squawk-ignore adding-serial-primary-key-field, ban-drop-constraint, constraint-missing-not-valid,"
        " disallowed-unique-constraint\n"
        "ALTER TABLE redemption.settlement_line DROP CONSTRAINT pk_settlement_line,"
        " ADD CONSTRAINT pk_settlement_line PRIMARY KEY (settlement_id, revision, kind, voucher_type)"
    )
    op.add_column(
        "settlement",
        sa.Column(
            "payee_account_id", sa.Uuid(), nullable=True, comment="that it was paid to; none: not known to us"
        ),
        schema="redemption",
    )
    op.add_column(
        "correction",
        sa.Column("dispute_id", sa.Uuid(), nullable=True, comment="that was right about it"),
        schema="redemption",
    )
    for table, column, target in (
        ("settlement", "payee_account_id", "payee_account"),
        ("correction", "dispute_id", "settlement_dispute"),
    ):
        name = f"fk_{table}_{column}_{target}"
        op.execute(
            f"ALTER TABLE redemption.{table} ADD CONSTRAINT {name}"
            f" FOREIGN KEY ({column}) REFERENCES redemption.{target} (id) NOT VALID"
        )
        op.execute(f"{_FEW_ROWS}ALTER TABLE redemption.{table} VALIDATE CONSTRAINT {name}")
    op.execute(
        "-- The one that takes its place lets more in.\n"
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE redemption.correction DROP CONSTRAINT ck_correction_in_a_later_settlement"
    )
    op.execute(
        "ALTER TABLE redemption.correction ADD CONSTRAINT ck_correction_in_its_place"
        f" CHECK ({_PLACE}) NOT VALID"
    )
    op.execute(f"{_FEW_ROWS}ALTER TABLE redemption.correction VALIDATE CONSTRAINT ck_correction_in_its_place")


def _copy() -> None:
    """Versions begin with the definition, and a dispute that is open has its row."""
    op.execute("""
        INSERT INTO issuance.settlement_hold_version (id, campaign_id, effective_from, change_id)
        SELECT gen_random_uuid(), campaign_id, effective_from, change_id
        FROM (SELECT DISTINCT ON (campaign_id) campaign_id, effective_from, change_id
              FROM issuance.limits_version ORDER BY campaign_id, effective_from) AS first
    """)
    op.execute("""
        INSERT INTO redemption.settlement_dispute (id, settlement_id, note, raised_at)
        SELECT gen_random_uuid(), id, dispute_note, disputed_at
        FROM redemption.settlement WHERE disputed_at IS NOT NULL
    """)


def downgrade() -> None:
    # What a dispute took back is unknown to the code before; the rows stay, unchecked.
    op.execute("ALTER TABLE redemption.correction DROP CONSTRAINT ck_correction_in_its_place")
    op.execute(
        "ALTER TABLE redemption.correction ADD CONSTRAINT ck_correction_in_a_later_settlement"
        f" CHECK ({_PLACE_BEFORE}) NOT VALID"
    )
    op.drop_column("correction", "dispute_id", schema="redemption")
    op.drop_column("settlement", "payee_account_id", schema="redemption")
    # Only the lines that hold stay.
    op.execute("ALTER TABLE redemption.settlement_line DISABLE TRIGGER append_only")
    op.execute(
        "DELETE FROM redemption.settlement_line l USING redemption.settlement s"
        " WHERE s.id = l.settlement_id AND s.revision <> l.revision"
    )
    op.execute("ALTER TABLE redemption.settlement_line ENABLE TRIGGER append_only")
    op.execute("ALTER TABLE redemption.settlement_line DROP CONSTRAINT pk_settlement_line")
    for table in ("settlement_line", "settlement"):
        op.drop_column(table, "revision", schema="redemption")
    op.execute(
        "ALTER TABLE redemption.settlement_line ADD CONSTRAINT pk_settlement_line"
        " PRIMARY KEY (settlement_id, kind, voucher_type)"
    )
    for column in ("received_until", "hold_days"):
        op.drop_column("settlement_run", column, schema="redemption")
    op.drop_column("campaign", "settlement_hold_days", schema="core")
    for table in ("settlement_dispute", "payee_account", "held_back"):
        op.drop_table(table, schema="redemption")
    op.drop_table("settlement_hold_version", schema="issuance")
