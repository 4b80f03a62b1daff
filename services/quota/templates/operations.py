"""The templates and words of notices and letters, kept per programme."""

from uuid import UUID

from services.quota.programmes.operations import require_programme
from services.quota.programmes.store import lock_programme
from services.quota.templates.rules import SORTS
from services.quota.templates.tables import TABLE
from shared.db import Tx
from shared.errors import NotFound
from shared.kit import Kit
from shared.objects import ObjectStore
from shared.paperwork import Home, Papers, Shelf


def papers_of_programmes(kit: Kit, objects: ObjectStore) -> Papers:
    home = Home(name="programme", shelf=Shelf(TABLE, "programme_id"), sorts=SORTS, find=_find, lock=_lock)
    return Papers(kit, objects, home)


async def _find(tx: Tx, slug: str) -> UUID:
    return (await require_programme(tx, slug)).id


async def _lock(tx: Tx, slug: str) -> UUID:
    programme = await lock_programme(tx, slug)
    if programme is None:
        raise NotFound
    return programme.id
