"""Core tables: people, requests, outbox, jobs, changes, audit, ledger, vouchers, figures.

Safe for the code before and after it: expand → backfill in batches → contract, as separate changes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


# History is written once: whoever may write these tables may only add to them.
_APPEND_ONLY = ("core.audit_entry", "core.consent", "core.ledger_transfer")
_REFUSE_CHANGE = """
    CREATE FUNCTION core.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END
    $$
"""
_DROP_FUNCTIONS = """
    DO $$
    DECLARE routine record;
    BEGIN
        FOR routine IN
            SELECT p.oid::regprocedure AS signature, p.prokind FROM pg_proc p
            JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE n.nspname = 'core' ORDER BY p.prokind = 'a' DESC
        LOOP
            EXECUTE format('DROP %s %s CASCADE',
                           CASE routine.prokind WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END,
                           routine.signature);
        END LOOP;
    END
    $$
"""


def upgrade() -> None:
    for schema in ("issuance", "redemption", "quota"):
        op.execute(f"CREATE SCHEMA {schema}")
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("entry_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("octet_length(entry_hash) = 32", name=op.f("ck_audit_entry_entry_hash_sha256")),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entry")),
        schema="core",
    )
    op.create_table(
        "audit_head",
        sa.Column("only_row", sa.Boolean(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("entry_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("only_row", name=op.f("ck_audit_head_one_row")),
        sa.PrimaryKeyConstraint("only_row", name=op.f("pk_audit_head")),
        schema="core",
    )
    op.create_table(
        "campaign",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default=sa.text("'published'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('published', 'paused', 'ended')", name=op.f("ck_campaign_known_status")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("slug", name=op.f("uq_campaign_slug")),
        schema="core",
    )
    op.create_table(
        "demo_clock",
        sa.Column("only_row", sa.Boolean(), nullable=False),
        sa.Column("offset", sa.Interval(), nullable=False),
        sa.CheckConstraint("only_row", name=op.f("ck_demo_clock_one_row")),
        sa.PrimaryKeyConstraint("only_row", name=op.f("pk_demo_clock")),
        schema="core",
    )
    op.create_table(
        "fund",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("payer_keys", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("payer_names", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("shares_ppm", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("budget_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("budget_fen >= 0", name=op.f("ck_fund_budget_not_negative")),
        sa.CheckConstraint(
            "cardinality(payer_keys) = cardinality(shares_ppm)", name=op.f("ck_fund_one_share_each")
        ),
        sa.CheckConstraint("cardinality(payer_keys) > 0", name=op.f("ck_fund_has_payers")),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_fund")),
        schema="core",
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'queued'"), nullable=False),
        sa.Column("progress", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'succeeded', 'failed')", name=op.f("ck_job_known_state")
        ),
        sa.CheckConstraint("progress BETWEEN 0 AND 100", name=op.f("ck_job_progress_percent")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        schema="core",
    )
    op.create_table(
        "ledger_transfer",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Text(),
            nullable=False,
            comment="fund, issue, redeem, release, reverse, recommit, expire, revoke, pay",
        ),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("debit", sa.Text(), nullable=False, comment="the account that gives"),
        sa.Column("credit", sa.Text(), nullable=False, comment="the account that receives"),
        sa.Column(
            "amounts_fen",
            postgresql.ARRAY(sa.BigInteger()),
            nullable=False,
            comment="per payer, in the fund's order",
        ),
        sa.Column("voucher_id", sa.Uuid(), nullable=True),
        sa.Column("institution_id", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "debit IN ('budget', 'available', 'committed', 'payable', 'paid')"
            " AND credit IN ('budget', 'available', 'committed', 'payable', 'paid') AND debit <> credit",
            name=op.f("ck_ledger_transfer_accounts"),
        ),
        sa.PrimaryKeyConstraint("bucket", "source_id", "kind", name=op.f("pk_ledger_transfer")),
        schema="core",
    )
    op.create_table(
        "nonce",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_id", "nonce", name=op.f("pk_nonce")),
        schema="core",
        prefixes=["UNLOGGED"],
    )
    op.create_index("ix_nonce_expires_at", "nonce", ["expires_at"], unique=False, schema="core")
    op.create_table(
        "outbox",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("queue", sa.Text(), nullable=False, comment="the service whose workers do it"),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'ready'"), nullable=False),
        sa.Column("attempt", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "next_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="machine time: not before then; moved on by a lease",
        ),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('ready', 'dead')", name=op.f("ck_outbox_known_state")),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_outbox")),
        schema="core",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["queue", "next_at"],
        unique=False,
        schema="core",
        postgresql_where=sa.text("state = 'ready'"),
    )
    op.create_table(
        "person",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("name_masked", sa.Text(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_person")),
        schema="core",
    )
    op.create_table(
        "request",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("caller_id", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("request_no", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("result_bucket", sa.SmallInteger(), nullable=True),
        sa.Column("result_id", sa.Uuid(), nullable=True),
        sa.Column("answer_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("blocked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("replays", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("request_no ~ '^[0-9A-Za-z_-]{1,32}$'", name=op.f("ck_request_request_no_form")),
        sa.PrimaryKeyConstraint("bucket", "caller_id", "operation", "request_no", name=op.f("pk_request")),
        schema="core",
        postgresql_with={"fillfactor": "85"},
    )
    op.create_table(
        "schedule",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False, comment="machine time"),
        sa.Column("last_finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_schedule")),
        schema="core",
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("username_hash", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("window_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("username_hash", name=op.f("pk_sign_in_failure")),
        schema="core",
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False, comment="argon2id"),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("institution_id", sa.Text(), nullable=True),
        sa.Column("hospital_id", sa.Text(), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "'hospital' <> ALL (roles) OR hospital_id IS NOT NULL", name=op.f("ck_staff_hospital_bound")
        ),
        sa.CheckConstraint(
            "'institution' <> ALL (roles) OR institution_id IS NOT NULL",
            name=op.f("ck_staff_institution_bound"),
        ),
        sa.CheckConstraint(
            "roles <@ ARRAY['admin','operator','auditor','institution','hospital']",
            name=op.f("ck_staff_known_roles"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("username", name=op.f("uq_staff_username")),
        schema="core",
    )
    op.create_table(
        "tally",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("dim", sa.Text(), nullable=False),
        sa.Column("dim2", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("amounts_fen", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.PrimaryKeyConstraint("scope_id", "day", "measure", "dim", "dim2", name=op.f("pk_tally")),
        schema="core",
        postgresql_with={"fillfactor": "70"},
    )
    op.create_table(
        "tally_delta",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False, comment="campaign or programme"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("dim", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("dim2", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("amounts_fen", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally_delta")),
        schema="core",
    )
    op.create_table(
        "voucher",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("phase_seq", sa.SmallInteger(), nullable=False),
        sa.Column("voucher_type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("split_fen", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column(
            "source_id", sa.Uuid(), nullable=False, comment="the award it was claimed from: one voucher each"
        ),
        sa.Column(
            "code_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="first 16 bytes of the keyed hash of the code",
        ),
        sa.Column("code_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), server_default=sa.text("'issued'"), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("institution_id", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(state = 'redeemed') = (redeemed_at IS NOT NULL)", name=op.f("ck_voucher_redeemed_at")
        ),
        sa.CheckConstraint(
            "state IN ('issued', 'redeemed', 'expired', 'revoked')", name=op.f("ck_voucher_known_state")
        ),
        sa.CheckConstraint(
            "amount_fen > 0 AND valid_until > valid_from", name=op.f("ck_voucher_worth_something")
        ),
        sa.PrimaryKeyConstraint("bucket", "id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("bucket", "code_hash", name=op.f("uq_voucher_bucket_code_hash")),
        sa.UniqueConstraint("bucket", "source_id", name=op.f("uq_voucher_bucket_source_id")),
        schema="core",
        postgresql_with={"fillfactor": "85"},
    )
    op.create_index(
        "ix_voucher_campaign", "voucher", ["campaign_id", "issued_at"], unique=False, schema="core"
    )
    op.create_index("ix_voucher_person", "voucher", ["bucket", "person_id"], unique=False, schema="core")
    op.create_index("ix_voucher_valid_until", "voucher", ["valid_until"], unique=False, schema="core")
    op.create_table(
        "worker",
        sa.Column("queue", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("queue", name=op.f("pk_worker")),
        schema="core",
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("subject_hash", sa.LargeBinary(), nullable=False),
        sa.Column(
            "subject_sealed", sa.LargeBinary(), nullable=False, comment="needed to send the citizen a message"
        ),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["bucket", "person_id"],
            ["core.person.bucket", "core.person.id"],
            name=op.f("fk_account_bucket_person_id_person"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("provider", "subject_hash", name=op.f("uq_account_provider_subject_hash")),
        schema="core",
    )
    op.create_table(
        "change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False, comment="what it changes, such as a campaign's slug"),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default=sa.text("'pending'"), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("(status = 'pending') = (decided_by IS NULL)", name=op.f("ck_change_decided")),
        sa.CheckConstraint(
            "decided_by IS DISTINCT FROM proposed_by OR status = 'rejected'", name=op.f("ck_change_four_eyes")
        ),
        sa.CheckConstraint(
            "status IN ('pending', 'applied', 'rejected')", name=op.f("ck_change_known_status")
        ),
        sa.ForeignKeyConstraint(["decided_by"], ["core.staff.id"], name=op.f("fk_change_decided_by_staff")),
        sa.ForeignKeyConstraint(["proposed_by"], ["core.staff.id"], name=op.f("fk_change_proposed_by_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        schema="core",
    )
    op.create_index(
        "ix_change_service_status",
        "change",
        ["service", "status", "proposed_at"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "person_identity",
        sa.Column("identity_hash", sa.LargeBinary(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True, comment="the account that holds the person now"),
        sa.ForeignKeyConstraint(
            ["bucket", "person_id"],
            ["core.person.bucket", "core.person.id"],
            name=op.f("fk_person_identity_bucket_person_id_person"),
        ),
        sa.PrimaryKeyConstraint("identity_hash", name=op.f("pk_person_identity")),
        schema="core",
    )
    op.create_table(
        "staff_session",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["core.staff.id"], name=op.f("fk_staff_session_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_staff_session")),
        schema="core",
    )
    op.create_index(
        op.f("ix_staff_session_staff_id"), "staff_session", ["staff_id"], unique=False, schema="core"
    )
    op.create_table(
        "voucher_type",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "position", sa.SmallInteger(), nullable=False, comment="order in which people see the types"
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("covers", sa.Text(), nullable=True),
        sa.Column(
            "amount_fen",
            sa.BigInteger(),
            nullable=False,
            comment="face value (general) or settlement price (directed)",
        ),
        sa.Column("validity_days", sa.BigInteger(), nullable=False),
        sa.Column("reports_result_to_health_code", sa.Boolean(), nullable=False),
        sa.CheckConstraint("kind IN ('directed', 'general')", name=op.f("ck_voucher_type_known_kind")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_voucher_type_amount_positive")),
        sa.CheckConstraint("validity_days > 0", name=op.f("ck_voucher_type_validity_positive")),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["core.campaign.id"], name=op.f("fk_voucher_type_campaign_id_campaign")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "key", name=op.f("pk_voucher_type")),
        schema="core",
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("text_version", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["core.account.id"], name=op.f("fk_consent_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        schema="core",
    )
    op.execute("INSERT INTO core.audit_head (only_row, seq, entry_hash) VALUES (true, 0, sha256(''))")
    op.execute(_REFUSE_CHANGE)
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION core.refuse_change()"
        )


def downgrade() -> None:
    for schema in ("issuance", "redemption", "quota"):
        op.execute(f"DROP SCHEMA {schema} CASCADE")
    op.drop_table("consent", schema="core")
    op.drop_table("voucher_type", schema="core")
    op.drop_index(op.f("ix_staff_session_staff_id"), table_name="staff_session", schema="core")
    op.drop_table("staff_session", schema="core")
    op.drop_table("person_identity", schema="core")
    op.drop_index("ix_change_service_status", table_name="change", schema="core")
    op.drop_table("change", schema="core")
    op.drop_table("account", schema="core")
    op.drop_table("worker", schema="core")
    op.drop_index("ix_voucher_valid_until", table_name="voucher", schema="core")
    op.drop_index("ix_voucher_person", table_name="voucher", schema="core")
    op.drop_index("ix_voucher_campaign", table_name="voucher", schema="core")
    op.drop_table("voucher", schema="core")
    op.drop_table("tally_delta", schema="core")
    op.drop_table("tally", schema="core")
    op.drop_table("staff", schema="core")
    op.drop_table("sign_in_failure", schema="core")
    op.drop_table("schedule", schema="core")
    op.drop_table("request", schema="core")
    op.drop_table("person", schema="core")
    op.drop_index(
        "ix_outbox_due", table_name="outbox", schema="core", postgresql_where=sa.text("state = 'ready'")
    )
    op.drop_table("outbox", schema="core")
    op.drop_index("ix_nonce_expires_at", table_name="nonce", schema="core")
    op.drop_table("nonce", schema="core")
    op.drop_table("ledger_transfer", schema="core")
    op.drop_table("job", schema="core")
    op.drop_table("fund", schema="core")
    op.drop_table("demo_clock", schema="core")
    op.drop_table("campaign", schema="core")
    op.drop_table("audit_head", schema="core")
    op.drop_table("audit_entry", schema="core")
    op.execute(_DROP_FUNCTIONS)
