"""Templates and words of documents: read, replaced, and gone back from; each change is a version more."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.computing import Computing
from shared.db import Tx
from shared.documents.wordtemplates import Shape, fill
from shared.errors import NotFound
from shared.identity.staff import Staff
from shared.identity.store import usernames
from shared.kit import Kit
from shared.objects import ObjectStore
from shared.paperwork import store
from shared.paperwork.errors import TemplateNotKept
from shared.paperwork.rules import Sort, trials
from shared.paperwork.schemas import TemplateVersion, TemplateVersions, TemplateView, WordsSince
from shared.paperwork.store import Kept, Shelf


@dataclass(frozen=True, slots=True)
class Home:
    """Whose documents they are, a campaign's or a programme's, and where their versions are kept.

    `find` and `lock` answer the owner's id, or raise NotFound.
    """

    name: str
    shelf: Shelf
    sorts: Mapping[str, Sort]
    find: Callable[[Tx, str], Awaitable[UUID]]
    lock: Callable[[Tx, str], Awaitable[UUID]]


@dataclass(frozen=True, slots=True)
class Papers:
    kit: Kit
    objects: ObjectStore
    home: Home
    computing: Computing = field(default_factory=Computing)

    async def template(self, slug: str, kind: str, version: int | None) -> bytes:
        """The template in use or an earlier one, to start one's own from.

        Raises:
            NotFound, TemplateNotKept.
        """
        found = await self._versions(slug, kind)
        if version is None:
            return await self.content(kind, found[0] if found else None)
        chosen = [entry for entry in found if entry.version == version]
        if not chosen:
            raise NotFound
        return await self.content(kind, chosen[0])

    async def in_use(self, tx: Tx, owner_id: UUID, kind: str) -> Kept | None:
        """The newest version; None while nobody gave one."""
        found = await store.versions(tx, self.home.shelf, owner_id, kind)
        return found[0] if found else None

    async def content(self, kind: str, kept: Kept | None) -> bytes:
        """Raises TemplateNotKept."""
        if kept is None or kept.sha256 is None:
            return await self.computing.run(self.home.sorts[kind].default)
        content = await self.objects.get(kept.sha256)
        if content is None:
            raise TemplateNotKept
        return content

    async def versions(self, slug: str, kind: str) -> TemplateVersions:
        """Who put which template into use, or changed the words, and when. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            owner_id = await self.home.find(tx, slug)
            found = await store.versions(tx, self.home.shelf, owner_id, kind)
            names = await usernames(tx, {entry.put_by for entry in found})
        shape = self.home.sorts[kind].shape
        before = [*(entry.sha256 for entry in found[1:]), None]
        return TemplateVersions(
            items=[
                TemplateVersion(
                    version=entry.version,
                    default=entry.sha256 is None,
                    sha256=entry.sha256,
                    worded=entry.sha256 == earlier,
                    put_by=names[entry.put_by],
                    put_at=rfc3339(entry.put_at),
                )
                for entry, earlier in zip(found, before, strict=False)
            ],
            fields=sorted(shape.fields),
            lists={name: sorted(fields) for name, fields in sorted(shape.lists.items())},
        )

    async def words(self, slug: str, kind: str) -> tuple[dict[str, Any], WordsSince]:
        """The words in use, and whose and since when. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            owner_id = await self.home.find(tx, slug)
            found = await store.versions(tx, self.home.shelf, owner_id, kind)
            names = await usernames(tx, {entry.put_by for entry in found})
        if not found:
            return {}, WordsSince(version=0, put_by=None, put_at=None)
        # The oldest of those that say the same in a row.
        since = found[0]
        for entry in found[1:]:
            if entry.words != since.words:
                break
            since = entry
        told = WordsSince(version=since.version, put_by=names[since.put_by], put_at=rfc3339(since.put_at))
        return since.words, told

    async def replace(self, staff: Staff, slug: str, kind: str, content: bytes) -> TemplateView:
        """Puts the bureau's own template into use once trials with made-up figures have worked.

        Raises:
            NotFound, Busy, InvalidRequest: names every placeholder that is not known.
        """
        await self.computing.run(_try, content, self.home.sorts[kind].shape)
        async with self.kit.database.snapshot() as tx:
            await self.home.find(tx, slug)
        address = await self.objects.put(content)
        return await self._use(staff, slug, kind, address)

    async def drop(self, staff: Staff, slug: str, kind: str) -> TemplateView:
        """Goes back to the platform's own template. Raises NotFound."""
        return await self._use(staff, slug, kind, None)

    async def reword(self, staff: Staff, slug: str, kind: str, words: dict[str, Any]) -> None:
        """Other words from now on; the same again are no version more. Raises NotFound."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            owner_id = await self.home.lock(tx, slug)
            before = await self.in_use(tx, owner_id, kind) or Kept(0, None, {}, staff.id, now)
            if before.words == words:
                return
            made = replace(before, version=before.version + 1, words=words, put_by=staff.id, put_at=now)
            await store.insert_version(tx, self.home.shelf, owner_id, kind, made)
            entry = AuditEntry(
                staff.actor,
                self.home.sorts[kind].worded,
                f"{self.home.name}:{slug}",
                before={"kind": kind, "words": before.words},
                after={"kind": kind, "words": words, "version": made.version},
            )
            await record(tx, entry, at=now)

    async def _versions(self, slug: str, kind: str) -> list[Kept]:
        async with self.kit.database.snapshot() as tx:
            owner_id = await self.home.find(tx, slug)
            return await store.versions(tx, self.home.shelf, owner_id, kind)

    async def _use(self, staff: Staff, slug: str, kind: str, address: str | None) -> TemplateView:
        """A version more; the same template again is none."""
        now = self.kit.clock.now()
        sort = self.home.sorts[kind]
        async with self.kit.database.transaction() as tx:
            owner_id = await self.home.lock(tx, slug)
            before = await self.in_use(tx, owner_id, kind) or Kept(0, None, {}, staff.id, now)
            made = before
            if before.sha256 != address:
                made = Kept(before.version + 1, address, before.words, staff.id, now)
                await store.insert_version(tx, self.home.shelf, owner_id, kind, made)
                entry = AuditEntry(
                    staff.actor,
                    sort.replaced,
                    f"{self.home.name}:{slug}",
                    before={"kind": kind, "sha256": before.sha256},
                    after={"kind": kind, "sha256": address, "version": made.version},
                )
                await record(tx, entry, at=now)
        return TemplateView(
            kind=kind,
            version=made.version,
            default=address is None,
            sha256=address,
            fields=sorted(sort.shape.fields),
            lists={name: sorted(fields) for name, fields in sort.shape.lists.items()},
        )


def _try(content: bytes, shape: Shape) -> None:
    """Raises InvalidRequest."""
    for context in trials(shape):
        fill(content, shape, context)
