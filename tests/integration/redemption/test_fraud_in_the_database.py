"""The story of frauds once through the database: found by the job, held by decisions, at no honest cost."""

import secrets
from collections import defaultdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.redemption.riskdays.store import mark
from services.redemption.wiring import build
from shared.clock import CHINA, ManualClock, machine_seconds
from shared.ids import HotId
from shared.kit import Kit
from tests.support.frauds import DAYS, Evidence, Story, told, weigh
from tests.support.tills import Bureau
from tests.support.vouchers import published

_VOUCHERS = text("""
    INSERT INTO core.voucher (
        bucket, id, campaign_id, phase_seq, voucher_type, kind, amount_fen, split_fen, person_id, source_id,
        code_hash, code_sealed, valid_from, valid_until, issued_at)
    SELECT DISTINCT ON (u.voucher) u.bucket, u.voucher, :campaign, 1, 'general_50', 'general', 5000, '{5000}',
           u.person, u.voucher, decode(md5(u.voucher::text), 'hex'), NULL, u.issued,
           u.issued + interval '60 days', u.issued
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:vouchers AS uuid[]), CAST(:persons AS uuid[]),
                CAST(:issued AS timestamptz[])) AS u (bucket, voucher, person, issued)
""")
_ORIGINS = text("""
    INSERT INTO core.voucher_origin (
        bucket, source_id, campaign_id, person_id, device_hash, address_hash, claimed_on)
    SELECT u.bucket, u.voucher, :campaign, u.person, decode(md5('device' || u.device), 'hex'),
           decode(md5('address' || u.place), 'hex'), (u.issued AT TIME ZONE 'Asia/Shanghai')::date
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:vouchers AS uuid[]), CAST(:persons AS uuid[]),
                CAST(:devices AS bigint[]), CAST(:places AS bigint[]), CAST(:issued AS timestamptz[]))
        AS u (bucket, voucher, person, device, place, issued)
    ON CONFLICT DO NOTHING
""")
_REDEMPTIONS = text("""
    INSERT INTO redemption.redemption (
        bucket, id, voucher_id, institution_id, terminal_id, campaign_id, voucher_type, kind, request_no,
        bill_fen, applied_fen, payable_fen, split_fen, redeemed_at, received_at, source, state)
    SELECT u.bucket, u.id, u.voucher, u.institution, u.terminal, :campaign,
           CASE WHEN u.bill IS NULL THEN 'checkup' ELSE 'general_50' END,
           CASE WHEN u.bill IS NULL THEN 'directed' ELSE 'general' END,
           left(u.id::text, 32), u.bill, least(u.bill, 5000), coalesce(u.bill - least(u.bill, 5000), 0),
           '{5000}',
           u.at, u.at, CASE WHEN u.manual THEN 'manual' ELSE 'online' END,
           CASE WHEN u.live THEN 'redeemed' ELSE 'reversed' END
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[]), CAST(:vouchers AS uuid[]),
                CAST(:institutions AS text[]), CAST(:terminals AS text[]), CAST(:bills AS bigint[]),
                CAST(:at AS timestamptz[]), CAST(:manual AS boolean[]), CAST(:live AS boolean[]))
        AS u (bucket, id, voucher, institution, terminal, bill, at, manual, live)
""")
_HELD = text(
    "SELECT bucket, redemption_id FROM redemption.settlement_hold WHERE institution_id = ANY(:institutions)"
)
_EVIDENCE = text("""
    SELECT k.kind, i.bucket, i.redemption_id FROM redemption.risk_case_item i
    JOIN redemption.risk_case k ON k.id = i.case_id WHERE k.campaign_id = :campaign
""")


async def written(kit: Kit, story: Story, campaign: UUID, institutions: list[str]) -> None:
    """The story's write-offs as tills leave them, and their days marked as the counting job does."""
    traces = [one.trace for one in story.marks]
    addresses = {
        "campaign": campaign,
        "buckets": [trace.redemption.bucket for trace in traces],
        "vouchers": [trace.voucher for trace in traces],
    }
    async with kit.database.transaction(slow=True) as tx:
        await tx.execute(
            _VOUCHERS,
            addresses
            | {
                "persons": [UUID(int=trace.holder % 2**128) for trace in traces],
                "issued": [trace.issued_at for trace in traces],
            },
        )
        await tx.execute(
            _ORIGINS,
            addresses
            | {
                "persons": [UUID(int=trace.holder % 2**128) for trace in traces],
                "devices": [trace.device for trace in traces],
                "places": [trace.place for trace in traces],
                "issued": [trace.issued_at for trace in traces],
            },
        )
        await tx.execute(
            _REDEMPTIONS,
            addresses
            | {
                "ids": [trace.redemption.uuid for trace in traces],
                "institutions": [institutions[one.institution] for one in story.marks],
                "terminals": [trace.terminal_id for trace in traces],
                "bills": [trace.bill_fen for trace in traces],
                "at": [trace.redeemed_at for trace in traces],
                "manual": [trace.manual for trace in traces],
                "live": [trace.live for trace in traces],
            },
        )
        await mark(tx, [trace.redemption for trace in traces])


async def test_patterns_are_found_and_held_and_honest_write_offs_are_not(
    kit: Kit, clock: ManualClock, staff: Bureau
) -> None:
    clock.set(datetime(2020, 11, 30, 9, tzinfo=CHINA))
    story = told(7, institutions=22, patterns=20)
    campaign = await published(kit, f"frauds-{secrets.token_hex(4)}")
    institutions = [await staff.institution(campaign) for _ in story.habits]
    for institution, habits in zip(institutions, story.habits, strict=True):
        if habits.hourly is not None:
            await staff.post(f"/institutions/{institution}/capacity", {"hourly": habits.hourly})
    await written(kit, story, campaign.id, institutions)

    began = machine_seconds()
    days = 0
    while done := await build(kit).signals.scan():
        days += done
    seconds = machine_seconds() - began
    assert days == len({(one.institution, one.day) for one in story.marks}) <= len(institutions) * DAYS

    cursor: dict[str, str] = {}
    while True:
        params = {"campaign": campaign.slug, "status": "open", "limit": "200", **cursor}
        page = (await staff.get("/risk/cases", **params)).json()
        for case in page["items"]:
            body = {"decision": case["suggested"], "note": "按建议处理"}
            assert (await staff.post(f"/risk/cases/{case['id']}/decide", body)).status_code in (200, 409)
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    async with kit.database.snapshot() as tx:
        evidence: Evidence = defaultdict(set)
        for kind, *address in await tx.execute(_EVIDENCE, {"campaign": campaign.id}):
            evidence[kind].add(HotId(*address))
        held = {HotId(*row) for row in await tx.execute(_HELD, {"institutions": institutions})}
    outcome = weigh(story, evidence, held)
    print(f"{outcome}; {days} days rolled up in {seconds:.1f} s", *outcome.missed, sep="\n  ")  # noqa: T201 - the figures are the point
    assert outcome.good, (outcome.by_own, outcome.missed)
    # What is only watched is a fifth of the kinds: crowds seen once, jumps, addresses.
    assert outcome.fraud_held >= 0.5
