-- Fills below the platform, set by set, so that millions take minutes: chances that wait for their draw, and
-- vouchers that were issued. What the integrity check recomputes holds afterwards.
CREATE SCHEMA IF NOT EXISTS bench;
-- Vouchers whose codes the run knows; `n` is the place in its list.
CREATE UNLOGGED TABLE IF NOT EXISTS bench.known_voucher (
    bucket smallint NOT NULL, id uuid NOT NULL, person_id uuid NOT NULL, code_hash bytea NOT NULL);
TRUNCATE bench.known_voucher;

-- One chance for each of these persons, as an answered quiz would have granted it.
CREATE OR REPLACE FUNCTION bench.grant_chances(
    p_campaign uuid, p_now timestamptz, p_bucket smallint[], p_person uuid[]
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO issuance.chance (bucket, id, campaign_id, person_id, channel, source_id, source_no, granted_at, state)
    SELECT u.bucket, gen_random_uuid(), p_campaign, u.person_id, 'quiz', gen_random_uuid(), 1, p_now, 'available'
    FROM unnest(p_bucket, p_person) AS u (bucket, person_id)
    ORDER BY u.bucket;
    INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
    SELECT c.id, (p_now AT TIME ZONE c.timezone)::date, 'chance', 'quiz', '', cardinality(p_person)
    FROM core.campaign c WHERE c.id = p_campaign;
END
$$;

-- Issues the known vouchers of these buckets, and among them `p_strangers` more for each bucket, in the order of
-- their keys. Two rows each: the voucher and its transfer. A stranger has no award and no person, its code is
-- nobody's, and its id is anywhere in its bucket. Returns how many were issued.
CREATE OR REPLACE FUNCTION bench.issue_vouchers(
    p_campaign uuid, p_type text, p_now timestamptz, p_first integer, p_last integer, p_strangers integer,
    p_sealed bytea
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_bucket smallint[];
    v_id uuid[];
    v_person uuid[];
    v_source uuid[];
    v_hash bytea[];
    v_sealed bytea[];
BEGIN
    WITH one AS (
        SELECT k.bucket, k.id, k.person_id, k.code_hash FROM bench.known_voucher k
        WHERE k.bucket BETWEEN p_first AND p_last
        UNION ALL
        SELECT b::smallint, gen_random_uuid(), gen_random_uuid(), uuid_send(gen_random_uuid())
        FROM generate_series(p_first, p_last) AS b CROSS JOIN generate_series(1, p_strangers)
    ), placed AS (
        SELECT one.*, gen_random_uuid() AS source_id FROM one ORDER BY bucket, id
    )
    SELECT array_agg(bucket), array_agg(id), array_agg(person_id), array_agg(source_id), array_agg(code_hash),
           array_agg(p_sealed)
    INTO v_bucket, v_id, v_person, v_source, v_hash, v_sealed
    FROM placed;
    IF v_id IS NOT NULL THEN
        PERFORM core.vouchers_issue(
            p_campaign, 1::smallint, p_type, p_now, v_bucket, v_id, v_person, v_source, v_hash, v_sealed, 'citizen');
    END IF;
    RETURN coalesce(cardinality(v_id), 0);
END
$$;
