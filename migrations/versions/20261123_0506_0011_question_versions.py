"""Versions of questions, drafts of answers, reviewers' claims, categories of leads, vouchers by way.

Columns are added with defaults that mean what was before; the code before it knows nothing of versions and
makes none. The one unique key that goes is replaced by one for the versions in use.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# Vouchers by the way that their chance was earned in, for those that were issued before this was counted.
_COUNT_ISSUED = """
    INSERT INTO core.tally_delta (scope_id, day, measure, dim, n)
    SELECT v.campaign_id, (v.issued_at AT TIME ZONE c.timezone)::date, 'issue_way', d.channel, count(*)
    FROM core.voucher v
    JOIN core.campaign c ON c.id = v.campaign_id
    JOIN issuance.award a ON a.bucket = v.bucket AND a.id = v.source_id
    JOIN issuance.draw d ON d.bucket = a.bucket AND d.id = a.draw_id
    GROUP BY 1, 2, d.channel
"""


def upgrade() -> None:
    op.create_table(
        "activity_claim",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "activity_id", name=op.f("pk_activity_claim")),
        schema="issuance",
    )
    op.create_index(
        "ix_activity_claim_staff",
        "activity_claim",
        ["staff_id", "expires_at"],
        unique=False,
        schema="issuance",
    )
    op.add_column(
        "activity",
        sa.Column("category", sa.Text(), nullable=True, comment="what kind of share or lead was accepted"),
        schema="issuance",
    )
    op.add_column(
        "quiz_attempt",
        sa.Column(
            "drafts", postgresql.ARRAY(sa.Text()), nullable=True, comment="as answers, before they are sent"
        ),
        schema="issuance",
    )
    op.add_column(
        "quiz_rule",
        sa.Column(
            "repeat_after_attempts",
            sa.BigInteger(),
            server_default=sa.text("5"),
            nullable=False,
            comment="a question does not come again in so many attempts of a person",
        ),
        schema="issuance",
    )
    op.alter_column(
        "quiz_rule",
        "blueprint",
        existing_type=postgresql.JSONB(astext_type=sa.Text()),
        comment='{"1": 5, "2": {"健康素养": 3}}: so many per difficulty, or per category in it',
        existing_comment='{"1": 5, "2": 3}: so many per difficulty',
        existing_nullable=True,
        schema="issuance",
    )
    op.execute(_COUNT_ISSUED)
    _version_questions()


def _version_questions() -> None:
    op.add_column("question", sa.Column("retired_reason", sa.Text(), nullable=True), schema="issuance")
    op.add_column(
        "question", sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True), schema="issuance"
    )
    op.add_column("question", sa.Column("first_id", sa.BigInteger(), nullable=True), schema="issuance")
    op.add_column(
        "question",
        sa.Column("version", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        schema="issuance",
    )
    for name, rule in (
        ("ck_question_first_version", "CHECK ((first_id IS NULL) = (version = 1))"),
        (
            "ck_question_superseded_is_retired",
            "CHECK (superseded_at IS NULL OR retired_at IS NOT NULL)",
        ),
        ("fk_question_first_id_question", "FOREIGN KEY (first_id) REFERENCES issuance.question (id)"),
    ):
        op.execute(f"ALTER TABLE issuance.question ADD CONSTRAINT {name} {rule} NOT VALID")
    # Outside the transaction: an index on a table in use is made beside the traffic.
    with op.get_context().autocommit_block():
        for name in (
            "ck_question_first_version",
            "ck_question_superseded_is_retired",
            "fk_question_first_id_question",
        ):
            op.execute(f"ALTER TABLE issuance.question VALIDATE CONSTRAINT {name}")
        op.create_index(
            "ix_question_campaign",
            "question",
            ["campaign_id", "id"],
            unique=False,
            schema="issuance",
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            "uq_question_content",
            "question",
            ["campaign_id", "content_hash"],
            unique=True,
            schema="issuance",
            postgresql_where=sa.text("superseded_at IS NULL"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            "uq_question_first_id_version",
            "question",
            ["first_id", "version"],
            unique=True,
            schema="issuance",
            postgresql_concurrently=True,
            if_not_exists=True,
        )
    op.execute(
        "ALTER TABLE issuance.question ADD CONSTRAINT uq_question_first_id_version"
        " UNIQUE USING INDEX uq_question_first_id_version"
    )
    op.execute(
        "-- The index of versions in use takes its place.\n-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE issuance.question DROP CONSTRAINT uq_question_campaign_id_content_hash"
    )


def downgrade() -> None:
    # Versions that were replaced stay, because attempts name them; only the last of equal ones is found.
    op.execute(
        "UPDATE issuance.question SET content_hash = sha256(content_hash || convert_to(id::text, 'UTF8'))"
        " WHERE superseded_at IS NOT NULL"
    )
    op.create_unique_constraint(
        op.f("uq_question_campaign_id_content_hash"),
        "question",
        ["campaign_id", "content_hash"],
        schema="issuance",
    )
    op.drop_index("uq_question_content", table_name="question", schema="issuance")
    op.drop_index("ix_question_campaign", table_name="question", schema="issuance")
    op.drop_constraint(
        op.f("fk_question_first_id_question"), "question", schema="issuance", type_="foreignkey"
    )
    op.drop_constraint(op.f("uq_question_first_id_version"), "question", schema="issuance", type_="unique")
    for check in ("ck_question_superseded_is_retired", "ck_question_first_version"):
        op.drop_constraint(op.f(check), "question", schema="issuance", type_="check")
    for column in ("version", "first_id", "superseded_at", "retired_reason"):
        op.drop_column("question", column, schema="issuance")
    op.execute("DELETE FROM core.tally WHERE measure IN ('issue_way', 'kind')")
    op.execute("DELETE FROM core.tally_delta WHERE measure IN ('issue_way', 'kind')")
    op.alter_column(
        "quiz_rule",
        "blueprint",
        existing_type=postgresql.JSONB(astext_type=sa.Text()),
        comment='{"1": 5, "2": 3}: so many per difficulty',
        existing_comment='{"1": 5, "2": {"健康素养": 3}}: so many per difficulty, or per category in it',
        existing_nullable=True,
        schema="issuance",
    )
    op.drop_column("quiz_rule", "repeat_after_attempts", schema="issuance")
    op.drop_column("quiz_attempt", "drafts", schema="issuance")
    op.drop_column("activity", "category", schema="issuance")
    op.drop_index("ix_activity_claim_staff", table_name="activity_claim", schema="issuance")
    op.drop_table("activity_claim", schema="issuance")
