"""The template and words of the official report, kept per campaign."""

from uuid import UUID

from services.issuance.templates import store
from services.issuance.templates.rules import SORTS
from services.issuance.templates.tables import TABLE
from shared.db import Tx
from shared.errors import NotFound
from shared.kit import Kit
from shared.objects import ObjectStore
from shared.paperwork import Home, Papers, Shelf
from shared.vouchers import catalogue


def papers_of_campaigns(kit: Kit, objects: ObjectStore) -> Papers:
    home = Home(name="campaign", shelf=Shelf(TABLE, "campaign_id"), sorts=SORTS, find=_find, lock=_lock)
    return Papers(kit, objects, home)


async def _find(tx: Tx, slug: str) -> UUID:
    return (await catalogue.campaign_by_slug(tx, slug)).id


async def _lock(tx: Tx, slug: str) -> UUID:
    found = await store.lock_campaign(tx, slug)
    if found is None:
        raise NotFound
    return found
