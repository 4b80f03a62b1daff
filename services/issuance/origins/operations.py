"""Where awards are claimed, in campaigns that ask for it: keyed hashes, for the signals of risk."""

from collections.abc import Hashable, Sequence
from datetime import date

from services.issuance.origins import store
from services.issuance.origins.store import Noting, Origin
from shared.batching import Batcher
from shared.clock import CHINA, local_day
from shared.errors import NotFound
from shared.identity.citizens import Citizen
from shared.ids import HotId, parse_hot_id
from shared.kit import Kit
from shared.origins import KEPT_FOR
from shared.remembered import Remembered

# Which campaigns note claims rarely changes, and is asked by every claim.
_REMEMBERED_SECONDS = 1.0
_DEVICE_DOMAIN, _ADDRESS_DOMAIN = "claim-device", "claim-address"
_KEY_BYTES = 16
_FORGET_AT_ONCE = 5000


class Origins:
    """Costs a claim nothing while no campaign notes where its awards are claimed."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._noting = Remembered(self._load, seconds=_REMEMBERED_SECONDS)
        self._notes: Batcher[list[Origin], None] = Batcher(self._note_batch)

    async def note(self, citizen: Citizen, award_id: str, *, device: str | None, address: str | None) -> None:
        """Before the claim. An award of somebody else is not noted, and refused by what comes next."""
        noting = await self._noting.get("")
        if not noting or (device is None and address is None):
            return
        try:
            award = parse_hot_id(award_id)
        except NotFound:
            return
        await self._notes.submit(None, [self._origin(citizen, award, one, device, address) for one in noting])

    async def forget(self) -> None:
        """Forgets what is too old for any signal. Safe to run twice."""
        before = self._kit.clock.now().astimezone(CHINA).date() - KEPT_FOR
        while True:
            async with self._kit.database.transaction(slow=True) as tx:
                if await store.forget(tx, before=before, limit=_FORGET_AT_ONCE) < _FORGET_AT_ONCE:
                    return

    async def drain(self) -> None:
        """Answers what was submitted; at the end of a process."""
        await self._notes.drain()

    async def _load(self, _everything: str) -> list[Noting]:
        return await store.noting(self._kit.database)

    def _origin(
        self, citizen: Citizen, award: HotId, campaign: Noting, device: str | None, address: str | None
    ) -> Origin:
        today = local_day(self._kit.clock.now(), campaign.timezone)
        return Origin(
            award=award,
            person_id=citizen.person_id,
            campaign_id=campaign.campaign_id,
            device_hash=None if device is None else self._hash(_DEVICE_DOMAIN, campaign, device),
            # With the day in it: nobody can be followed from one day to the next.
            address_hash=None if address is None else self._hash(_ADDRESS_DOMAIN, campaign, address, today),
            claimed_on=today,
        )

    def _hash(self, domain: str, campaign: Noting, value: str, day: date | None = None) -> bytes:
        text = f"{campaign.campaign_id}\n{day or ''}\n{value}"
        return self._kit.keys.index.digest(domain, text)[:_KEY_BYTES]

    async def _note_batch(self, _key: Hashable, items: Sequence[list[Origin]]) -> Sequence[None]:
        await store.note(self._kit.database, [origin for item in items for origin in item])
        return [None for _ in items]
