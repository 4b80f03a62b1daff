"""The templates of notices and letters: the platform's own, or the bureau's, in versions."""

from dataclasses import dataclass, field
from uuid import UUID

from services.quota.programmes.operations import require_programme
from services.quota.programmes.store import lock_programme
from services.quota.templates import store
from services.quota.templates.errors import TemplateNotKept
from services.quota.templates.rules import SHAPES, TemplateKind, default_template, trials
from services.quota.templates.schemas import TemplateVersion, TemplateVersions, TemplateView
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.computing import Computing
from shared.db import Tx
from shared.documents.wordtemplates import fill
from shared.errors import NotFound
from shared.identity.staff import Staff
from shared.identity.store import usernames
from shared.kit import Kit
from shared.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Templates:
    kit: Kit
    objects: ObjectStore
    computing: Computing = field(default_factory=Computing)

    async def template(self, slug: str, kind: TemplateKind, version: int | None) -> bytes:
        """The template in use or an earlier one, to start one's own from.

        Raises:
            NotFound, TemplateNotKept.
        """
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            found = await store.versions(tx, programme.id, kind)
        if version is None:
            return await self.content(kind, found[0].sha256 if found else None)
        chosen = [entry for entry in found if entry.version == version]
        if not chosen:
            raise NotFound
        return await self.content(kind, chosen[0].sha256)

    async def in_use(self, tx: Tx, programme_id: UUID, kind: TemplateKind) -> str | None:
        """Where the file of the template in use is kept; None: it is the platform's own."""
        found = await store.in_use(tx, programme_id, kind)
        return found.sha256 if found else None

    async def content(self, kind: TemplateKind, address: str | None) -> bytes:
        """Raises TemplateNotKept."""
        if address is None:
            return await self.computing.run(default_template, kind)
        content = await self.objects.get(address)
        if content is None:
            raise TemplateNotKept
        return content

    async def versions(self, slug: str, kind: TemplateKind) -> TemplateVersions:
        """Who put which template into use, and when. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            found = await store.versions(tx, programme.id, kind)
            names = await usernames(tx, {entry.put_by for entry in found})
        return TemplateVersions(
            items=[
                TemplateVersion(
                    version=entry.version,
                    default=entry.sha256 is None,
                    sha256=entry.sha256,
                    put_by=names[entry.put_by],
                    put_at=rfc3339(entry.put_at),
                )
                for entry in found
            ]
        )

    async def replace(self, staff: Staff, slug: str, kind: TemplateKind, content: bytes) -> TemplateView:
        """Puts the bureau's own template into use once trials with made-up figures have worked.

        Raises:
            NotFound, Busy, InvalidRequest: names every placeholder that is not known.
        """
        await self.computing.run(_try, content, kind)
        async with self.kit.database.snapshot() as tx:
            await require_programme(tx, slug)
        address = await self.objects.put(content)
        return await self._use(staff, slug, kind, address)

    async def drop(self, staff: Staff, slug: str, kind: TemplateKind) -> TemplateView:
        """Goes back to the platform's own template. Raises NotFound."""
        return await self._use(staff, slug, kind, None)

    async def _use(self, staff: Staff, slug: str, kind: TemplateKind, address: str | None) -> TemplateView:
        """A version more; the same template again is none."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            programme = await lock_programme(tx, slug)
            if programme is None:
                raise NotFound
            before = await store.in_use(tx, programme.id, kind)
            number, kept = (before.version, before.sha256) if before else (0, None)
            if kept != address:
                number += 1
                version = store.Version(number, address, staff.id, now)
                await store.insert_version(tx, programme.id, kind, version)
                entry = AuditEntry(
                    staff.actor,
                    "bulletin_template.replace",
                    f"programme:{slug}",
                    before={"kind": kind, "sha256": kept},
                    after={"kind": kind, "sha256": address, "version": number},
                )
                await record(tx, entry, at=now)
        shape = SHAPES[kind]
        return TemplateView(
            kind=kind,
            version=number,
            default=address is None,
            sha256=address,
            fields=sorted(shape.fields),
            lists={name: sorted(fields) for name, fields in shape.lists.items()},
        )


def _try(content: bytes, kind: TemplateKind) -> None:
    """Raises InvalidRequest."""
    for context in trials(kind):
        fill(content, SHAPES[kind], context)
