"""Scans of codes: counted together with whatever else is scanned at the moment, and led on."""

from collections.abc import Hashable, Sequence

from services.quota.qrcodes.errors import CodeUnknown
from services.quota.qrcodes.rules import landing_address, read_scene
from services.quota.scans import store
from services.quota.scans.rules import Seen
from shared.batching import Batcher
from shared.kit import Kit


class Scans:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._batcher: Batcher[tuple[str, Seen], str | None] = Batcher(self._count)

    async def scan(self, sent: str, seen: Seen) -> str:
        """Counts a scan and returns where it leads. Raises CodeUnknown, Busy."""
        scene = read_scene(sent)
        landing_url = None if scene is None else await self._batcher.submit("scan", (scene, seen))
        if scene is None or landing_url is None:
            raise CodeUnknown
        return landing_address(landing_url, scene)

    async def drain(self) -> None:
        await self._batcher.drain()

    async def _count(self, _key: Hashable, scans: Sequence[tuple[str, Seen]]) -> list[str | None]:
        return await store.count_scans(self._kit.database, scans, self._kit.clock.now())
