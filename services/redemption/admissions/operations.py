"""Approval of institutions, type by type, where a campaign's definition asks for it: four eyes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.redemption.admissions.errors import NotAwaiting
from services.redemption.admissions.rules import let_in
from services.redemption.institutions import store
from shared.approvals import Applier, Change, propose
from shared.db import Tx
from shared.errors import NoLongerFits
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef

ADMIT = "institution.admit"


@dataclass(frozen=True, slots=True)
class Applicant:
    """An institution and the types that it is to accept."""

    institution_id: str
    voucher_types: Sequence[str]


async def propose_admission(
    tx: Tx,
    staff: Staff,
    campaign: CampaignRef,
    applicants: Sequence[Applicant],
    *,
    reason: str | None,
    now: datetime,
) -> dict[str, Any]:
    """One change for all of them; returns its 202 answer."""
    target = f"institution:{applicants[0].institution_id}" if len(applicants) == 1 else ""
    return await propose(
        tx,
        staff,
        service="redemption",
        kind=ADMIT,
        target=target or f"campaign:{campaign.slug}",
        body={
            "campaign": campaign.slug,
            "institutions": [
                {"institution_id": one.institution_id, "voucher_types": list(one.voucher_types)}
                for one in applicants
            ],
            "reason": reason,
        },
        before={},
        reason=reason,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Admissions:
    kit: Kit

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {ADMIT: self._apply}

    async def propose(
        self,
        staff: Staff,
        campaign_slug: str,
        applicants: Sequence[Applicant],
        reason: str,
        key: RequestKey | None,
    ) -> Answer:
        """Proposes a choice of what waits: the change of an import may be too much, or was rejected.

        Raises:
            NotFound: no such campaign.
            NotAwaiting: none of it waits. RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
            waiting = []
            for one in applicants:
                admission = await store.admission(tx, one.institution_id, campaign.id)
                moved = None if admission is None else let_in(admission, one.voucher_types)
                if admission is not None and moved is not None:
                    waiting.append(
                        Applicant(
                            one.institution_id, [k for k in admission.awaiting if k not in moved.awaiting]
                        )
                    )
            if not waiting:
                raise NotAwaiting
            return await propose_admission(tx, staff, campaign, waiting, reason=reason, now=now)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits: nothing of it waits any more."""
        campaign = await catalogue.campaign_by_slug(tx, change.body["campaign"])
        wanted = {one["institution_id"]: one["voucher_types"] for one in change.body["institutions"]}
        moved = [
            await self._let_in(tx, change, campaign, institution_id, wanted[institution_id])
            for institution_id in sorted(wanted)
        ]
        if not any(moved):
            raise NoLongerFits(NotAwaiting.zh)

    async def _let_in(
        self, tx: Tx, change: Change, campaign: CampaignRef, institution_id: str, types: Sequence[str]
    ) -> bool:
        now = self.kit.clock.now()
        kept = await store.lock(tx, institution_id)
        before = await store.admission(tx, institution_id, campaign.id)
        if kept is None or kept.status == "closed" or before is None:
            return False
        after = let_in(before, types)
        if after is None:
            return False
        await store.set_membership(tx, institution_id, campaign.id, after, now)
        await store.write_version(
            tx,
            store.Version(
                institution_id,
                campaign.id,
                "approve",
                before={"accepts": list(before.accepts), "awaiting": list(before.awaiting)},
                entry={"accepts": list(after.accepts), "awaiting": list(after.awaiting)},
                actor=f"change:{change.id}",
                reason=change.reason,
                at=now,
            ),
        )
        return True
