"""SQL of what is held about a person, and of forgetting it. `me` is the person, and whom its account left."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from services.issuance.privacy.tables import ErasureRow
from shared.db import Tx
from shared.identity.tables import AccountRow
from shared.ids import HotId, new_id

_ME = (
    "(SELECT * FROM unnest(CAST(:buckets AS smallint[]), CAST(:persons AS uuid[]))) AS me (bucket, person_id)"
)
_MINE = "me.bucket = x.bucket AND me.person_id = x.person_id"
_CAMPAIGN = "LEFT JOIN core.campaign c ON c.id = x.campaign_id"

# One statement for each section; columns that end in `_sealed` are opened by the caller, with `place`.
_SECTIONS: Mapping[str, str] = {
    "accounts": f"""
        SELECT x.id AS account_id, x.provider, x.created_at, x.consent_withdrawn_at, x.subject_sealed
        FROM {_ME} JOIN core.account x ON {_MINE} WHERE x.erased_at IS NULL ORDER BY x.id""",
    "identity": f"""
        SELECT core.hot_id_text(x.bucket, x.id) AS person_id, x.id AS person_uuid, x.name_sealed,
               x.id_number_sealed, x.name_masked, x.verified_at, x.created_at
        FROM {_ME} JOIN core.person x ON x.bucket = me.bucket AND x.id = me.person_id ORDER BY x.id""",
    "consents": f"""
        SELECT x.purpose, x.text_version AS version, x.action, x.how, x.given_at AS at
        FROM {_ME} JOIN core.account a ON a.bucket = me.bucket AND a.person_id = me.person_id
        JOIN core.consent x ON x.account_id = a.id ORDER BY x.given_at, x.id""",
    "participation": f"""
        SELECT c.slug AS campaign, x.attempts_day, x.attempts_today, x.draws_day, x.draws_today
        FROM {_ME} JOIN issuance.participant x ON {_MINE} {_CAMPAIGN} ORDER BY c.slug""",
    "attempts": f"""
        SELECT core.hot_id_text(x.bucket, x.id) AS id, c.slug AS campaign, x.started_at, x.expires_at,
               x.answered_at, x.state, x.score, x.passed, x.chances_granted,
               (SELECT jsonb_agg(jsonb_build_object(
                           'question', q.text, 'options', q.options, 'answer', x.answers[u.place],
                           'correct', x.correct[u.place]) ORDER BY u.place)
                FROM unnest(x.question_ids) WITH ORDINALITY AS u (question_id, place)
                JOIN issuance.question q ON q.id = u.question_id) AS questions
        FROM {_ME} JOIN issuance.quiz_attempt x ON {_MINE} {_CAMPAIGN} ORDER BY x.started_at, x.id""",
    "activities": f"""
        SELECT core.hot_id_text(x.bucket, x.id) AS id, c.slug AS campaign, x.channel, x.state AS status,
               x.submitted_at, x.chances_granted, e.name AS event, e.place AS event_place,
               d.decided_at, d.note, x.evidence_sealed
        FROM {_ME} JOIN issuance.activity x ON {_MINE} {_CAMPAIGN}
        LEFT JOIN issuance.event e ON e.id = x.event_id
        LEFT JOIN issuance.activity_decision d ON d.bucket = x.bucket AND d.activity_id = x.id
        ORDER BY x.submitted_at, x.id""",
    "photos": f"""
        SELECT core.hot_id_text(x.bucket, x.id) AS id,
               core.hot_id_text(x.bucket, x.activity_id) AS activity_id, x.width, x.height, x.uploaded_at
        FROM {_ME} JOIN issuance.photo x ON {_MINE} ORDER BY x.uploaded_at, x.id""",
    "chances": f"""
        SELECT core.hot_id_text(x.bucket, x.id) AS id, c.slug AS campaign, x.channel, x.granted_at, x.state
        FROM {_ME} JOIN issuance.chance x ON {_MINE} {_CAMPAIGN} ORDER BY x.granted_at, x.id""",
    "draws": f"""
        SELECT core.hot_id_text(x.bucket, x.id) AS id, c.slug AS campaign, ph.seq AS phase,
               core.hot_id_text(x.bucket, x.chance_id) AS chance_id, x.client_seed,
               (o.odds_ppm / 1000000.0)::numeric(7, 6)::text AS odds, ph.seed_commitment,
               encode(x.value, 'hex') AS value, x.won, x.drawn_at
        FROM {_ME} JOIN issuance.draw x ON {_MINE} {_CAMPAIGN}
        JOIN issuance.phase ph ON ph.id = x.phase_id
        JOIN issuance.odds_version o ON o.id = x.odds_version_id ORDER BY x.drawn_at, x.id""",
    "awards": f"""
        SELECT core.hot_id_text(x.bucket, x.id) AS id, c.slug AS campaign, x.state, x.won_at, x.expires_at,
               x.claimed_at, x.voucher_type, core.hot_id_text(x.bucket, x.voucher_id) AS voucher_id
        FROM {_ME} JOIN issuance.award x ON {_MINE} {_CAMPAIGN} ORDER BY x.won_at, x.id""",
    "vouchers": f"""
        SELECT core.hot_id_text(x.bucket, x.id) AS id, x.id AS voucher_uuid, c.slug AS campaign,
               x.voucher_type, x.kind, x.state AS status, x.amount_fen, x.valid_from, x.valid_until,
               x.issued_at, x.redeemed_at, x.institution_id AS institution,
               redemption.institution_name(x.institution_id) AS institution_name, x.code_sealed,
               (SELECT jsonb_agg(jsonb_build_object(
                           'event', t.kind, 'amount_fen', core.amounts_total(t.amounts_fen),
                           'institution', t.institution_id,
                           'institution_name', redemption.institution_name(t.institution_id),
                           'at', t.at) ORDER BY t.at, t.kind)
                FROM core.ledger_transfer t WHERE t.bucket = x.bucket AND t.voucher_id = x.id) AS history
        FROM {_ME} JOIN core.voucher x ON {_MINE} {_CAMPAIGN} ORDER BY x.issued_at, x.id""",
    "notices": f"""
        SELECT x.kind, x.recorded_at, x.note,
               core.hot_id_text(x.bucket, coalesce(x.voucher_id, x.award_id, x.activity_id)) AS about,
               (SELECT jsonb_agg(jsonb_build_object('channel', d.channel, 'state', d.state, 'at', d.ended_at))
                FROM issuance.notice_delivery d
                WHERE d.bucket = x.bucket AND d.notice_id = x.id) AS deliveries
        FROM {_ME} JOIN issuance.notice x ON {_MINE} ORDER BY x.recorded_at, x.id""",
    "notice_preferences": f"""
        SELECT core.hot_id_text(x.bucket, x.person_id) AS person_id, x.language, x.sms_enabled, x.sms_kinds,
               x.phone_sealed, x.updated_at
        FROM {_ME} JOIN issuance.notice_preference x ON {_MINE}""",
    "notice_grants": f"""
        SELECT x.template_id, x.grants_left, x.updated_at
        FROM {_ME} JOIN issuance.notice_grant x ON {_MINE} ORDER BY x.template_id""",
    "exclusions": f"""
        SELECT DISTINCT x.id, c.slug AS campaign, x.list, x.appeal_note, x.added_at, x.expires_at, x.lifted_at
        FROM {_ME}
        LEFT JOIN core.person_identity i ON i.bucket = me.bucket AND i.person_id = me.person_id
        JOIN issuance.exclusion x ON {_MINE} OR x.identity_hash = i.identity_hash {_CAMPAIGN}
        ORDER BY x.added_at""",
    "holds": f"""
        SELECT core.hot_id_text(h.bucket, h.award_id) AS award_id, h.state, h.evidence, h.held_at,
               h.decided_at
        FROM {_ME} JOIN issuance.award x ON {_MINE}
        JOIN issuance.award_hold h ON h.bucket = x.bucket AND h.award_id = x.id ORDER BY h.held_at""",
    "sightings": f"""
        SELECT c.slug AS campaign, x.kind, x.seen_on
        FROM {_ME} JOIN issuance.sighting x ON {_MINE} {_CAMPAIGN}
        UNION ALL
        SELECT c.slug, 'claim', x.claimed_on
        FROM {_ME} JOIN core.voucher_origin x ON {_MINE} {_CAMPAIGN} ORDER BY seen_on""",
    "erasures": f"""
        SELECT x.erased_at, x.cause, x.given_up
        FROM {_ME} JOIN issuance.erasure x ON {_MINE} ORDER BY x.erased_at""",
}
_STATEMENTS = {name: text(sql) for name, sql in _SECTIONS.items()}

_FORGET = text("""
    SELECT given_up FROM issuance.forget_persons(
        :cause, :wholly, CAST(:buckets AS smallint[]), CAST(:persons AS uuid[]), CAST(:erasures AS uuid[]),
        :account, :note, :now, :sent_at)
""")


@dataclass(frozen=True, slots=True)
class Me:
    """An account's person, and the provisional one that it left behind when it adopted this one."""

    person: HotId
    left: HotId | None

    @property
    def all(self) -> tuple[HotId, ...]:
        return (self.person,) if self.left is None else (self.person, self.left)


async def me(tx: Tx, account_id: UUID, *, lock: bool = False) -> Me | None:
    """Whom a live account stands for; None when it is erased. Locks the account."""
    statement = select(
        AccountRow.bucket, AccountRow.person_id, AccountRow.left_bucket, AccountRow.left_person_id
    ).where(AccountRow.id == account_id, AccountRow.erased_at.is_(None))
    row = (await tx.execute(statement.with_for_update() if lock else statement)).one_or_none()
    if row is None:
        return None
    left = row.left_person_id
    return Me(HotId(row.bucket, row.person_id), None if left is None else HotId(row.left_bucket, left))


async def sections(tx: Tx, whom: Me) -> dict[str, list[dict[str, Any]]]:
    """Everything about the person, by section, as it is stored."""
    values = _persons(whom.all)
    return {
        name: [dict(row._mapping) for row in await tx.execute(statement, values)]  # noqa: SLF001 - SQLAlchemy's public name
        for name, statement in _STATEMENTS.items()
    }


async def forget(
    tx: Tx, account_id: UUID, whom: Me, *, note: str, now: datetime, sent_at: datetime
) -> list[dict[str, Any]]:
    """issuance.forget_persons: what each of them gave up, the account's own person first."""
    values = _persons(whom.all) | {
        "cause": "person",
        "wholly": False,
        "erasures": [new_id() for _ in whom.all],
        "account": account_id,
        "note": note,
        "now": now,
        "sent_at": sent_at,
    }
    return list((await tx.execute(_FORGET, values)).scalars())


async def erasures_of(tx: Tx, account_id: UUID) -> list[tuple[dict[str, Any], datetime]]:
    """What was given up when this account was erased, and when."""
    statement = select(ErasureRow.given_up, ErasureRow.erased_at).where(
        ErasureRow.account_id == account_id, ErasureRow.cause == "person"
    )
    return [(row.given_up, row.erased_at) for row in await tx.execute(statement)]


def _persons(persons: Sequence[HotId]) -> dict[str, Any]:
    return {
        "buckets": [person.bucket for person in persons],
        "persons": [person.uuid for person in persons],
    }
