"""The monthly notice and the reminders, made of the month's ranking: as published once it is frozen."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from services.quota.bulletins import store
from services.quota.bulletins.errors import NobodyToRemind, TemplateNotKept, TooManyLetters
from services.quota.bulletins.rules import (
    LETTERS_MAX,
    SHAPES,
    Occasion,
    TemplateKind,
    default_template,
    letter,
    letter_name,
    notice,
    papers,
)
from services.quota.bulletins.schemas import Asked, TemplateView
from services.quota.programmes.operations import own_hospital, require_programme
from services.quota.programmes.store import Programme, hospital_by_id
from services.quota.rankings.operations import Rankings
from services.quota.rankings.schemas import RankingItem, RankingView
from shared.audit import AuditEntry, record
from shared.computing import Computing
from shared.db import Tx
from shared.documents.wordtemplates import fill
from shared.documents.workbooks import workbook
from shared.errors import Forbidden, NotFound
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class Bulletins:
    kit: Kit
    rankings: Rankings
    objects: ObjectStore
    computing: Computing = field(default_factory=Computing)

    async def notice(self, slug: str, asked: Asked) -> bytes:
        """The notice as Word. Raises NotFound, NoAllocation, TemplateNotKept, InvalidRequest, Busy."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            occasion = await self._occasion(tx, programme, asked)
        template = await self._template(programme, "bulletin")
        return await self.computing.run(_notice, template, occasion)

    async def workbook(self, slug: str, asked: Asked) -> bytes:
        """A sheet for each alliance. Raises NotFound, NoAllocation, InvalidRequest, Busy."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            occasion = await self._occasion(tx, programme, asked)
        return await self.computing.run(_workbook, occasion)

    async def reminder(self, staff: Staff, hospital_id: str, asked: Asked) -> bytes:
        """The letter to one hospital, whether it is flagged or not.

        Raises:
            NotFound, Forbidden, NoAllocation, TemplateNotKept, InvalidRequest, Busy.
        """
        if own_hospital(staff) not in (None, hospital_id):
            raise Forbidden
        async with self.kit.database.snapshot() as tx:
            found = await hospital_by_id(tx, hospital_id)
            if found is None:
                raise NotFound
            programme = await require_programme(tx, await store.slug_of(tx, found[1]))
            occasion = await self._occasion(tx, programme, asked)
        chosen = [item for item in occasion.ranking.items if item.hospital_id == hospital_id]
        if not chosen:
            raise NotFound
        template = await self._template(programme, "reminder")
        return await self.computing.run(_letter, template, occasion, chosen[0])

    async def reminders(self, slug: str, asked: Asked, *, everybody: bool) -> bytes:
        """The letters to the flagged hospitals (or all) as one ZIP.

        Raises:
            NotFound, NoAllocation, NobodyToRemind, TooManyLetters, TemplateNotKept, InvalidRequest, Busy.
        """
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            occasion = await self._occasion(tx, programme, asked)
        chosen = [item for item in occasion.ranking.items if everybody or item.flagged]
        if not chosen:
            raise NobodyToRemind
        if len(chosen) > LETTERS_MAX:
            raise TooManyLetters
        template = await self._template(programme, "reminder")
        return await self.computing.run(_letters, template, occasion, chosen)

    async def template(self, slug: str, kind: TemplateKind) -> bytes:
        """The template in use, to start one's own from. Raises NotFound, TemplateNotKept."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
        return await self._template(programme, kind)

    async def replace_template(
        self, staff: Staff, slug: str, kind: TemplateKind, content: bytes
    ) -> TemplateView:
        """Puts the bureau's own template into use once a trial with made-up figures has worked.

        Raises:
            NotFound, Busy, InvalidRequest: names every placeholder that is not known.
        """
        await self.computing.run(_try, content, kind)
        async with self.kit.database.snapshot() as tx:
            await require_programme(tx, slug)
        address = await self.objects.put(content)
        await self._use(staff, slug, kind, address)
        return _view(kind, address)

    async def drop_template(self, staff: Staff, slug: str, kind: TemplateKind) -> TemplateView:
        """Goes back to the platform's own template. Raises NotFound."""
        await self._use(staff, slug, kind, None)
        return _view(kind, None)

    async def _use(self, staff: Staff, slug: str, kind: TemplateKind, address: str | None) -> None:
        async with self.kit.database.transaction() as tx:
            await require_programme(tx, slug)
            before = await store.lock_template(tx, slug, kind)
            await store.use_template(tx, slug, kind, address)
            entry = AuditEntry(
                staff.actor,
                "bulletin_template.replace",
                f"programme:{slug}",
                before={"kind": kind, "sha256": before},
                after={"kind": kind, "sha256": address},
            )
            await record(tx, entry, at=self.kit.clock.now())

    async def _occasion(self, tx: Tx, programme: Programme, asked: Asked) -> Occasion:
        return Occasion(
            title=programme.title,
            target=programme.target_cards,
            issued_before=programme.issued_before_cards,
            ranking=await self.rankings.of_month(tx, programme, asked.month, asked.edition),
            words=asked,
            demo=self.kit.settings.demo,
        )

    async def _template(self, programme: Programme, kind: TemplateKind) -> bytes:
        """Raises TemplateNotKept."""
        address = programme.definition.get("templates", {}).get(kind)
        if address is None:
            return await self.computing.run(default_template, kind)
        content = await self.objects.get(address)
        if content is None:
            raise TemplateNotKept
        return content


def _view(kind: TemplateKind, address: str | None) -> TemplateView:
    shape = SHAPES[kind]
    return TemplateView(
        kind=kind,
        default=address is None,
        sha256=address,
        fields=sorted(shape.fields),
        lists={name: sorted(fields) for name, fields in shape.lists.items()},
    )


def _notice(template: bytes, occasion: Occasion) -> bytes:
    return fill(template, SHAPES["bulletin"], notice(occasion), marks=occasion.marks)


def _workbook(occasion: Occasion) -> bytes:
    return workbook(papers(occasion))


def _letter(template: bytes, occasion: Occasion, item: RankingItem) -> bytes:
    return fill(template, SHAPES["reminder"], letter(occasion, item), marks=occasion.marks)


def _letters(template: bytes, occasion: Occasion, items: Sequence[RankingItem]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, item in enumerate(items, start=1):
            archive.writestr(letter_name(place, item.hospital), _letter(template, occasion, item))
    return buffer.getvalue()


def _try(content: bytes, kind: TemplateKind) -> None:
    """Raises InvalidRequest."""
    context: dict[str, Any] = (
        notice(_TRIAL) if kind == "bulletin" else letter(_TRIAL, _TRIAL.ranking.items[0])
    )
    fill(content, SHAPES[kind], context, marks=_TRIAL.marks)


_TRIAL = Occasion(
    title="发卡任务",
    target=100,
    issued_before=0,
    ranking=RankingView(
        month="2020-08",
        frozen=False,
        edition=None,
        reason=None,
        as_of="2020-09-01T00:00:00+08:00",
        unattributed=1,
        items=[
            RankingItem(
                rank=1,
                hospital_id="hos_1",
                hospital="医院",
                alliance="医共体",
                quota=100,
                month_issued=1,
                issued=1,
                rate="0.01",
                rank_change=None,
                flagged=True,
            )
        ],
    ),
    words=Asked(),
    demo=False,
)
