"""Keep the words of notices beside their templates, and the template and words of a campaign's report.

Safe for the code before it: a column that may be empty, and a table that it does not know.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_WORDS_COMMENT = "what stands beside the figures; NULL: nobody gave any"


def upgrade() -> None:
    op.create_table(
        "document_template",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "sha256",
            sa.Text(),
            nullable=True,
            comment="of the kept file; NULL: the platform's own template",
        ),
        sa.Column("words", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment=_WORDS_COMMENT),
        sa.Column("put_by", sa.Uuid(), nullable=False),
        sa.Column("put_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('report')", name=op.f("ck_document_template_known_kind")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_document_template_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "kind", "version", name=op.f("pk_document_template")),
        schema="issuance",
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON issuance.document_template"
        " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
    )
    op.add_column(
        "document_template",
        sa.Column("words", postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment=_WORDS_COMMENT),
        schema="quota",
    )


def downgrade() -> None:
    op.drop_column("document_template", "words", schema="quota")
    op.drop_table("document_template", schema="issuance")
