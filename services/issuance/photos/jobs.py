from datetime import timedelta

from services.issuance.photos.operations import Photos
from shared.jobs.handlers import Job, Periodic
from shared.jobs.kinds import Kind
from shared.outbox import OutboxItem

_EVERY = timedelta(minutes=5)


def drop_unused(photos: Photos) -> Periodic:
    return Periodic("issuance.drop_unused_photos", _EVERY, photos.drop_unused)


def forget_pictures(photos: Photos) -> Job:
    """Forgets what dropped photos had in the object store; gone already is as good."""

    async def forget(item: OutboxItem) -> None:
        await photos.objects.delete(item.payload["address"])

    return Job(Kind.PHOTO_DROPPED, errand=forget)
