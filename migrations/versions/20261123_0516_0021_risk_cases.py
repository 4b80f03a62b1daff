"""Note where vouchers are claimed, keep what was done with each case, and set aside days that fail.

Safe for the code before it: new tables, columns that may be empty or have a default, further kinds of cases
that it never writes, and a case that may be reopened, which it never does. What was decided before is the
first action of its case.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Cases are few: people decide them one by one.
_VALIDATE = "-- squawk-ignore constraint-missing-not-valid\nALTER TABLE redemption.{} VALIDATE CONSTRAINT {}"
_KINDS_BEFORE = (
    "kind IN ('offline_conflict', 'capacity', 'burst', 'hours', 'amounts', 'closed_group', 'manual',"
    " 'reversals', 'jump', 'wrong_codes')"
)
_KINDS = (
    "kind IN ('offline_conflict', 'capacity', 'burst', 'hours', 'amounts', 'closed_group', 'shared_device',"
    " 'shared_address', 'manual', 'reversals', 'jump', 'wrong_codes')"
)
_DECIDED_ONCE = (
    "CREATE TRIGGER decided_once BEFORE UPDATE ON redemption.risk_case"
    " FOR EACH ROW WHEN ({}) EXECUTE FUNCTION core.refuse_change()"
)


def upgrade() -> None:
    _note_origins()
    _keep_actions()
    _set_days_aside()
    _replace_kinds(_KINDS)


def _note_origins() -> None:
    op.create_table(
        "voucher_origin",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False, comment="the award, as of its voucher"),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "device_hash",
            sa.LargeBinary(),
            nullable=True,
            comment="keyed, per campaign; NULL: none was named",
        ),
        sa.Column("address_hash", sa.LargeBinary(), nullable=True, comment="keyed, per campaign and day"),
        sa.Column("claimed_on", sa.Date(), nullable=False, comment="day of the campaign's time zone"),
        sa.CheckConstraint(
            "octet_length(address_hash) = 16", name=op.f("ck_voucher_origin_address_hash_keyed")
        ),
        sa.CheckConstraint(
            "octet_length(device_hash) = 16", name=op.f("ck_voucher_origin_device_hash_keyed")
        ),
        sa.PrimaryKeyConstraint("bucket", "source_id", name=op.f("pk_voucher_origin")),
        schema="core",
    )
    for name, columns in (
        ("address", ["campaign_id", "address_hash"]),
        ("claimed_on", ["claimed_on"]),
        ("device", ["campaign_id", "device_hash"]),
        ("person", ["bucket", "person_id"]),
    ):
        op.create_index(f"ix_voucher_origin_{name}", "voucher_origin", columns, unique=False, schema="core")
    op.add_column(
        "risk_rule",
        sa.Column("note_claims", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        schema="issuance",
    )


def _keep_actions() -> None:
    op.create_table(
        "risk_case_action",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.SmallInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column(
            "effect",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="what it did: held, released, paused, resumed",
        ),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(action = 'decide') = (decision IS NOT NULL)", name=op.f("ck_risk_case_action_decision")
        ),
        sa.CheckConstraint(
            "action IN ('decide', 'release', 'reopen')", name=op.f("ck_risk_case_action_known_action")
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["redemption.risk_case.id"], name=op.f("fk_risk_case_action_case_id_risk_case")
        ),
        sa.PrimaryKeyConstraint("case_id", "seq", name=op.f("pk_risk_case_action")),
        schema="redemption",
    )
    op.execute(
        "INSERT INTO redemption.risk_case_action (case_id, seq, action, decision, note, effect, staff_id, at)"
        " SELECT id, 1, 'decide', decision, note, '{}', decided_by, decided_at"
        " FROM redemption.risk_case WHERE status = 'decided'"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON redemption.risk_case_action"
        " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
    )
    op.execute("DROP TRIGGER decided_once ON redemption.risk_case")
    op.execute(_DECIDED_ONCE.format("OLD.status = 'decided' AND NEW.status = 'decided'"))


def _set_days_aside() -> None:
    op.add_column(
        "risk_day",
        sa.Column(
            "deferred_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="it could not be rolled up or judged, and a job of its own tries again",
        ),
        schema="redemption",
    )
    op.execute(
        "-- A row for each institution and day: some ten thousand.\n"
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX ix_risk_day_deferred ON redemption.risk_day (campaign_id)"
        " WHERE deferred_at IS NOT NULL"
    )
    op.execute(
        "ALTER TABLE redemption.risk_day ADD CONSTRAINT ck_risk_day_fresh_is_not_deferred"
        " CHECK (stale OR deferred_at IS NULL) NOT VALID"
    )
    op.execute(_VALIDATE.format("risk_day", "ck_risk_day_fresh_is_not_deferred"))


def _replace_kinds(kinds: str) -> None:
    op.execute(
        "-- The one that takes its place lets more in.\n"
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE redemption.risk_case DROP CONSTRAINT ck_risk_case_known_kind"
    )
    op.execute(
        f"ALTER TABLE redemption.risk_case ADD CONSTRAINT ck_risk_case_known_kind CHECK ({kinds}) NOT VALID"
    )
    op.execute(_VALIDATE.format("risk_case", "ck_risk_case_known_kind"))


def downgrade() -> None:
    # Cases of these kinds, and their evidence, are unknown to the code before.
    op.execute("DROP TRIGGER never_deleted ON redemption.risk_case")
    op.execute("DROP TRIGGER never_deleted ON redemption.risk_case_item")
    op.drop_table("risk_case_action", schema="redemption")
    shared_kinds = "kind IN ('shared_device', 'shared_address')"
    op.execute(
        "DELETE FROM redemption.risk_case_item i USING redemption.risk_case k"
        f" WHERE k.id = i.case_id AND k.{shared_kinds}"
    )
    op.execute(f"DELETE FROM redemption.risk_case WHERE {shared_kinds}")
    for table in ("risk_case", "risk_case_item"):
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON redemption.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    _replace_kinds(_KINDS_BEFORE)
    op.execute("DROP TRIGGER decided_once ON redemption.risk_case")
    op.execute(_DECIDED_ONCE.format("OLD.status = 'decided'"))
    op.drop_constraint("ck_risk_day_fresh_is_not_deferred", "risk_day", schema="redemption")
    op.drop_index("ix_risk_day_deferred", table_name="risk_day", schema="redemption")
    op.drop_column("risk_day", "deferred_at", schema="redemption")
    op.drop_column("risk_rule", "note_claims", schema="issuance")
    op.drop_table("voucher_origin", schema="core")
