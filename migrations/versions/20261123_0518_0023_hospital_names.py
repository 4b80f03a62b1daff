"""Keep hospitals' names and aliases, and what happens to hospitals from a day on.

Code before it knows neither: a hospital that it writes has no name here until it is renamed, and is found
by its own row all the same.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# A city has some dozens of hospitals. Two whose names differ in the shape of a bracket only keep one row: the
# other is found by its own.
_NAMES_BEFORE = """
    INSERT INTO quota.hospital_name (id, programme_id, hospital_id, name, key, kind, added_at)
    SELECT gen_random_uuid(), programme_id, id, name,
           translate(name_key, '[]{}【】〔〕〖〗・•‧‐‑–—−', '()()()()()···-----'),
           'current', created_at
    FROM quota.hospital WHERE name_key <> ''
    ORDER BY position
    ON CONFLICT DO NOTHING
"""


def upgrade() -> None:
    op.create_table(
        "hospital_name",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="the name in the one spelling of matching"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "reason", sa.Text(), nullable=True, comment="NULL: from a list, where the file is the reason"
        ),
        sa.Column(
            "added_by", sa.Uuid(), nullable=True, comment="NULL: taken over from before names were kept"
        ),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('current', 'former', 'alias')", name=op.f("ck_hospital_name_known_kind")
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_reason IS NULL)"
            " AND (withdrawn_at IS NULL) = (withdrawn_by IS NULL)",
            name=op.f("ck_hospital_name_withdrawn_with_reason"),
        ),
        sa.CheckConstraint("length(key) > 0", name=op.f("ck_hospital_name_key_not_empty")),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["quota.hospital.id"], name=op.f("fk_hospital_name_hospital_id_hospital")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["quota.programme.id"], name=op.f("fk_hospital_name_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hospital_name")),
        schema="quota",
    )
    op.create_index(
        op.f("ix_hospital_name_hospital_id"), "hospital_name", ["hospital_id"], unique=False, schema="quota"
    )
    op.create_index(
        "uq_hospital_name_current",
        "hospital_name",
        ["hospital_id"],
        unique=True,
        schema="quota",
        postgresql_where=sa.text("kind = 'current' AND withdrawn_at IS NULL"),
    )
    op.create_index(
        "uq_hospital_name_in_use",
        "hospital_name",
        ["programme_id", "key"],
        unique=True,
        schema="quota",
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "hospital_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("hospital_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "day",
            sa.Date(),
            nullable=False,
            comment="from this day on; of a withdrawal the withdrawn event's",
        ),
        sa.Column(
            "successor_id",
            sa.Text(),
            nullable=True,
            comment="merge: into whom; close: whom its codes count for, if anybody",
        ),
        sa.Column("alliance", sa.Text(), nullable=True, comment="of a move; empty: stands alone"),
        sa.Column("withdraws", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("change_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'move') = (alliance IS NOT NULL)", name=op.f("ck_hospital_event_moves_to_an_alliance")
        ),
        sa.CheckConstraint(
            "(kind = 'withdraw') = (withdraws IS NOT NULL)",
            name=op.f("ck_hospital_event_withdraws_something"),
        ),
        sa.CheckConstraint(
            "CASE kind WHEN 'merge' THEN successor_id IS NOT NULL"
            " WHEN 'close' THEN true ELSE successor_id IS NULL END",
            name=op.f("ck_hospital_event_successor_of_an_ending"),
        ),
        sa.CheckConstraint(
            "kind IN ('open', 'close', 'merge', 'move', 'withdraw')",
            name=op.f("ck_hospital_event_known_kind"),
        ),
        sa.CheckConstraint("successor_id <> hospital_id", name=op.f("ck_hospital_event_two_hospitals")),
        sa.ForeignKeyConstraint(
            ["change_id"], ["core.change.id"], name=op.f("fk_hospital_event_change_id_change")
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["quota.hospital.id"], name=op.f("fk_hospital_event_hospital_id_hospital")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["quota.programme.id"], name=op.f("fk_hospital_event_programme_id_programme")
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"], ["quota.hospital.id"], name=op.f("fk_hospital_event_successor_id_hospital")
        ),
        sa.ForeignKeyConstraint(
            ["withdraws"],
            ["quota.hospital_event.id"],
            name=op.f("fk_hospital_event_withdraws_hospital_event"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hospital_event")),
        sa.UniqueConstraint("change_id", name=op.f("uq_hospital_event_change_id")),
        schema="quota",
    )
    op.create_index(
        op.f("ix_hospital_event_hospital_id"), "hospital_event", ["hospital_id"], unique=False, schema="quota"
    )
    op.create_index(
        "ix_hospital_event_programme", "hospital_event", ["programme_id", "day"], unique=False, schema="quota"
    )
    op.create_index(
        "uq_hospital_event_withdraws",
        "hospital_event",
        ["withdraws"],
        unique=True,
        schema="quota",
        postgresql_where=sa.text("withdraws IS NOT NULL"),
    )
    op.execute(_NAMES_BEFORE)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quota.hospital_event"
        " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
    )


def downgrade() -> None:
    # Functions of the code above stay when the schema goes down; this one answers rows of the table.
    op.execute("DROP FUNCTION IF EXISTS quota.hospital_events_in_force(uuid)")
    op.drop_table("hospital_event", schema="quota")
    op.drop_table("hospital_name", schema="quota")
