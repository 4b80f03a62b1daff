from collections.abc import Sequence
from datetime import datetime

from services.quota.scans.rules import Seen
from shared.db import Database

# One statement for all scans that came meanwhile: finds the codes, counts, tells where each leads.
_SCANS = """
    WITH found AS (
        SELECT u.ord, u.seen, c.programme_id, c.hospital_id, c.scene, p.landing_url,
               ($3 AT TIME ZONE p.timezone)::date AS day
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS u (scene, seen, ord)
        JOIN quota.hospital_code c ON c.scene = u.scene
        JOIN quota.programme p ON p.id = c.programme_id
    ), counted AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
        SELECT programme_id, day, measure, hospital_id, scene, count(*)
        FROM found
        JOIN (VALUES ('first', 'scan'), ('repeat', 'scan'), ('bot', 'scan'),
                     ('repeat', 'scan_repeat'), ('bot', 'scan_bot')) AS m (seen, measure) USING (seen)
        GROUP BY programme_id, day, measure, hospital_id, scene
    )
    SELECT ord, landing_url FROM found
"""


async def count_scans(
    database: Database, scans: Sequence[tuple[str, Seen]], now: datetime
) -> list[str | None]:
    """Appends the scans; the landing address of each one's programme, None where the scene is nobody's."""
    rows = await database.call(_SCANS, [scene for scene, _ in scans], [seen for _, seen in scans], now)
    landings: dict[int, str] = {row["ord"]: row["landing_url"] for row in rows}
    return [landings.get(place) for place in range(1, len(scans) + 1)]
