"""Risk signals and their cases, what institutions can do in an hour, frozen rankings of institutions.

Safe for the code before it: new tables, new columns of cases that may be empty, and further kinds of cases,
which that code never writes. What was written off before is rolled up by the job: its days begin stale.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# Cases are few: people decide them one by one.
_VALIDATE = (
    "-- squawk-ignore constraint-missing-not-valid\nALTER TABLE redemption.risk_case VALIDATE CONSTRAINT {}"
)

_KINDS = (
    "kind IN ('offline_conflict', 'capacity', 'burst', 'hours', 'amounts', 'closed_group', 'manual',"
    " 'reversals', 'jump')"
)
_KIND_BEFORE = "kind IN ('offline_conflict')"


def upgrade() -> None:
    _make_days()
    _make_editions()
    _make_cases()
    for table in ("ranking_edition", "ranking_item"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON redemption.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    for table in ("risk_case", "risk_case_item"):
        op.execute(
            f"CREATE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON redemption.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER decided_once BEFORE UPDATE ON redemption.risk_case"
        " FOR EACH ROW WHEN (OLD.status = 'decided') EXECUTE FUNCTION core.refuse_change()"
    )


def _make_days() -> None:
    op.create_table(
        "risk_day",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("rolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("live", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("reversed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "redone",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="live ones of a voucher that was reversed here on the same day",
        ),
        sa.Column("manual", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "prompt",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="within minutes of being issued",
        ),
        sa.Column(
            "billed",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="with a bill (general vouchers)",
        ),
        sa.Column(
            "face_bills",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="bill = face value",
        ),
        sa.Column(
            "same_bills",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="the most of one other amount",
        ),
        sa.Column(
            "hours",
            postgresql.ARRAY(sa.BigInteger()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="live ones by hour of the campaign's day",
        ),
        sa.Column(
            "holders",
            postgresql.ARRAY(sa.BigInteger()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="a number per live one, equal for one holder, without meaning elsewhere",
        ),
        sa.CheckConstraint("stale OR rolled_at IS NOT NULL", name=op.f("ck_risk_day_fresh_is_rolled_up")),
        sa.PrimaryKeyConstraint("campaign_id", "institution_id", "day", name=op.f("pk_risk_day")),
        schema="redemption",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "ix_risk_day_campaign_day", "risk_day", ["campaign_id", "day"], unique=False, schema="redemption"
    )
    op.create_index(
        "ix_risk_day_stale",
        "risk_day",
        ["day"],
        unique=False,
        schema="redemption",
        postgresql_where=sa.text("stale"),
    )
    op.create_table(
        "institution_capacity",
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("hourly", sa.BigInteger(), nullable=True, comment="write-offs an hour"),
        sa.Column("declared_by", sa.Uuid(), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("hourly > 0", name=op.f("ck_institution_capacity_hourly_positive")),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["redemption.institution.id"],
            name=op.f("fk_institution_capacity_institution_id_institution"),
        ),
        sa.PrimaryKeyConstraint("institution_id", name=op.f("pk_institution_capacity")),
        schema="redemption",
    )
    op.execute(
        "INSERT INTO redemption.risk_day (campaign_id, institution_id, day, stale)"
        " SELECT DISTINCT campaign_id, institution_id, day, true FROM redemption.institution_statistics"
    )


def _make_editions() -> None:
    op.create_table(
        "ranking_edition",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("edition", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "as_of",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="what had reached the platform by then is counted",
        ),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("as_of < frozen_at", name=op.f("ck_ranking_edition_counted_before_it_was_frozen")),
        sa.CheckConstraint(
            "edition = 1 OR reason IS NOT NULL", name=op.f("ck_ranking_edition_correction_has_reason")
        ),
        sa.CheckConstraint(
            "extract(day FROM month) = 1", name=op.f("ck_ranking_edition_month_by_its_first_day")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_ranking_edition_campaign_id_campaign")
        ),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_ranking_edition_change_id_change")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ranking_edition")),
        sa.UniqueConstraint(
            "campaign_id", "month", "edition", name=op.f("uq_ranking_edition_campaign_id_month_edition")
        ),
        sa.UniqueConstraint("change_id", name=op.f("uq_ranking_edition_change_id")),
        schema="redemption",
    )
    op.create_table(
        "ranking_item",
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False, comment="order of the list"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("distinct_holders", sa.BigInteger(), nullable=False),
        sa.Column(
            "flagged", sa.BigInteger(), nullable=False, comment="write-offs that are evidence of a case"
        ),
        sa.Column(
            "hourly_capacity", sa.BigInteger(), nullable=True, comment="as declared when it was frozen"
        ),
        sa.Column("by_voucher_type", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("rank_in_category", sa.BigInteger(), nullable=False),
        sa.Column("rank_by_holders", sa.BigInteger(), nullable=False),
        sa.Column("rank_per_capacity", sa.BigInteger(), nullable=True, comment="NULL: no declared capacity"),
        sa.CheckConstraint("flagged BETWEEN 0 AND count", name=op.f("ck_ranking_item_flagged_are_counted")),
        sa.ForeignKeyConstraint(
            ["edition_id"],
            ["redemption.ranking_edition.id"],
            name=op.f("fk_ranking_item_edition_id_ranking_edition"),
        ),
        sa.ForeignKeyConstraint(
            ["institution_id"],
            ["redemption.institution.id"],
            name=op.f("fk_ranking_item_institution_id_institution"),
        ),
        sa.PrimaryKeyConstraint("edition_id", "institution_id", name=op.f("pk_ranking_item")),
        sa.UniqueConstraint("edition_id", "place", name=op.f("uq_ranking_item_edition_id_place")),
        schema="redemption",
    )


def _make_cases() -> None:
    op.create_table(
        "risk_case_item",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("redemption_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["redemption.risk_case.id"], name=op.f("fk_risk_case_item_case_id_risk_case")
        ),
        sa.ForeignKeyConstraint(
            ["hold_id"],
            ["redemption.settlement_hold.id"],
            name=op.f("fk_risk_case_item_hold_id_settlement_hold"),
        ),
        sa.PrimaryKeyConstraint("case_id", "bucket", "redemption_id", name=op.f("pk_risk_case_item")),
        schema="redemption",
    )
    op.create_index(
        "ix_risk_case_item_redemption",
        "risk_case_item",
        ["bucket", "redemption_id"],
        unique=False,
        schema="redemption",
    )
    op.add_column(
        "risk_case",
        sa.Column("score", sa.SmallInteger(), nullable=True, comment="0 to 100; NULL: not a signal"),
        schema="redemption",
    )
    op.add_column(
        "risk_case",
        sa.Column("suggested", sa.Text(), nullable=True, comment="decision that the score suggests"),
        schema="redemption",
    )
    op.add_column(
        "risk_case",
        sa.Column(
            "first_day", sa.Date(), nullable=True, comment="the window, days of the campaign's time zone"
        ),
        schema="redemption",
    )
    op.add_column("risk_case", sa.Column("last_day", sa.Date(), nullable=True), schema="redemption")
    op.add_column(
        "risk_case",
        sa.Column("note", sa.Text(), nullable=True, comment="why it was decided so"),
        schema="redemption",
    )
    op.execute(
        "-- Cases are few: people decide them one by one.\n"
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX ix_risk_case_opened ON redemption.risk_case (opened_at, id)"
    )
    op.execute(
        "ALTER TABLE redemption.risk_case ADD CONSTRAINT ck_risk_case_score"
        " CHECK (score BETWEEN 0 AND 100) NOT VALID"
    )
    op.execute(_VALIDATE.format("ck_risk_case_score"))
    _replace_kinds(_KINDS)


def _replace_kinds(kinds: str) -> None:
    op.execute(
        "-- The one that takes its place lets more in.\n"
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE redemption.risk_case DROP CONSTRAINT ck_risk_case_known_kind"
    )
    op.execute(
        f"ALTER TABLE redemption.risk_case ADD CONSTRAINT ck_risk_case_known_kind CHECK ({kinds}) NOT VALID"
    )
    op.execute(_VALIDATE.format("ck_risk_case_known_kind"))


def downgrade() -> None:
    op.drop_table("ranking_item", schema="redemption")
    op.drop_table("ranking_edition", schema="redemption")
    op.drop_table("risk_case_item", schema="redemption")
    op.execute("DROP TRIGGER decided_once ON redemption.risk_case")
    op.execute("DROP TRIGGER never_deleted ON redemption.risk_case")
    # Cases of signals are unknown to the code before.
    op.execute("DELETE FROM redemption.risk_case WHERE kind <> 'offline_conflict'")
    _replace_kinds(_KIND_BEFORE)
    op.drop_constraint("ck_risk_case_score", "risk_case", schema="redemption")
    op.drop_index("ix_risk_case_opened", table_name="risk_case", schema="redemption")
    for column in ("note", "last_day", "first_day", "suggested", "score"):
        op.drop_column("risk_case", column, schema="redemption")
    op.drop_table("institution_capacity", schema="redemption")
    op.drop_table("risk_day", schema="redemption")
