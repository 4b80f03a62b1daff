"""Consent texts and withdrawals, erasure, and what leads back to a person until its campaigns have ended.

The code before it goes on: new columns are empty or have a default, and what may be NULL now is NULL only in
rows of persons who were forgotten.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_ABSENT = "erased_at IS NOT NULL OR consent_withdrawn_at IS NOT NULL"
_SUBJECT = "erased_at IS NOT NULL OR (subject_hash IS NOT NULL AND subject_sealed IS NOT NULL)"


def upgrade() -> None:
    _make_tables()
    op.add_column("account", sa.Column("left_bucket", sa.SmallInteger(), nullable=True), schema="core")
    op.add_column(
        "account",
        sa.Column(
            "left_person_id",
            sa.Uuid(),
            nullable=True,
            comment="the provisional person that it stood for before it adopted one who was here already",
        ),
        schema="core",
    )
    op.add_column(
        "account",
        sa.Column(
            "consent_withdrawn_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="NULL again once consent is given",
        ),
        schema="core",
    )
    # NULL only in rows of who was forgotten, which the code before this never makes.
    for table, column in (
        ("account", "subject_hash"),
        ("account", "subject_sealed"),
        ("voucher", "code_sealed"),
    ):
        op.execute(
            "-- squawk-ignore ban-drop-not-null\n"
            f"ALTER TABLE core.{table} ALTER COLUMN {column} DROP NOT NULL"
        )
    op.execute("COMMENT ON COLUMN core.voucher.code_sealed IS 'NULL: its holder was forgotten'")
    op.add_column(
        "consent",
        sa.Column("action", sa.Text(), server_default=sa.text("'given'"), nullable=False),
        schema="core",
    )
    op.add_column(
        "consent",
        sa.Column("how", sa.Text(), server_default=sa.text("'identity_form'"), nullable=False),
        schema="core",
    )
    op.add_column(
        "person",
        sa.Column(
            "forgotten_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="nothing leads to the human being any more",
        ),
        schema="core",
    )
    for table, name, condition in (
        ("account", "ck_account_live_has_a_subject", _SUBJECT),
        ("consent", "ck_consent_known_action", "action IN ('given', 'withdrawn')"),
    ):
        op.execute(f"ALTER TABLE core.{table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE core.account VALIDATE CONSTRAINT ck_account_live_has_a_subject")
        op.execute("ALTER TABLE core.consent VALIDATE CONSTRAINT ck_consent_known_action")
        for name, table, columns, condition in (
            ("ix_account_absent", "account", ["id"], sa.text(_ABSENT)),
            ("ix_account_person", "account", ["bucket", "person_id"], None),
            ("ix_consent_account", "consent", ["account_id"], None),
        ):
            op.create_index(
                name,
                table,
                columns,
                unique=False,
                schema="core",
                postgresql_where=condition,
                postgresql_concurrently=True,
            )


def _make_tables() -> None:
    op.create_table(
        "former_subject",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.LargeBinary(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["bucket", "person_id"],
            ["core.person.bucket", "core.person.id"],
            name=op.f("fk_former_subject_bucket_person_id_person"),
        ),
        sa.PrimaryKeyConstraint("provider", "subject_hash", name=op.f("pk_former_subject")),
        schema="core",
    )
    op.create_index(
        "ix_former_subject_person", "former_subject", ["bucket", "person_id"], unique=False, schema="core"
    )
    op.create_table(
        "consent_text",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('privacy', 'sensitive', 'terms')", name=op.f("ck_consent_text_known_kind")
        ),
        sa.CheckConstraint("version <> 'current'", name=op.f("ck_consent_text_version_is_no_address")),
        sa.ForeignKeyConstraint(
            ["published_by"], ["core.staff.id"], name=op.f("fk_consent_text_published_by_staff")
        ),
        sa.PrimaryKeyConstraint("kind", "version", name=op.f("pk_consent_text")),
        schema="issuance",
    )
    op.create_table(
        "erasure",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("wholly", sa.Boolean(), nullable=False),
        sa.Column("given_up", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cause IN ('person', 'retention')", name=op.f("ck_erasure_known_cause")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        schema="issuance",
    )
    op.create_index("ix_erasure_account", "erasure", ["account_id"], unique=False, schema="issuance")
    op.create_index("ix_erasure_person", "erasure", ["bucket", "person_id"], unique=False, schema="issuance")
    for table in ("issuance.consent_text", "issuance.erasure"):
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )


def downgrade() -> None:
    for name, table in (
        ("ix_consent_account", "consent"),
        ("ix_account_person", "account"),
        ("ix_account_absent", "account"),
    ):
        op.drop_index(name, table_name=table, schema="core")
    op.drop_constraint("ck_consent_known_action", "consent", schema="core")
    op.drop_constraint("ck_account_live_has_a_subject", "account", schema="core")
    # What was forgotten does not come back: it is filled with what says nothing.
    op.execute("UPDATE core.voucher SET code_sealed = '' WHERE code_sealed IS NULL")
    op.execute(
        "UPDATE core.account SET subject_hash = sha256(uuid_send(id)), subject_sealed = ''"
        " WHERE subject_hash IS NULL"
    )
    op.alter_column(
        "voucher",
        "code_sealed",
        existing_type=sa.LargeBinary(),
        nullable=False,
        comment=None,
        existing_comment="NULL: its holder was forgotten",
        schema="core",
    )
    op.drop_column("person", "forgotten_at", schema="core")
    op.drop_column("consent", "how", schema="core")
    op.drop_column("consent", "action", schema="core")
    for column in ("subject_hash", "subject_sealed"):
        op.alter_column("account", column, existing_type=sa.LargeBinary(), nullable=False, schema="core")
    for column in ("consent_withdrawn_at", "left_person_id", "left_bucket"):
        op.drop_column("account", column, schema="core")
    op.drop_table("erasure", schema="issuance")
    op.drop_table("consent_text", schema="issuance")
    op.drop_table("former_subject", schema="core")
