"""Posters of hospitals, one at a time or all of a programme in one archive."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from services.quota.hospitals.store import Filters, Hospital, hospital_by_id, hospitals
from services.quota.posters.rules import (
    LIST_NAME,
    SIZES,
    Archive,
    Format,
    Printed,
    files_of,
    list_file,
    poster_of,
)
from services.quota.programmes.operations import own_hospital, require_programme
from services.quota.programmes.store import Programme, programme_by_id
from services.quota.qrcodes.operations import programme_of, shown_name, visible_hospital
from services.quota.qrcodes.rules import scan_path
from services.quota.subcodes.store import PrintedSubCode, printed_sub_codes
from shared.clock import CHINA, local_day
from shared.documents.posters import font_of, poster
from shared.errors import Forbidden, invariant
from shared.identity.staff import Staff
from shared.kit import Kit

_TO_PRINT = frozenset({"open", "planned"})


@dataclass(frozen=True, slots=True)
class Posters:
    kit: Kit

    async def poster(
        self, staff: Staff, hospital_id: str, *, origin: str, form: Format, scene: str | None
    ) -> bytes:
        """The poster with the code in use, or with a sub-code's. Raises NotFound, Forbidden, CodeUnknown."""
        async with self.kit.database.snapshot() as tx:
            found = await hospital_by_id(tx, hospital_id)
            hospital = visible_hospital(staff, found)
            if scene is not None:
                hospital = replace(hospital, name=await shown_name(tx, hospital, scene), scene=scene)
            programme = await programme_by_id(tx, programme_of(found))
        invariant(programme is not None, "a hospital without its programme")
        assert programme is not None  # noqa: S101 - narrows the type; the invariant above already refused
        content = self._printed(programme, hospital, 1, origin).content
        return await asyncio.to_thread(
            poster, content, SIZES[form], at=self.kit.clock.now(), font=self.kit.settings.font_file
        )

    async def archive(self, staff: Staff, slug: str, *, origin: str, sub_codes: bool) -> AsyncIterator[bytes]:
        """All hospitals' codes and posters as a ZIP in parts; a hospital's staff get their own only.

        Those that closed or merged are left out: their codes still count, but nobody hangs them up anew.
        With `sub_codes` also those of their departments, channels and staff, each below its hospital.

        Raises before the first part:
            NotFound, Forbidden.
        """
        async with self.kit.database.snapshot(slow=True) as tx:
            programme = await require_programme(tx, slug)
            only = own_hospital(staff)
            today = local_day(self.kit.clock.now(), programme.timezone)
            listed = await hospitals(tx, programme.id, today, filters=Filters(only=only))
            below = await printed_sub_codes(tx, programme.id, only=only) if sub_codes else []
        if only is not None and not listed:
            raise Forbidden
        found = listed if only is not None else [one for one in listed if one.state in _TO_PRINT]
        by_hospital: defaultdict[str, list[PrintedSubCode]] = defaultdict(list)
        for one in below:
            by_hospital[one.hospital_id].append(one)
        printed = [
            entry
            for place, hospital in enumerate(found, start=1)
            for entry in self._family(programme, hospital, place, origin, by_hospital[hospital.id])
        ]
        return self._parts(printed, list_file(printed, sub_codes=sub_codes))

    def _family(
        self,
        programme: Programme,
        hospital: Hospital,
        place: int,
        origin: str,
        sub_codes: Sequence[PrintedSubCode],
    ) -> Iterator[Printed]:
        """The hospital's own code, then those below it."""
        yield self._printed(programme, hospital, place, origin)
        for number, one in enumerate(sub_codes, start=1):
            shown = replace(hospital, name=f"{hospital.name}　{one.label}", scene=one.scene)
            printed = self._printed(programme, shown, place, origin)
            yield replace(printed, hospital=hospital.name, kind=one.kind, label=one.label, number=number)

    async def _parts(self, printed: Sequence[Printed], listed: bytes) -> AsyncIterator[bytes]:
        """A code at a time, each beside the event loop."""
        archive = Archive(self.kit.clock.now().astimezone(CHINA))
        archive.add(LIST_NAME, listed)
        with ExitStack() as open_files:
            if printed:
                texts = [one.content.texts for one in printed]
                font = await asyncio.to_thread(
                    open_files.enter_context, font_of(texts, font=self.kit.settings.font_file)
                )
                for one in printed:
                    await asyncio.to_thread(self._add, archive, one, font)
                    yield archive.drain()
        archive.close()
        yield archive.drain()

    def _add(self, archive: Archive, one: Printed, font: Path) -> None:
        for name, content in files_of(one, at=self.kit.clock.now(), font=font):
            archive.add(name, content)

    def _printed(self, programme: Programme, hospital: Hospital, place: int, origin: str) -> Printed:
        address = origin + scan_path(hospital.scene)
        return Printed(
            place=place,
            hospital_id=hospital.id,
            hospital=hospital.name,
            alliance=hospital.alliance,
            scene=hospital.scene,
            address=address,
            content=poster_of(
                title=programme.title,
                hospital=hospital.name,
                slogan=programme.definition.get("slogan"),
                scene=hospital.scene,
                address=address,
                demo=self.kit.settings.demo,
            ),
        )
