"""Keep calendars of working days, levels, templates in versions; freeze levels and outlook with a ranking.

The code before ignores the new tables and columns. A template that is in use becomes version 1; editions
that were frozen before knew no levels, so that their hospitals are one list whose ranks are the ranks.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("quota.working_year", "quota.working_year_day", "quota.document_template")
_KEEP_TEMPLATES = """
    INSERT INTO quota.document_template (programme_id, kind, version, sha256, put_by, put_at)
    SELECT p.id, t.key, 1, t.value, p.created_by, p.created_at
    FROM quota.programme p, jsonb_each_text(p.definition -> 'templates') AS t
    WHERE t.key IN ('bulletin', 'reminder')
"""
# A few editions of some dozens of lines each; they say the same as before.
_ONE_LIST = """
    ALTER TABLE quota.ranking_item DISABLE TRIGGER append_only;
    UPDATE quota.ranking_item SET level_rank = rank, level_rank_change = rank_change, level_flagged = flagged;
    ALTER TABLE quota.ranking_item ENABLE TRIGGER append_only
"""


def upgrade() -> None:
    op.create_table(
        "working_year",
        sa.Column("year", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("edition", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False, comment="the notice that the days are taken from"),
        sa.Column("file_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("year BETWEEN 1900 AND 2199", name=op.f("ck_working_year_year_range")),
        sa.CheckConstraint("length(source) BETWEEN 1 AND 200", name=op.f("ck_working_year_source_length")),
        sa.PrimaryKeyConstraint("year", "edition", name=op.f("pk_working_year")),
        schema="quota",
    )
    op.create_table(
        "working_year_day",
        sa.Column("year", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("edition", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "works", sa.Boolean(), nullable=False, comment="false: a day off; true: a make-up working day"
        ),
        sa.Column("label", sa.Text(), nullable=False),
        sa.CheckConstraint("extract(year FROM day) = year", name=op.f("ck_working_year_day_day_of_its_year")),
        sa.ForeignKeyConstraint(
            ["year", "edition"],
            ["quota.working_year.year", "quota.working_year.edition"],
            name=op.f("fk_working_year_day_year_working_year"),
        ),
        sa.PrimaryKeyConstraint("year", "edition", "day", name=op.f("pk_working_year_day")),
        schema="quota",
    )
    op.create_table(
        "hospital_level",
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(level) BETWEEN 1 AND 40", name=op.f("ck_hospital_level_level_length")),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["quota.hospital.id"], name=op.f("fk_hospital_level_hospital_id_hospital")
        ),
        sa.PrimaryKeyConstraint("hospital_id", name=op.f("pk_hospital_level")),
        schema="quota",
    )
    op.create_table(
        "document_template",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "sha256",
            sa.Text(),
            nullable=True,
            comment="of the kept file; NULL: the platform's own template",
        ),
        sa.Column("put_by", sa.Uuid(), nullable=False),
        sa.Column("put_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('bulletin', 'reminder')", name=op.f("ck_document_template_known_kind")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["quota.programme.id"], name=op.f("fk_document_template_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("programme_id", "kind", "version", name=op.f("pk_document_template")),
        schema="quota",
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    op.execute(_KEEP_TEMPLATES)
    for column in _item_columns():
        op.add_column("ranking_item", column, schema="quota")
    for statement in _ONE_LIST.split(";"):
        op.execute(statement)


def downgrade() -> None:
    for column in reversed(_item_columns()):
        op.drop_column("ranking_item", column.name, schema="quota")
    for table in ("document_template", "hospital_level", "working_year_day", "working_year"):
        op.drop_table(table, schema="quota")


def _item_columns() -> list[sa.Column[object]]:
    return [
        sa.Column(
            "level",
            sa.Text(),
            server_default=sa.text("''"),
            nullable=False,
            comment="empty: none was known",
        ),
        sa.Column("level_rank", sa.BigInteger(), nullable=True, comment="among those of its level"),
        sa.Column("level_rank_change", sa.BigInteger(), nullable=True),
        sa.Column("level_flagged", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("needed_per_working_day", sa.BigInteger(), nullable=True, comment="as of the month's end"),
        sa.Column(
            "miss_probability",
            sa.Numeric(5, 4),
            nullable=True,
            comment="that the quota is not reached by the programme's end, as of the month's end",
        ),
    ]
