"""Photos that citizens add to what they report: kept without anything but their pixels, sealed."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from services.issuance.photos import store
from services.issuance.photos.errors import TooManyPhotos
from services.issuance.photos.rules import BYTES_MAX, PhotoRefused, Picture, redrawn
from services.issuance.photos.store import Kept
from shared import outbox
from shared.db import Tx
from shared.errors import (
    Busy,
    Fault,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    Refusal,
    Unauthenticated,
)
from shared.idempotency import Answer
from shared.identity.citizens import Citizen
from shared.identity.errors import ConsentWithdrawn
from shared.identity.store import hold_account
from shared.ids import HotId, new_id
from shared.jobs.kinds import Kind, Queue
from shared.kit import Kit
from shared.objects import ObjectStore

# Photos in hand while a report is written. More than that is no report.
UNUSED_MAX = 20
UNUSED_FOR = timedelta(days=1)
_DROP_AT_ONCE = 500
# Decoding takes a core and up to 150 MB for a moment; requests beside it must stay quick.
_DECODED_AT_ONCE = 2
# Whoever has not got a turn by then is told to come back: an answer comes within 5 s (api.md).
_WAIT_SECONDS = 3.0


class Upload(Protocol):
    async def read(self, size: int) -> bytes:
        """The next bytes of what was sent; it waits on the disk until somebody reads it."""
        ...


@dataclass(frozen=True, slots=True)
class Photos:
    kit: Kit
    objects: ObjectStore
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_DECODED_AT_ONCE))

    async def keep(self, citizen: Citizen, upload: Upload) -> Answer:
        """Keeps the picture. Its content is its request number: the same photo again is the same one.

        Raises:
            PayloadTooLarge, InvalidRequest: no picture that we take.
            TooManyPhotos: nothing uses those that the person uploaded before.
            Unauthenticated, ConsentWithdrawn: of the account.
            Busy: too many are being uploaded.
        """
        picture = await self._redrawn(upload)
        photo_id = HotId(citizen.bucket, new_id())
        sealed = self.kit.keys.sealer.seal(picture.jpeg, context=_context(photo_id))
        # Stored first: a row whose picture is missing would be evidence that nobody can look at.
        address = await self.objects.put(sealed)
        try:
            async with self.kit.database.transaction() as tx:
                kept = await self._keep(tx, citizen, photo_id, picture, address)
        except Refusal:
            await self.objects.delete(address)
            raise
        if kept.known:
            await self.objects.delete(address)
        body = {"photo_id": str(kept.id), "width": kept.width, "height": kept.height}
        return Answer(body, replayed=kept.known)

    async def _keep(self, tx: Tx, citizen: Citizen, photo_id: HotId, picture: Picture, address: str) -> Kept:
        # Before anything else: a photo that comes after its person was erased would stay for ever.
        standing = await hold_account(tx, citizen.account_id)
        if standing is None:
            raise Unauthenticated
        if standing.consent_withdrawn:
            raise ConsentWithdrawn
        kept = await store.keep(
            tx,
            photo_id,
            citizen.person_id,
            picture,
            address=address,
            now=self.kit.clock.now(),
            unused_max=UNUSED_MAX,
        )
        if kept is None:
            raise TooManyPhotos
        return kept

    async def picture(self, photo_id: HotId) -> bytes:
        """The JPEG. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            address = await store.address_of(tx, photo_id)
        sealed = None if address is None else await self.objects.get(address)
        if sealed is None:
            raise NotFound
        return self.kit.keys.sealer.open(sealed, context=_context(photo_id))

    async def drop_unused(self) -> None:
        """Forgets photos that no report used within a day. Safe to run twice."""
        before = self.kit.clock.now() - UNUSED_FOR
        async with self.kit.database.transaction() as tx:
            addresses = await store.drop_unused(tx, before=before, limit=_DROP_AT_ONCE)
            if addresses:
                rows = [(0, {"address": address}) for address in addresses]
                await outbox.add_many(tx, Queue.ISSUANCE, Kind.PHOTO_DROPPED, rows)

    async def _redrawn(self, upload: Upload) -> Picture:
        try:
            async with asyncio.timeout(_WAIT_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise Busy from None
        try:
            # Read only now, so that those who wait take no memory.
            content = await upload.read(BYTES_MAX + 1)
            if len(content) > BYTES_MAX:
                raise PayloadTooLarge
            return await asyncio.to_thread(redrawn, content)
        except PhotoRefused as refused:
            raise InvalidRequest(faults=(Fault("body.file", refused.message, refused.code),)) from None
        finally:
            self._turns.release()


def _context(photo_id: HotId) -> bytes:
    return f"photo/{photo_id}".encode()
