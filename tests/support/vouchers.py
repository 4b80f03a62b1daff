"""Builders for write-offs: a campaign with all kinds of vouchers, and vouchers whose codes are known."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, text, update

from shared import ledger
from shared.identity.persons import IDENTITY_DOMAIN, person_context
from shared.identity.tables import PersonIdentityRow, PersonRow
from shared.ids import BUCKETS, new_id
from shared.kit import Kit
from shared.vouchers import catalogue
from shared.vouchers.catalogue import PLAIN_TILLS, CampaignRef, TillRules, VoucherType
from shared.vouchers.codes import code_hash, make_code, make_token

TYPES = (
    VoucherType("checkup", "directed", "健康体检券", None, 30_000, 60),
    VoucherType("fitness", "directed", "全民健身券", None, 5_000, 60),
    VoucherType("general_50", "general", "通用消费券50元", None, 5_000, 60),
    VoucherType("general_100", "general", "通用消费券100元", None, 10_000, 60),
)
# The model campaign's four payers, with shares that leave remainders.
PAYERS = (
    ledger.Payer("prefecture_treasury", "州本级财政", 333_334),
    ledger.Payer("service_institutions", "相关服务机构", 333_333),
    ledger.Payer("smart_medical_company", "州智慧医疗投资有限责任公司", 200_000),
    ledger.Payer("medical_insurance", "州级医保资金", 133_333),
)
HOLDER_MASKED = "张*"

_ISSUE = text("""
    SELECT core.vouchers_issue(
        :campaign, CAST(1 AS smallint), :type, :now, CAST(:buckets AS smallint[]), CAST(:ids AS uuid[]),
        CAST(:persons AS uuid[]), CAST(:sources AS uuid[]), CAST(:hashes AS bytea[]),
        CAST(:sealed AS bytea[]), 'system')
""")
_END = text("""
    SELECT voucher_id FROM core.vouchers_end(
        ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:id AS uuid)], :state, 'system', :now)
""")


@dataclass(frozen=True, slots=True)
class HeldVoucher:
    """A voucher as its holder has it: the code to show, and where it lies."""

    code: str
    bucket: int
    id: UUID
    person_id: UUID
    campaign: CampaignRef
    voucher_type: str

    def token(self, kit: Kit) -> str:
        hashed = code_hash(kit.keys.index, self.code)
        token, _ = make_token(kit.keys.token, bucket=self.bucket, hashed=hashed, now=kit.clock.now())
        return token


async def published(
    kit: Kit,
    slug: str,
    *,
    budget_fen: int = 10_000_000_00,
    institution_approval: bool = False,
    types: tuple[VoucherType, ...] = TYPES,
    tills: TillRules = PLAIN_TILLS,
) -> CampaignRef:
    """A campaign, by default with two directed and two general voucher types, paid for by four payers."""
    campaign = CampaignRef(new_id(), slug, "健康消费券", "Asia/Shanghai", "published", institution_approval)
    fund = ledger.Fund(PAYERS, budget_fen)
    async with kit.database.transaction() as tx:
        now = kit.clock.now()
        assert await catalogue.publish(
            tx, campaign, types=types, fund=fund, actor="system", now=now, tills=tills
        )
    return campaign


async def held_vouchers(
    kit: Kit, campaign: CampaignRef, voucher_type: str, count: int = 1
) -> Sequence[HeldVoucher]:
    """Issues vouchers, each to a person of its own."""
    made = []
    for _ in range(count):
        bucket = secrets.randbelow(BUCKETS)
        made.append(HeldVoucher(make_code(bucket), bucket, new_id(), new_id(), campaign, voucher_type))
    now = kit.clock.now()
    async with kit.database.transaction(slow=True) as tx:
        await tx.execute(
            insert(PersonRow),
            [
                {"bucket": one.bucket, "id": one.person_id, "name_masked": HOLDER_MASKED, "created_at": now}
                for one in made
            ],
        )
        await tx.execute(
            _ISSUE,
            {
                "campaign": campaign.id,
                "type": voucher_type,
                "now": now,
                "buckets": [one.bucket for one in made],
                "ids": [one.id for one in made],
                "persons": [one.person_id for one in made],
                "sources": [new_id() for _ in made],
                "hashes": [code_hash(kit.keys.index, one.code) for one in made],
                "sealed": [b"sealed" for _ in made],
            },
        )
    return made


async def held_voucher(kit: Kit, campaign: CampaignRef, voucher_type: str = "general_50") -> HeldVoucher:
    return (await held_vouchers(kit, campaign, voucher_type))[0]


async def end(kit: Kit, voucher: HeldVoucher, state: str) -> None:
    """Revokes or expires a voucher, as issuance does."""
    values = {"bucket": voucher.bucket, "id": voucher.id, "state": state, "now": kit.clock.now()}
    async with kit.database.transaction() as tx:
        (await tx.execute(_END, values)).one()


async def identify(kit: Kit, voucher: HeldVoucher, *, name: str, id_number: str) -> None:
    """Makes the holder a person whose identity is known, as binding it does."""
    seal, person = kit.keys.sealer.seal_text, voucher.person_id
    async with kit.database.transaction() as tx:
        await tx.execute(
            update(PersonRow)
            .where(PersonRow.bucket == voucher.bucket, PersonRow.id == person)
            .values(
                name_sealed=seal(name, context=person_context(person, "name")),
                id_number_sealed=seal(id_number, context=person_context(person, "id_number")),
            )
        )
        await tx.execute(
            insert(PersonIdentityRow).values(
                identity_hash=kit.keys.index.digest(IDENTITY_DOMAIN, id_number),
                bucket=voucher.bucket,
                person_id=person,
            )
        )
