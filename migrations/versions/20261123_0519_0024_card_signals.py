"""Count landings and applications, and make cases of stuffed cards with the cards that they take out.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("card_stage", "stuffing_item")
_NEW = (
    "card_appeal", "stuffing_item", "stuffing_case", "signal_day", "signal_mark", "card_import", "card_void",
    "card_stage",
)  # fmt: skip
# A person's credits are numbered without gaps: what is left of those who had voids is numbered anew.
_FORGET_VOIDS = (
    """CREATE TEMPORARY TABLE kept ON COMMIT DROP AS
       SELECT c.*, row_number() OVER (PARTITION BY bucket, programme_id, holder_hash ORDER BY place) AS anew
       FROM quota.card_credit c
       WHERE measure <> 'card_void' AND (bucket, programme_id, holder_hash) IN (
           SELECT bucket, programme_id, holder_hash FROM quota.card_credit WHERE measure = 'card_void')""",
    """DELETE FROM quota.card_credit WHERE (bucket, programme_id, holder_hash) IN (
           SELECT bucket, programme_id, holder_hash FROM kept)""",
    """INSERT INTO quota.card_credit (
           bucket, programme_id, holder_hash, place, event_id, measure, hospital_id, code, day, n,
           recorded_at)
       SELECT bucket, programme_id, holder_hash, anew, event_id, measure, hospital_id, code, day, n,
              recorded_at FROM kept""",
    """UPDATE quota.card c SET credits = k.n
       FROM (SELECT bucket, programme_id, holder_hash, count(*) AS n
             FROM kept GROUP BY bucket, programme_id, holder_hash) k
       WHERE c.bucket = k.bucket AND c.programme_id = k.programme_id AND c.holder_hash = k.holder_hash""",
)


def upgrade() -> None:
    _make_tables()
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quota.{table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )
    op.add_column(
        "card_event",
        sa.Column(
            "device_hash",
            sa.BigInteger(),
            nullable=True,
            comment="keyed hash of the device that it came from; NULL: not told",
        ),
        schema="quota",
    )
    _measures("'card', 'card_used', 'card_void'")
    # So that nobody waits for it.
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE quota.card_credit VALIDATE CONSTRAINT ck_card_credit_known_measure")
        op.create_index(
            "ix_card_hospital_opened",
            "card",
            ["programme_id", "hospital_id", "opened_at"],
            unique=False,
            schema="quota",
            postgresql_where=sa.text("state = 'active' AND hospital_id IS NOT NULL"),
            postgresql_concurrently=True,
        )


def _make_tables() -> None:
    op.create_table(
        "card_stage",
        sa.Column("bucket", sa.SmallInteger(), nullable=False, comment="the event's"),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("holder_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scene", sa.Text(), nullable=True, comment="as it was sent"),
        sa.Column("hospital_id", sa.Text(), nullable=True, comment="whose code that is; NULL: nobody's"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False, comment="of the programme's time zone"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("device_hash", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('landed', 'applied')", name=op.f("ck_card_stage_known_kind")),
        sa.PrimaryKeyConstraint("bucket", "programme_id", "event_id", name=op.f("pk_card_stage")),
        schema="quota",
    )
    op.create_table(
        "card_void",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("holder_hash", sa.LargeBinary(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint(
            "bucket", "programme_id", "holder_hash", "event_id", name=op.f("pk_card_void")
        ),
        schema="quota",
    )
    op.create_table(
        "card_import",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column(
            "counted", sa.BigInteger(), nullable=False, comment="events of the file, from its beginning"
        ),
        sa.Column("outcomes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_card_import")),
        schema="quota",
    )
    op.create_table(
        "signal_mark",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signal_mark")),
        schema="quota",
    )
    op.create_table(
        "signal_day",
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False, comment="empty: assigned without one"),
        sa.Column("day", sa.Date(), nullable=False, comment="on which the cards were opened"),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column(
            "mature", sa.Boolean(), nullable=False, comment="rolled up when its cards had had time to be used"
        ),
        sa.Column("rolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("issued", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("used", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "busiest",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="cards in its busiest ten minutes",
        ),
        sa.Column("scans", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("stale OR rolled_at IS NOT NULL", name=op.f("ck_signal_day_fresh_is_rolled_up")),
        sa.PrimaryKeyConstraint("programme_id", "hospital_id", "code", "day", name=op.f("pk_signal_day")),
        schema="quota",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "ix_signal_day_immature",
        "signal_day",
        ["day"],
        unique=False,
        schema="quota",
        postgresql_where=sa.text("NOT mature"),
    )
    op.create_index(
        "ix_signal_day_programme_day", "signal_day", ["programme_id", "day"], unique=False, schema="quota"
    )
    op.create_index(
        "ix_signal_day_stale",
        "signal_day",
        ["day"],
        unique=False,
        schema="quota",
        postgresql_where=sa.text("stale"),
    )
    op.create_table(
        "stuffing_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=False),
        sa.Column(
            "reasons",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="word, value seen, threshold, one sentence in two languages",
        ),
        sa.Column("status", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True, comment="why it was decided so"),
        sa.Column("change_id", sa.Uuid(), nullable=True, comment="of the last confirmation or withdrawal"),
        sa.CheckConstraint("(status = 'open') = (decided_at IS NULL)", name=op.f("ck_stuffing_case_decided")),
        sa.CheckConstraint(
            "kind IN ('burst', 'regular', 'unused', 'devices')", name=op.f("ck_stuffing_case_known_kind")
        ),
        sa.CheckConstraint(
            "status <> 'confirmed' OR change_id IS NOT NULL",
            name=op.f("ck_stuffing_case_confirmed_by_a_change"),
        ),
        sa.CheckConstraint(
            "status IN ('open', 'watching', 'dismissed', 'confirmed')",
            name=op.f("ck_stuffing_case_known_status"),
        ),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name=op.f("ck_stuffing_case_score")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["quota.programme.id"], name=op.f("fk_stuffing_case_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stuffing_case")),
        sa.UniqueConstraint(
            "programme_id",
            "hospital_id",
            "code",
            "day",
            "kind",
            name=op.f("uq_stuffing_case_programme_id_hospital_id_code_day_kind"),
        ),
        schema="quota",
    )
    op.create_index(
        "ix_stuffing_case_opened",
        "stuffing_case",
        ["programme_id", "opened_at", "id"],
        unique=False,
        schema="quota",
    )
    op.create_table(
        "stuffing_item",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("holder_hash", sa.LargeBinary(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("device", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["quota.stuffing_case.id"], name=op.f("fk_stuffing_item_case_id_stuffing_case")
        ),
        sa.PrimaryKeyConstraint(
            "case_id", "bucket", "holder_hash", "event_id", name=op.f("pk_stuffing_item")
        ),
        schema="quota",
    )
    op.create_index(
        "ix_stuffing_item_card",
        "stuffing_item",
        ["bucket", "programme_id", "holder_hash", "event_id"],
        unique=False,
        schema="quota",
    )
    op.create_table(
        "card_appeal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("lodged_by", sa.Uuid(), nullable=False),
        sa.Column("lodged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'open'"), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(status = 'open') = (answered_at IS NULL)", name=op.f("ck_card_appeal_answered")),
        sa.CheckConstraint(
            "status IN ('open', 'upheld', 'rejected')", name=op.f("ck_card_appeal_known_status")
        ),
        sa.CheckConstraint(
            "(answered_at IS NULL) = (answer IS NULL)", name=op.f("ck_card_appeal_answered_with_words")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["quota.programme.id"], name=op.f("fk_card_appeal_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_appeal")),
        schema="quota",
    )
    op.create_index(
        "ix_card_appeal_lodged",
        "card_appeal",
        ["programme_id", "lodged_at", "id"],
        unique=False,
        schema="quota",
    )
    op.create_index(
        "uq_card_appeal_open",
        "card_appeal",
        ["programme_id", "event_id", "hospital_id"],
        unique=True,
        schema="quota",
        postgresql_where=sa.text("status = 'open'"),
    )
    # ### end Alembic commands ###


def downgrade() -> None:
    """Cards that cases took out count in full again; landings and applications are forgotten."""
    measures = "('card_void', 'card_void_code', 'card_landed', 'card_applied')"
    op.execute(f"DELETE FROM core.tally_delta WHERE measure IN {measures}")
    op.execute(f"DELETE FROM core.tally WHERE measure IN {measures}")
    op.execute(
        "DELETE FROM quota.card_event_key k USING quota.card_stage s WHERE k.bucket = s.bucket"
        " AND k.programme_id = s.programme_id AND k.event_id = s.event_id"
    )
    op.execute("ALTER TABLE quota.card_credit DISABLE TRIGGER append_only")
    for statement in _FORGET_VOIDS:
        op.execute(statement)
    op.execute("ALTER TABLE quota.card_credit ENABLE TRIGGER append_only")
    _measures("'card', 'card_used'")
    op.drop_index("ix_card_hospital_opened", table_name="card", schema="quota")
    op.drop_column("card_event", "device_hash", schema="quota")
    for table in _NEW:
        op.drop_table(table, schema="quota")


def _measures(known: str) -> None:
    op.execute(
        "-- The one that takes its place lets more in, or nothing else is there any more.\n"
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE quota.card_credit DROP CONSTRAINT ck_card_credit_known_measure"
    )
    op.execute(
        "ALTER TABLE quota.card_credit ADD CONSTRAINT ck_card_credit_known_measure"
        f" CHECK (measure IN ({known})) NOT VALID"
    )
