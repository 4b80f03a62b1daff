from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select, text

from services.quota.hospitalnames.rules import name_key
from services.quota.hospitals.rules import State
from services.quota.hospitals.tables import HospitalRow
from services.quota.qrcodes.tables import HospitalCodeRow
from shared.db import Tx


@dataclass(frozen=True, slots=True)
class Hospital:
    """A hospital with its code in use. `alliance` and `visits` are the list's."""

    id: str
    position: int
    name: str
    alliance: str
    visits: int
    scene: str


@dataclass(frozen=True, slots=True)
class HospitalDay(Hospital):
    """A hospital as it stands on a day: `alliance` is that day's.

    `unit_id` is whose line its cards and quota are part of: its own unless it merged. `unit_visits` are those
    of its line: its own and those of all that merged into it.
    """

    state: State
    opened_on: date | None
    ended_on: date | None
    successor_id: str | None
    unit_id: str
    unit_visits: int

    @property
    def has_line(self) -> bool:
        return self.unit_id == self.id


@dataclass(frozen=True, slots=True)
class NewHospital:
    id: str
    name: str
    alliance: str
    visits: int


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None and False: nothing. `search` is part of any name, in one spelling."""

    only: str | None = None
    alliance: str | None = None
    state: State | None = None
    search: str | None = None
    lines: bool = False


_EVERYTHING = Filters()
# Behind every dated change that was approved.
AS_DECIDED = date.max

_HOSPITAL = select(
    HospitalRow.id,
    HospitalRow.position,
    HospitalRow.name,
    HospitalRow.alliance,
    HospitalRow.visits,
    HospitalCodeRow.scene,
    HospitalRow.programme_id,
).join(
    HospitalCodeRow,
    (HospitalCodeRow.hospital_id == HospitalRow.id)
    & HospitalCodeRow.replaced_at.is_(None)
    & HospitalCodeRow.sub_code_id.is_(None),
)
# The sum of a line is taken in one pass. Joined to itself, a list imported a moment ago, of which the planner
# knows nothing yet, is gone through once for each of its hospitals.
_STANDING = text("""
    WITH standing AS MATERIALIZED (
        SELECT h.*, sum(h.visits) OVER (PARTITION BY h.unit_id) AS unit_visits
        FROM quota.hospital_at(:programme, :day) h
    )
    SELECT s.hospital_id, s.position, s.name, s.alliance, s.visits, c.scene, s.state, s.opened_on, s.ended_on,
           s.successor_id, s.unit_id,
           CASE WHEN s.unit_id = s.hospital_id THEN coalesce(s.unit_visits, 0) ELSE 0 END::bigint
    FROM standing s
    JOIN quota.hospital_code c
      ON c.hospital_id = s.hospital_id AND c.replaced_at IS NULL AND c.sub_code_id IS NULL
    WHERE s.position > :after
      AND (CAST(:only AS text) IS NULL OR s.hospital_id = :only)
      AND (CAST(:alliance AS text) IS NULL OR s.alliance = :alliance)
      AND (CAST(:state AS text) IS NULL OR s.state = :state)
      AND (NOT :lines OR s.unit_id = s.hospital_id)
      AND (CAST(:search AS text) IS NULL OR strpos(lower(s.name), :search) > 0 OR EXISTS (
          SELECT FROM quota.hospital_name n
          WHERE n.hospital_id = s.hospital_id AND n.withdrawn_at IS NULL AND strpos(n.key, :search) > 0))
    ORDER BY s.position
    LIMIT :limit
""")
_COUNT = text("""
    SELECT count(*) FROM quota.hospital_at(:programme, :day) s
    WHERE (CAST(:only AS text) IS NULL OR s.hospital_id = :only)
      AND (CAST(:alliance AS text) IS NULL OR s.alliance = :alliance)
      AND (CAST(:state AS text) IS NULL OR s.state = :state)
      AND (NOT :lines OR s.unit_id = s.hospital_id)
      AND (CAST(:search AS text) IS NULL OR strpos(lower(s.name), :search) > 0 OR EXISTS (
          SELECT FROM quota.hospital_name n
          WHERE n.hospital_id = s.hospital_id AND n.withdrawn_at IS NULL AND strpos(n.key, :search) > 0))
""")
_INSERT = text("""
    INSERT INTO quota.hospital (id, programme_id, name, name_key, alliance, visits, created_at, updated_at)
    SELECT u.id, :programme, u.name, u.name_key, u.alliance, u.visits, :now, :now
    FROM unnest(CAST(:ids AS text[]), CAST(:names AS text[]), CAST(:keys AS text[]),
                CAST(:alliances AS text[]), CAST(:visits AS bigint[])) WITH ORDINALITY
         AS u (id, name, name_key, alliance, visits, ord)
    ORDER BY u.ord
""")
# The alliance of the list is what a hospital had before its first move.
_UPDATE = text("""
    UPDATE quota.hospital h
    SET alliance = coalesce(u.alliance, h.alliance), visits = u.visits, updated_at = :now
    FROM unnest(CAST(:ids AS text[]), CAST(:alliances AS text[]), CAST(:visits AS bigint[]))
         AS u (id, alliance, visits)
    WHERE h.id = u.id
""")
_MOVED = text("SELECT hospital_id FROM quota.hospital_events_in_force(:programme) WHERE kind = 'move'")


async def hospitals(
    tx: Tx,
    programme_id: UUID,
    day: date = AS_DECIDED,
    *,
    limit: int | None = None,
    after: int = 0,
    filters: Filters = _EVERYTHING,
) -> list[HospitalDay]:
    """As they stand at the end of that day, in the order of their list, each with the code that is in use."""
    page = {"programme": programme_id, "day": day, "limit": limit, "after": after}
    return [HospitalDay(*row) for row in await tx.execute(_STANDING, {**page, **asdict(filters)})]


async def count(tx: Tx, programme_id: UUID, day: date, filters: Filters) -> int:
    """How many fit."""
    values = {"programme": programme_id, "day": day, **asdict(filters)}
    return int((await tx.execute(_COUNT, values)).scalar_one())


def lines_of(standing: Sequence[HospitalDay]) -> list[HospitalDay]:
    """Those that have a line of figures of their own: all but the merged ones."""
    return [hospital for hospital in standing if hospital.has_line]


def by_line(standing: Sequence[HospitalDay], given: Mapping[str, int]) -> dict[str, int]:
    """Amounts by hospital, added up by the line that each is part of; a line without any is not in it."""
    sums: dict[str, int] = {}
    for hospital in standing:
        if hospital.id in given:
            sums[hospital.unit_id] = sums.get(hospital.unit_id, 0) + given[hospital.id]
    return sums


async def hospital_by_id(tx: Tx, hospital_id: str) -> tuple[Hospital, UUID] | None:
    """The hospital and its programme's id."""
    row = (await tx.execute(_HOSPITAL.where(HospitalRow.id == hospital_id))).one_or_none()
    return None if row is None else (Hospital(*row[:-1]), row[-1])


async def insert_hospitals(tx: Tx, programme_id: UUID, new: Sequence[NewHospital], now: datetime) -> None:
    """Positions come from the identity column in this order. The caller holds the names."""
    if not new:
        return
    await tx.execute(
        _INSERT,
        {
            "programme": programme_id,
            "ids": [hospital.id for hospital in new],
            "names": [hospital.name for hospital in new],
            "keys": [name_key(hospital.name) for hospital in new],
            "alliances": [hospital.alliance for hospital in new],
            "visits": [hospital.visits for hospital in new],
            "now": now,
        },
    )


async def update_hospitals(tx: Tx, changed: Sequence[tuple[str, str | None, int]], now: datetime) -> None:
    """Writes (id, alliance or None to leave it, visits)."""
    if changed:
        ids, alliances, visits = zip(*changed, strict=True)
        values = {"ids": list(ids), "alliances": list(alliances), "visits": list(visits), "now": now}
        await tx.execute(_UPDATE, values)


async def moved_ids(tx: Tx, programme_id: UUID) -> set[str]:
    """Hospitals whose alliance changed by a dated change."""
    return set((await tx.execute(_MOVED, {"programme": programme_id})).scalars())


async def belongs(tx: Tx, programme_id: UUID, hospital_id: str) -> bool:
    statement = select(HospitalRow.id).where(
        HospitalRow.id == hospital_id, HospitalRow.programme_id == programme_id
    )
    return (await tx.execute(statement)).one_or_none() is not None
