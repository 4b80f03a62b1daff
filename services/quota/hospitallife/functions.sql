-- How hospitals stand on a day. Everything that counts or sums by hospital or alliance asks here, so that
-- figures agree wherever they are shown. No locks: changes of a hospital are written under the programme's.

-- Events that hold: not withdrawn. A withdrawn one never was.
CREATE OR REPLACE FUNCTION quota.hospital_events_in_force(p_programme uuid)
RETURNS SETOF quota.hospital_event
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT e.* FROM quota.hospital_event e
    WHERE e.programme_id = p_programme AND e.kind <> 'withdraw'
      AND NOT EXISTS (SELECT FROM quota.hospital_event w WHERE w.withdraws = e.id)
$$;

-- One row for each hospital as it stands at the end of p_day.
--   state      planned: opens later; open; closed; merged: it is part of unit_id
--   unit_id    whose line its cards and quota are part of: its own, unless it merged, then along all mergers to
--              the one that still has a line. Its cards go along whole, also those counted before the merger.
--   alliance   of the line: the last move's by then, or the list's; empty: stands alone
-- A hospital ends once at most and its successor had not ended when that was approved, so there are no circles.
CREATE OR REPLACE FUNCTION quota.hospital_at(p_programme uuid, p_day date)
RETURNS TABLE (
    hospital_id text, "position" bigint, name text, alliance text, visits bigint, state text, opened_on date,
    ended_on date, successor_id text, unit_id text
)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    WITH RECURSIVE event AS MATERIALIZED (
        SELECT * FROM quota.hospital_events_in_force(p_programme)
    ), ending AS (
        SELECT e.hospital_id, e.kind, e.day, e.successor_id
        FROM event e WHERE e.kind IN ('close', 'merge') AND e.day <= p_day
    ), opening AS (
        SELECT e.hospital_id, e.day FROM event e WHERE e.kind = 'open'
    ), moved AS (
        SELECT DISTINCT ON (e.hospital_id) e.hospital_id, e.alliance
        FROM event e WHERE e.kind = 'move' AND e.day <= p_day
        ORDER BY e.hospital_id, e.day DESC, e.recorded_at DESC, e.id DESC
    ), walked AS (
        SELECT m.hospital_id, m.successor_id AS unit_id FROM ending m WHERE m.kind = 'merge'
        UNION
        SELECT w.hospital_id, m.successor_id
        FROM walked w JOIN ending m ON m.hospital_id = w.unit_id AND m.kind = 'merge'
    ), unit AS (
        SELECT w.hospital_id, w.unit_id FROM walked w
        WHERE NOT EXISTS (SELECT FROM ending m WHERE m.hospital_id = w.unit_id AND m.kind = 'merge')
    )
    SELECT h.id, h.position, h.name, coalesce(m.alliance, h.alliance), h.visits,
           CASE WHEN x.kind = 'merge' THEN 'merged' WHEN x.kind = 'close' THEN 'closed'
                WHEN o.day > p_day THEN 'planned' ELSE 'open' END,
           o.day, x.day, x.successor_id, coalesce(u.unit_id, h.id)
    FROM quota.hospital h
    LEFT JOIN ending x ON x.hospital_id = h.id
    LEFT JOIN opening o ON o.hospital_id = h.id
    LEFT JOIN moved m ON m.hospital_id = h.id
    LEFT JOIN unit u ON u.hospital_id = h.id
    WHERE h.programme_id = p_programme
$$;

-- Whom a card counts for that a code of p_hospital brought on p_day: a hospital that closed may have handed its
-- codes on, and with them those of the hospitals that had merged into it. A merger alone changes nothing here:
-- the merged hospital's cards are part of the other's line.
CREATE OR REPLACE FUNCTION quota.heir_at(p_programme uuid, p_hospital text, p_day date) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    v_heir text := p_hospital;
    v_kind text;
    v_next text := p_hospital;
BEGIN
    LOOP
        SELECT e.kind, e.successor_id INTO v_kind, v_next
        FROM quota.hospital_events_in_force(p_programme) e
        WHERE e.hospital_id = v_next AND e.successor_id IS NOT NULL AND e.day <= p_day;
        EXIT WHEN NOT FOUND;
        IF v_kind = 'close' THEN
            v_heir := v_next;
        END IF;
    END LOOP;
    RETURN v_heir;
END
$$;
