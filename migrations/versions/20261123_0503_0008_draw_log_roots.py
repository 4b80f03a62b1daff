"""Draw logs: how far they are sealed, and their hourly roots; draws are tallied by odds and way.

Running code works before and after it: both tables are new, and the tally's new dimension is added up over
by whoever does not ask for it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What was counted without its way is counted anew, from the draws themselves.
_FORGET = """
    DELETE FROM core.tally WHERE measure = 'draw_at_odds';
    DELETE FROM core.tally_delta WHERE measure = 'draw_at_odds'
"""
_RECOUNT = """
    INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
    SELECT d.campaign_id, (d.drawn_at AT TIME ZONE c.timezone)::date, 'draw_at_odds', o.odds_ppm::text,
           {way}, count(*)
    FROM issuance.draw d
    JOIN core.campaign c ON c.id = d.campaign_id
    JOIN issuance.odds_version o ON o.id = d.odds_version_id
    GROUP BY 1, 2, 4, 5
"""


def upgrade() -> None:
    op.create_table(
        "draw_log_cut",
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["issuance.phase.id"], name=op.f("fk_draw_log_cut_phase_id_phase")
        ),
        sa.PrimaryKeyConstraint("phase_id", name=op.f("pk_draw_log_cut")),
        schema="issuance",
    )
    op.create_table(
        "draw_log_root",
        sa.Column("phase_id", sa.Uuid(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="covers the draws before this moment",
        ),
        sa.Column(
            "draws", sa.BigInteger(), nullable=False, comment="of the phase so far, all hours together"
        ),
        sa.Column(
            "root",
            sa.LargeBinary(),
            nullable=False,
            comment="the head of the chain behind the last of these draws",
        ),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("draws >= 0", name=op.f("ck_draw_log_root_draws_counted")),
        sa.CheckConstraint("octet_length(root) = 32", name=op.f("ck_draw_log_root_root_sha256")),
        sa.ForeignKeyConstraint(
            ["phase_id"], ["issuance.phase.id"], name=op.f("fk_draw_log_root_phase_id_phase")
        ),
        sa.PrimaryKeyConstraint("phase_id", "at", name=op.f("pk_draw_log_root")),
        schema="issuance",
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON issuance.draw_log_root"
        " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
    )
    _tally_anew(way="d.channel")


def downgrade() -> None:
    _tally_anew(way="''")
    op.drop_table("draw_log_root", schema="issuance")
    op.drop_table("draw_log_cut", schema="issuance")


def _tally_anew(*, way: str) -> None:
    for statement in _FORGET.split(";"):
        op.execute(statement)
    op.execute(_RECOUNT.format(way=way))
