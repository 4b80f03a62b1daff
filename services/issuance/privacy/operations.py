"""A person's right to see everything that is held about it, and to be forgotten."""

import asyncio
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.issuance.accounts.operations import subject_context
from services.issuance.activities.operations import evidence_context
from services.issuance.phones.operations import phone_context
from services.issuance.photos.operations import Photos
from services.issuance.privacy import store
from services.issuance.privacy.rules import readable
from services.issuance.privacy.schemas import Erased, Export, GivenUp
from services.issuance.vouchers.operations import cover_returned
from shared import ledger
from shared.clock import local_day, machine_now, rfc3339
from shared.db import Tx, retried
from shared.errors import NotFound, Unauthenticated
from shared.idempotency import Answer
from shared.identity.citizens import Citizen
from shared.identity.persons import person_context
from shared.ids import new_id, parse_hot_id
from shared.kit import Kit
from shared.vouchers import catalogue
from shared.vouchers.codes import code_context, grouped

_RETURNED = "注销账号，退回消费券"
_NOTE = "本人已注销账号，材料已删除。"

# Of a section: the sealed column, the name it has when it is open, and the column with its owner's id.
_SEALED = {
    "accounts": (("subject_sealed", "subject", "account_id"),),
    "identity": (("name_sealed", "name", "person_uuid"), ("id_number_sealed", "id_number", "person_uuid")),
    "activities": (("evidence_sealed", "evidence", "id"),),
    "vouchers": (("code_sealed", "code", "voucher_uuid"),),
    "notice_preferences": (("phone_sealed", "phone", "person_id"),),
}


@dataclass(frozen=True, slots=True)
class Archive:
    """An export with its pictures, by the name of their files."""

    content: bytes
    filename: str


@dataclass(frozen=True, slots=True)
class Privacy:
    kit: Kit
    photos: Photos

    async def export(self, citizen: Citizen) -> Export:
        """Everything that is held about the citizen, of one instant. Raises Unauthenticated."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            whom = await store.me(tx, citizen.account_id)
            if whom is None:
                raise Unauthenticated
            sections = await store.sections(tx, whom)
        told = {name: [self._open(name, row) for row in rows] for name, rows in sections.items()}
        return Export(as_of=rfc3339(now), person_id=str(whom.person), **told)

    async def archive(self, citizen: Citizen) -> Archive:
        """The export as a file for people: data, a page to read, pictures. Raises Unauthenticated."""
        export = await self.export(citizen)
        pictures: dict[str, bytes] = {}
        for photo in export.photos:
            try:
                pictures[f"{photo['id']}.jpg"] = await self.photos.picture(parse_hot_id(photo["id"]))
            except NotFound:
                # Dropped since: it was in no report.
                continue
        content = await asyncio.to_thread(_zipped, export, pictures)
        return Archive(content, f"my-data-{export.as_of[:10]}.zip")

    @retried
    async def erase(self, citizen: Citizen) -> Answer:
        """Forgets the citizen, at once and for good; again, it answers the same.

        What could still be used is given up with it: chances, open awards, vouchers, whose value returns to
        the payers and whose pieces return to the stock. What was used stays in the ledger, under an id that
        leads to nobody any more.

        Raises:
            Unauthenticated: the account never was, or its person was forgotten by the retention clock.
        """
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            whom = await store.me(tx, citizen.account_id, lock=True)
            if whom is not None:
                gave = await store.forget(
                    tx, citizen.account_id, whom, note=_NOTE, now=now, sent_at=machine_now()
                )
                await self._cover(tx, gave, now)
            found = await store.erasures_of(tx, citizen.account_id)
        if not found:
            raise Unauthenticated
        answer = Erased(
            erased_at=rfc3339(min(at for _, at in found)), given_up=_together([given for given, _ in found])
        )
        return Answer(answer.model_dump(mode="json"), replayed=whom is None)

    async def _cover(self, tx: Tx, gave: Sequence[Mapping[str, Any]], now: datetime) -> None:
        """Under the locks that forgetting has taken, of every campaign whose pieces returned."""
        for slug in sorted({voucher["campaign"] for given in gave for voucher in given["vouchers"]}):
            campaign = await catalogue.campaign_by_slug(tx, slug)
            day = local_day(now, campaign.timezone)
            await cover_returned(tx, campaign.id, ledger.Cause(new_id(), "citizen", _RETURNED, now, day))

    def _open(self, section: str, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row as it is told: sealed columns open, times in China's time, inner ids left out."""
        told = {name: value for name, value in row.items() if not name.endswith(("_sealed", "_uuid"))}
        for sealed, name, owner in _SEALED.get(section, ()):
            told[name] = None if row[sealed] is None else self._opened(name, row[sealed], row[owner])
        return {name: _plain(value) for name, value in told.items()}

    def _opened(self, name: str, sealed: bytes, owner: Any) -> Any:  # noqa: ANN401 - an id; text or JSON
        clear = self.kit.keys.sealer.open_text(sealed, context=_CONTEXTS[name](owner))
        if name == "code":
            return grouped(clear)
        return json.loads(clear) if name == "evidence" else clear


def _name_context(person_id: UUID) -> str:
    return person_context(person_id, "name")


def _id_number_context(person_id: UUID) -> str:
    return person_context(person_id, "id_number")


def _evidence_context(activity_id: str) -> str:
    return evidence_context(parse_hot_id(activity_id))


def _phone_context(person_id: str) -> str:
    return phone_context(parse_hot_id(person_id))


_CONTEXTS: Mapping[str, Callable[[Any], str]] = {
    "subject": subject_context,
    "name": _name_context,
    "id_number": _id_number_context,
    "evidence": _evidence_context,
    "code": code_context,
    "phone": _phone_context,
}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    match value:
        case datetime():
            return rfc3339(value)
        case date():
            return value.isoformat()
        case UUID():
            return value.hex
        case list():
            return [_plain(entry) for entry in value]
        case {"at": str() as moment, **rest}:
            # A moment in JSON that the database made is in UTC.
            return {**rest, "at": rfc3339(datetime.fromisoformat(moment))}
        case _:
            return value


def _together(given_up: Sequence[Mapping[str, Any]]) -> GivenUp:
    """Of the person and the provisional one that its account had left."""
    return GivenUp(
        vouchers=[voucher for given in given_up for voucher in given["vouchers"]],
        awards=sum(given["awards"] for given in given_up),
        chances=sum(given["chances"] for given in given_up),
    )


def _zipped(export: Export, pictures: Mapping[str, bytes]) -> bytes:
    told = export.model_dump(mode="json")
    sections = {name: rows for name, rows in told.items() if isinstance(rows, list)}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(told, ensure_ascii=False, indent=2))
        archive.writestr("我的个人信息.html", readable(export.as_of, sections))
        for name, picture in pictures.items():
            archive.writestr(f"photos/{name}", picture)
    return file.getvalue()
