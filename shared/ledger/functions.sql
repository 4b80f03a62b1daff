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
