-- Largest remainder, ties to the payer listed first: the SQL twin of shared.money.split_fen.
CREATE OR REPLACE FUNCTION core.split_fen(p_amount bigint, p_shares_ppm bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH part AS (
        SELECT i, p_amount * share / 1000000 AS whole, p_amount * share % 1000000 AS remainder
        FROM unnest(p_shares_ppm) WITH ORDINALITY AS u (share, i)
    ), ranked AS (
        SELECT i, whole, row_number() OVER (ORDER BY remainder DESC, i) AS place,
               p_amount - sum(whole) OVER () AS missing
        FROM part
    )
    SELECT array_agg(whole + CASE WHEN place <= missing THEN 1 ELSE 0 END ORDER BY i) FROM ranked
$$;

-- The same, but no payer pays more than it has set aside (`p_set_aside` add up to the amount at least). What
-- rounding would take too much from one, a fen, the payers that are listed first and have it left pay.
-- The SQL twin of shared.money.split_within.
CREATE OR REPLACE FUNCTION core.split_within(p_amount bigint, p_shares_ppm bigint[], p_set_aside bigint[])
RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    WITH part AS (
        SELECT i, least(want, have) AS fen, want - least(want, have) AS over, have - least(want, have) AS room
        FROM unnest(core.split_fen(p_amount, p_shares_ppm), p_set_aside) WITH ORDINALITY AS u (want, have, i)
    ), placed AS (
        SELECT i, fen, room, sum(over) OVER () AS missing,
               coalesce(sum(room) OVER (ORDER BY i ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
        FROM part
    )
    SELECT array_agg((fen + least(room, greatest(missing - before, 0)))::bigint ORDER BY i) FROM placed
$$;
