-- One write-off a transaction, as pgbench calls it: takes the next prepared item and redeems it.
CREATE SCHEMA IF NOT EXISTS bench;
CREATE UNLOGGED TABLE IF NOT EXISTS bench.item (
    n bigint PRIMARY KEY, key_id text, nonce text, request_no text, bucket smallint, code_hash bytea);
CREATE SEQUENCE IF NOT EXISTS bench.next_item;
TRUNCATE bench.item;
ALTER SEQUENCE bench.next_item RESTART;
CREATE OR REPLACE FUNCTION bench.redeem_next() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_outcome text;
BEGIN
    SELECT r.outcome INTO v_outcome
    FROM bench.item i
    JOIN redemption.terminal t ON t.id = i.key_id
    CROSS JOIN LATERAL redemption.redeem_batch(
        ARRAY[i.key_id], ARRAY[i.nonce], ARRAY[false], clock_timestamp() + interval '10 minutes',
        ARRAY[t.bucket], ARRAY[t.caller_id], ARRAY[i.request_no], ARRAY[i.code_hash],
        ARRAY[i.bucket], ARRAY[i.code_hash], ARRAY[false], ARRAY[5000::bigint],
        ARRAY[NULL::timestamptz], ARRAY[NULL::text], ARRAY[gen_random_uuid()], 'online',
        clock_timestamp() + (SELECT "offset" FROM core.demo_clock), clock_timestamp()) AS r
    WHERE i.n = (SELECT nextval('bench.next_item'));
    IF v_outcome IS DISTINCT FROM 'created' THEN
        RAISE EXCEPTION 'not redeemed: %', v_outcome;
    END IF;
    RETURN v_outcome;
END
$$;
