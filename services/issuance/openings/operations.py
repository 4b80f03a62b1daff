"""How many devices opened a campaign on a day, signed in or not, without knowing any of them."""

from collections.abc import Hashable, Sequence
from datetime import timedelta

from services.issuance.openings import store
from services.issuance.openings.store import Opening
from shared.batching import Batcher
from shared.clock import CHINA, local_day
from shared.kit import Kit
from shared.remembered import Remembered
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef

_REMEMBERED_SECONDS = 5.0
_DOMAIN = "opening"
_KEY_BYTES = 16
# Openings that this process has written: an app reports one at each start.
_SEEN_MAX = 200_000
# The day after is for clocks, and zones, that disagree about midnight.
_KEPT_FOR = timedelta(days=1)
_FORGET_AT_ONCE = 5000


class Openings:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._campaigns = Remembered(self._load, seconds=_REMEMBERED_SECONDS)
        self._seen: set[Opening] = set()
        self._notes: Batcher[Opening, None] = Batcher(self._note_batch)

    async def note(self, slug: str, device: str) -> None:
        """Counts a device once a day. Raises NotFound, Busy."""
        campaign = await self._campaigns.get(slug)
        day = local_day(self._kit.clock.now(), campaign.timezone)
        # With campaign and day in it: nobody can be followed from one to the next.
        digest = self._kit.keys.index.digest(_DOMAIN, f"{campaign.id}\n{day}\n{device}")
        opening = Opening(campaign.id, day, digest[:_KEY_BYTES])
        if opening not in self._seen:
            await self._notes.submit(None, opening)

    async def forget(self) -> None:
        """Forgets the devices of days that are over; how many they were stays. Safe to run twice."""
        before = self._kit.clock.now().astimezone(CHINA).date() - _KEPT_FOR
        while True:
            async with self._kit.database.transaction(slow=True) as tx:
                if await store.forget(tx, before=before, limit=_FORGET_AT_ONCE) < _FORGET_AT_ONCE:
                    return

    async def drain(self) -> None:
        """Answers what was submitted; at the end of a process."""
        await self._notes.drain()

    async def _load(self, slug: str) -> CampaignRef:
        async with self._kit.database.snapshot() as tx:
            return await catalogue.campaign_by_slug(tx, slug)

    async def _note_batch(self, _key: Hashable, openings: Sequence[Opening]) -> Sequence[None]:
        async with self._kit.database.transaction() as tx:
            await store.note(tx, openings)
        if len(self._seen) >= _SEEN_MAX:
            self._seen.clear()
        self._seen.update(openings)
        return [None for _ in openings]
