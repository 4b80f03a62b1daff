"""Counts of responses by question, and the figures of large campaigns' questions from them.

Three new tables; the code before them computes statistics on request and does not miss them.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "calibration",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("next_day", sa.Date(), nullable=True),
        sa.Column("next_bucket", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "as_of",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="of question_statistics; NULL: there are none yet",
        ),
        sa.Column("attempts", sa.BigInteger(), nullable=True, comment="that those figures are from"),
        sa.CheckConstraint(
            "(as_of IS NULL) = (attempts IS NULL)", name=op.f("ck_calibration_figures_with_their_moment")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_calibration_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_calibration")),
        schema="issuance",
    )
    op.create_table(
        "question_statistics",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("facility", sa.Float(), nullable=False),
        sa.Column("facility_low", sa.Float(), nullable=False),
        sa.Column("facility_high", sa.Float(), nullable=False),
        sa.Column("discrimination", sa.Float(), nullable=False),
        sa.Column("point_biserial", sa.Float(), nullable=True),
        sa.Column(
            "options",
            postgresql.JSONB(astext_type=Text()),
            nullable=False,
            comment="[key, chosen, upper, lower, finding] of each option",
        ),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_question_statistics_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "question_id", name=op.f("pk_question_statistics")),
        schema="issuance",
    )
    op.create_table(
        "response_count",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.SmallInteger(), nullable=False),
        sa.Column("right_answers", sa.SmallInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False, comment="original option keys, sorted: AC"),
        sa.Column("correct", sa.Boolean(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("n > 0", name=op.f("ck_response_count_counted")),
        sa.CheckConstraint(
            "right_answers BETWEEN 0 AND asked AND asked > 0", name=op.f("ck_response_count_right_of_asked")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_response_count_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint(
            "campaign_id",
            "question_id",
            "settled",
            "asked",
            "right_answers",
            "answer",
            "correct",
            name=op.f("pk_response_count"),
        ),
        schema="issuance",
    )


def downgrade() -> None:
    op.drop_table("response_count", schema="issuance")
    op.drop_table("question_statistics", schema="issuance")
    op.drop_table("calibration", schema="issuance")
