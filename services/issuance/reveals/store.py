from dataclasses import dataclass

from sqlalchemy import select

from shared.db import Tx
from shared.identity.tables import PersonRow
from shared.ids import HotId


@dataclass(frozen=True, slots=True)
class Sealed:
    name: bytes | None
    id_number: bytes | None


async def sealed_fields(tx: Tx, person: HotId) -> Sealed | None:
    """What is held of a person; None when there is no such person."""
    statement = select(PersonRow.name_sealed, PersonRow.id_number_sealed).where(
        PersonRow.bucket == person.bucket, PersonRow.id == person.uuid
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else Sealed(*row)
