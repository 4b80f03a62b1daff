"""The monthly notice and the reminders, made of the month's ranking: as published once it is frozen."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.quota.bulletinbooks.rules import papers
from services.quota.bulletins import store
from services.quota.bulletins.errors import NobodyToRemind, TooManyLetters
from services.quota.bulletins.rules import (
    LETTERS_MAX,
    Occasion,
    letter,
    letter_name,
    notice,
)
from services.quota.bulletins.schemas import Asked
from services.quota.hospitals.store import hospital_by_id
from services.quota.programmes.operations import own_hospital, require_programme
from services.quota.programmes.store import Programme
from services.quota.rankings.operations import Rankings
from services.quota.rankings.schemas import RankingItem
from services.quota.templates.rules import LETTER_SHAPE, NOTICE_SHAPE
from shared.computing import Computing
from shared.db import Tx
from shared.documents.wordtemplates import fill
from shared.documents.workbooks import workbook
from shared.errors import Forbidden, NotFound
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.paperwork import Kept, Papers
from shared.paperwork.schemas import NoticeWords


@dataclass(frozen=True, slots=True)
class Bulletins:
    kit: Kit
    rankings: Rankings
    templates: Papers
    computing: Computing = field(default_factory=Computing)

    async def notice(self, slug: str, asked: Asked) -> bytes:
        """The notice as Word. Raises NotFound, NoAllocation, TemplateNotKept, InvalidRequest, Busy."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            kept = await self.templates.in_use(tx, programme.id, "bulletin")
            occasion = await self._occasion(tx, programme, asked, kept)
        template = await self.templates.content("bulletin", kept)
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
            kept = await self.templates.in_use(tx, programme.id, "reminder")
            occasion = await self._occasion(tx, programme, asked, kept)
        chosen = [item for item in occasion.ranking.items if item.hospital_id == hospital_id]
        if not chosen:
            raise NotFound
        template = await self.templates.content("reminder", kept)
        return await self.computing.run(_letter, template, occasion, chosen[0])

    async def reminders(self, slug: str, asked: Asked, *, everybody: bool) -> bytes:
        """The letters to the flagged hospitals (or all) as one ZIP.

        Raises:
            NotFound, NoAllocation, NobodyToRemind, TooManyLetters, TemplateNotKept, InvalidRequest, Busy.
        """
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            kept = await self.templates.in_use(tx, programme.id, "reminder")
            occasion = await self._occasion(tx, programme, asked, kept)
        chosen = [item for item in occasion.ranking.items if everybody or item.flagged]
        if not chosen:
            raise NobodyToRemind
        if len(chosen) > LETTERS_MAX:
            raise TooManyLetters
        template = await self.templates.content("reminder", kept)
        return await self.computing.run(_letters, template, occasion, chosen)

    async def _occasion(
        self, tx: Tx, programme: Programme, asked: Asked, kept: Kept | None = None
    ) -> Occasion:
        return Occasion(
            title=programme.title,
            target=programme.target_cards,
            issued_before=programme.issued_before_cards,
            ranking=await self.rankings.of_month(tx, programme, asked.month, asked.edition),
            words=asked.over(NoticeWords.model_validate(kept.words if kept else {})),
            demo=self.kit.settings.demo,
        )


def _notice(template: bytes, occasion: Occasion) -> bytes:
    return fill(template, NOTICE_SHAPE, notice(occasion), marks=occasion.marks)


def _workbook(occasion: Occasion) -> bytes:
    return workbook(papers(occasion))


def _letter(template: bytes, occasion: Occasion, item: RankingItem) -> bytes:
    return fill(template, LETTER_SHAPE, letter(occasion, item), marks=occasion.marks)


def _letters(template: bytes, occasion: Occasion, items: Sequence[RankingItem]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, item in enumerate(items, start=1):
            archive.writestr(letter_name(place, item.hospital), _letter(template, occasion, item))
    return buffer.getvalue()
