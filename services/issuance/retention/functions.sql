-- The retention clock: when a campaign's purpose is over, and whose data is due to be forgotten.

-- When a campaign has ended: its last phase closed, its last award claimed, its last voucher out of date. And
-- until when what is personal is kept after that, by its definition or by the setting; NULL: for good.
CREATE OR REPLACE FUNCTION issuance.campaign_ends(p_days bigint)
RETURNS TABLE (campaign_id uuid, slug text, ends_at timestamptz, days bigint, keep_until timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT c.id, c.slug, term.ends_at, rule.days, term.ends_at + make_interval(days => rule.days::integer)
    FROM core.campaign c
    JOIN issuance.campaign_rules r ON r.campaign_id = c.id
    CROSS JOIN LATERAL (
        SELECT max(ph.closes_at) + make_interval(days => (
                   r.award_valid_days + (SELECT max(t.validity_days) FROM core.voucher_type t
                                         WHERE t.campaign_id = c.id))::integer) AS ends_at
        FROM issuance.phase ph WHERE ph.campaign_id = c.id
    ) AS term
    CROSS JOIN LATERAL (
        SELECT coalesce((r.definition ->> 'retention_days')::bigint, p_days) AS days
    ) AS rule
$$;

-- Persons of these buckets who are due: nothing of theirs is running, and all their campaigns are past what they
-- are kept for. For a person who was erased that is the campaign's end, for anybody else the end of retention.
-- Whoever never took part is due so many days (`p_days`) after coming. Locks nothing.
CREATE OR REPLACE FUNCTION issuance.persons_due(
    p_now timestamptz, p_days bigint, p_first integer, p_last integer, p_erased_only boolean
) RETURNS TABLE (bucket smallint, person_id uuid)
LANGUAGE sql STABLE AS $$
    WITH term AS MATERIALIZED (SELECT * FROM issuance.campaign_ends(p_days))
    SELECT p.bucket, p.id
    FROM core.person p
    LEFT JOIN LATERAL (
        SELECT count(*) AS campaigns, max(term.ends_at) AS ends_at,
               max(coalesce(term.keep_until, 'infinity')) AS keep_until
        FROM issuance.participant q JOIN term ON term.campaign_id = q.campaign_id
        WHERE q.bucket = p.bucket AND q.person_id = p.id
    ) AS took ON true
    WHERE p.bucket BETWEEN p_first AND p_last AND p.forgotten_at IS NULL
      AND (p.erased_at IS NOT NULL OR NOT p_erased_only)
      AND CASE WHEN p.erased_at IS NOT NULL THEN took.campaigns = 0 OR took.ends_at <= p_now
               WHEN took.campaigns = 0 THEN p.created_at + make_interval(days => p_days::integer) <= p_now
               ELSE took.keep_until <= p_now END
      AND NOT EXISTS (SELECT FROM core.account a
                      WHERE a.bucket = p.bucket AND a.person_id = p.id AND a.erased_at IS NULL
                        AND p.erased_at IS NOT NULL)
      AND NOT EXISTS (SELECT FROM core.voucher v
                      WHERE v.bucket = p.bucket AND v.person_id = p.id AND v.state = 'issued')
      AND NOT EXISTS (SELECT FROM issuance.award a
                      WHERE a.bucket = p.bucket AND a.person_id = p.id AND a.state = 'open')
$$;

-- Forgets persons of these buckets who are due, at most `p_limit`, wholly; returns how many. Whoever came back or
-- took part anew while their locks were waited for is left alone.
CREATE OR REPLACE FUNCTION issuance.forget_due(
    p_now timestamptz, p_sent_at timestamptz, p_days bigint, p_first integer, p_last integer,
    p_erased_only boolean, p_limit integer, p_note text
) RETURNS integer
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_bucket smallint[];
    v_person uuid[];
BEGIN
    SELECT array_agg(bucket ORDER BY bucket, person_id), array_agg(person_id ORDER BY bucket, person_id)
    INTO v_bucket, v_person
    FROM (SELECT * FROM issuance.persons_due(p_now, p_days, p_first, p_last, p_erased_only)
          ORDER BY bucket, person_id LIMIT p_limit) AS due;
    IF v_person IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM issuance.lock_persons(v_bucket, v_person);
    SELECT array_agg(bucket ORDER BY bucket, person_id), array_agg(person_id ORDER BY bucket, person_id)
    INTO v_bucket, v_person
    FROM issuance.persons_due(p_now, p_days, p_first, p_last, p_erased_only)
    JOIN unnest(v_bucket, v_person) AS u (bucket, person_id) USING (bucket, person_id);
    IF v_person IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM issuance.forget_persons(
        'retention', true, v_bucket, v_person, ARRAY(SELECT gen_random_uuid() FROM unnest(v_person)), NULL,
        p_note, p_now, p_sent_at);
    RETURN cardinality(v_person);
END
$$;

-- Forgets the id numbers on the lists of campaigns that are past what they are kept for, at most `p_limit`;
-- returns how many. Such an entry keeps nobody out of anything any more, and whole it would lead to a person.
CREATE OR REPLACE FUNCTION issuance.forget_listed(p_now timestamptz, p_days bigint, p_limit integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_forgotten integer;
BEGIN
    DELETE FROM issuance.exclusion WHERE id IN (
        SELECT x.id FROM issuance.campaign_ends(p_days) AS term
        JOIN issuance.exclusion x ON x.campaign_id = term.campaign_id
        WHERE term.keep_until <= p_now AND x.identity_hash IS NOT NULL
        ORDER BY x.id LIMIT p_limit
        FOR UPDATE OF x SKIP LOCKED);
    GET DIAGNOSTICS v_forgotten = ROW_COUNT;
    RETURN v_forgotten;
END
$$;
