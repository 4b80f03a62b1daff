"""Lists of persons who may not take part, wins that are held for a look, tokens of quiz attempts.

Safe for the code before it: it knows no list, holds nothing (an award without `held_at` is what it was),
and its quiz rules ask for no token.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# What an entry says never changes; it is lifted, and another one is made.
_ENTRY = "list, identity_hash, bucket, person_id, reason, appeal_note, expires_at, added_at, added_by"


def upgrade() -> None:
    op.create_table(
        "exclusion",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("identity_hash", sa.LargeBinary(), nullable=True, comment="as in core.person_identity"),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_masked", sa.Text(), nullable=True),
        sa.Column("bucket", sa.SmallInteger(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False, comment="for staff only"),
        sa.Column("appeal_note", sa.Text(), nullable=False, comment="what the person is told: whom to ask"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        sa.Column("lift_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("list IN ('staff', 'blocked')", name=op.f("ck_exclusion_known_list")),
        sa.CheckConstraint(
            "(identity_hash IS NULL) <> (person_id IS NULL)", name=op.f("ck_exclusion_one_subject")
        ),
        sa.CheckConstraint(
            "(identity_hash IS NULL) = (id_number_sealed IS NULL)"
            " AND (identity_hash IS NULL) = (id_number_masked IS NULL)",
            name=op.f("ck_exclusion_whole_identity"),
        ),
        sa.CheckConstraint(
            "(lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL) = (lift_reason IS NULL)",
            name=op.f("ck_exclusion_lifted_by_somebody_with_a_reason"),
        ),
        sa.CheckConstraint("(person_id IS NULL) = (bucket IS NULL)", name=op.f("ck_exclusion_whole_person")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_exclusion_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion")),
        schema="issuance",
    )
    op.create_index(
        "ix_exclusion_campaign",
        "exclusion",
        ["campaign_id", "added_at", "id"],
        unique=False,
        schema="issuance",
    )
    op.create_index(
        "uq_exclusion_identity",
        "exclusion",
        ["campaign_id", "identity_hash", "list"],
        unique=True,
        schema="issuance",
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_index(
        "uq_exclusion_person",
        "exclusion",
        ["campaign_id", "bucket", "person_id", "list"],
        unique=True,
        schema="issuance",
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "exclusion_import",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("file_hash", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("octet_length(file_hash) = 32", name=op.f("ck_exclusion_import_file_hash_keyed")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_exclusion_import_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "file_hash", name=op.f("pk_exclusion_import")),
        schema="issuance",
    )
    op.create_table(
        "risk_rule",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("persons_per_device", sa.BigInteger(), nullable=True),
        sa.Column("persons_per_address_per_day", sa.BigInteger(), nullable=True),
        sa.Column("seconds_per_question_below", sa.BigInteger(), nullable=True),
        sa.Column("wins_per_device", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "persons_per_device > 0 AND persons_per_address_per_day > 0 AND seconds_per_question_below > 0"
            " AND wins_per_device > 0",
            name=op.f("ck_risk_rule_limits_positive"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_risk_rule_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_risk_rule")),
        schema="issuance",
    )
    op.create_table(
        "sighting",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("seen_on", sa.Date(), nullable=False, comment="the last day, of an address the only one"),
        sa.CheckConstraint("kind IN ('device', 'address')", name=op.f("ck_sighting_known_kind")),
        sa.PrimaryKeyConstraint(
            "campaign_id", "kind", "key_hash", "bucket", "person_id", name=op.f("pk_sighting")
        ),
        schema="issuance",
    )
    op.create_index(
        "ix_sighting_person",
        "sighting",
        ["bucket", "person_id", "campaign_id"],
        unique=False,
        schema="issuance",
    )
    op.create_index("ix_sighting_seen_on", "sighting", ["seen_on"], unique=False, schema="issuance")
    op.create_table(
        "award_hold",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("award_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column(
            "evidence",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment='[{"signal": …, "observed": n, "limit": n}]',
        ),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)"
            " AND (decided_at IS NULL) = (note IS NULL)",
            name=op.f("ck_award_hold_decided_by_somebody_with_a_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'released', 'rejected')", name=op.f("ck_award_hold_known_state")
        ),
        sa.PrimaryKeyConstraint("bucket", "award_id", name=op.f("pk_award_hold")),
        schema="issuance",
    )
    op.create_index(
        "ix_award_hold_open",
        "award_hold",
        ["campaign_id"],
        unique=False,
        schema="issuance",
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_award_hold_state", "award_hold", ["state", "held_at", "award_id"], unique=False, schema="issuance"
    )
    op.execute(
        f"CREATE TRIGGER entry_stays BEFORE UPDATE OF {_ENTRY} ON issuance.exclusion"
        " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
    )
    op.add_column(
        "award",
        sa.Column(
            "held_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="nobody can claim it, and it does not expire",
        ),
        schema="issuance",
    )
    op.execute(
        "ALTER TABLE issuance.award ADD CONSTRAINT ck_award_held_while_open"
        " CHECK (held_at IS NULL OR state = 'open') NOT VALID"
    )
    op.add_column(
        "quiz_rule",
        sa.Column(
            "attempt_token",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="answers are taken with the token of their attempt only",
        ),
        schema="issuance",
    )
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE issuance.award VALIDATE CONSTRAINT ck_award_held_while_open")
        op.create_index(
            "ix_person_identity_person",
            "person_identity",
            ["bucket", "person_id"],
            unique=False,
            schema="core",
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("ix_person_identity_person", table_name="person_identity", schema="core")
    op.drop_column("quiz_rule", "attempt_token", schema="issuance")
    op.drop_column("award", "held_at", schema="issuance")
    for table in ("award_hold", "sighting", "risk_rule", "exclusion_import", "exclusion"):
        op.drop_table(table, schema="issuance")
