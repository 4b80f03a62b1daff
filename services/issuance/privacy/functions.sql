-- Forgetting persons: what is personal goes, what the ledger, the figures and the draw log rest on stays.
--
-- Locks: accounts, identities, participants, funds, stock, award pools, awards, vouchers, each in the order of its
-- key; then rows that only the holder of these locks writes. Whoever keeps something personal (evidence, a photo, an
-- identity) shares the lock of its account first, so that nothing personal comes after the erasure.

-- Makes everything that these persons do wait, and waits for what they are doing.
CREATE OR REPLACE FUNCTION issuance.lock_persons(p_bucket smallint[], p_person uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM core.account a
    JOIN unnest(p_bucket, p_person) AS u (bucket, person_id) ON a.bucket = u.bucket AND a.person_id = u.person_id
    ORDER BY a.id FOR UPDATE OF a;
    PERFORM FROM core.person_identity i
    JOIN unnest(p_bucket, p_person) AS u (bucket, person_id) ON i.bucket = u.bucket AND i.person_id = u.person_id
    ORDER BY i.identity_hash FOR UPDATE OF i;
    PERFORM FROM issuance.participant q
    JOIN unnest(p_bucket, p_person) AS u (bucket, person_id) ON q.bucket = u.bucket AND q.person_id = u.person_id
    ORDER BY q.bucket, q.campaign_id, q.person_id FOR UPDATE OF q;
END
$$;

-- Gives up what these persons could still use: chances are void, open awards return to their pool, vouchers are
-- revoked: their value returns to the payers, their pieces to stock and pool. Returns what each of them gave up.
-- The persons are locked.
CREATE OR REPLACE FUNCTION issuance.give_up(p_bucket smallint[], p_person uuid[], p_actor text, p_now timestamptz)
RETURNS TABLE (bucket smallint, person_id uuid, given_up jsonb)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_vouchers uuid[];
    v_buckets smallint[];
    v_phases uuid[];
BEGIN
    -- An open award may become a voucher before its lock is ours, a used voucher may be given back.
    SELECT array_agg(DISTINCT held.phase_id) INTO v_phases
    FROM unnest(p_bucket, p_person) AS u (bucket, person_id)
    CROSS JOIN LATERAL (
        SELECT a.phase_id FROM issuance.award a
        WHERE a.bucket = u.bucket AND a.person_id = u.person_id AND a.state = 'open'
        UNION ALL
        SELECT ph.id FROM core.voucher v
        JOIN issuance.phase ph ON ph.campaign_id = v.campaign_id AND ph.seq = v.phase_seq
        WHERE v.bucket = u.bucket AND v.person_id = u.person_id AND v.state IN ('issued', 'redeemed')
    ) AS held;
    IF v_phases IS NOT NULL THEN
        PERFORM issuance.lock_pieces(v_phases);
    END IF;
    PERFORM FROM issuance.award a
    JOIN unnest(p_bucket, p_person) AS u (bucket, person_id) ON a.bucket = u.bucket AND a.person_id = u.person_id
    WHERE a.state = 'open'
    ORDER BY a.bucket, a.id FOR UPDATE OF a;
    -- After the awards: a claim that was under way has made its voucher by now.
    PERFORM FROM core.voucher v
    JOIN unnest(p_bucket, p_person) AS u (bucket, person_id) ON v.bucket = u.bucket AND v.person_id = u.person_id
    ORDER BY v.bucket, v.id FOR UPDATE OF v;

    RETURN QUERY
    SELECT u.bucket, u.person_id, jsonb_build_object(
        'vouchers', (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                       'id', core.hot_id_text(v.bucket, v.id), 'campaign', c.slug,
                       'voucher_type', v.voucher_type, 'amount_fen', v.amount_fen) ORDER BY v.id), '[]')
            FROM core.voucher v JOIN core.campaign c ON c.id = v.campaign_id
            WHERE v.bucket = u.bucket AND v.person_id = u.person_id AND v.state = 'issued'),
        'awards', (
            SELECT count(*) FROM issuance.award a
            WHERE a.bucket = u.bucket AND a.person_id = u.person_id AND a.state = 'open'),
        'chances', (
            SELECT count(*) FROM issuance.chance ch
            WHERE ch.bucket = u.bucket AND ch.person_id = u.person_id AND ch.state = 'available'))
    FROM unnest(p_bucket, p_person) AS u (bucket, person_id);

    UPDATE issuance.chance ch SET state = 'void'
    FROM unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE ch.bucket = u.bucket AND ch.person_id = u.person_id AND ch.state = 'available';

    WITH ended AS (
        UPDATE issuance.award a SET state = 'expired', held_at = NULL
        FROM unnest(p_bucket, p_person) AS u (bucket, person_id)
        WHERE a.bucket = u.bucket AND a.person_id = u.person_id AND a.state = 'open'
        RETURNING a.phase_id
    )
    UPDATE issuance.award_pool pool SET left_to_award = pool.left_to_award + back.n
    FROM (SELECT phase_id, count(*) AS n FROM ended GROUP BY phase_id) back
    WHERE pool.phase_id = back.phase_id;

    SELECT array_agg(v.bucket ORDER BY v.bucket, v.id), array_agg(v.id ORDER BY v.bucket, v.id)
    INTO v_buckets, v_vouchers
    FROM core.voucher v
    JOIN unnest(p_bucket, p_person) AS u (bucket, person_id) ON v.bucket = u.bucket AND v.person_id = u.person_id
    WHERE v.state = 'issued';
    IF v_vouchers IS NOT NULL THEN
        PERFORM issuance.revoke_vouchers(v_buckets, v_vouchers, p_actor, p_now);
    END IF;
END
$$;

-- Removes what these persons sent in: evidence, photos (their pictures by outbox), answers that are kept for
-- repetitions, how they want to be told, where they were seen. What waits for a review is rejected: there is
-- nothing left to review. The persons are locked.
CREATE OR REPLACE FUNCTION issuance.forget_contents(
    p_bucket smallint[], p_person uuid[], p_actor text, p_note text, p_now timestamptz, p_sent_at timestamptz
) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    WITH decided AS (
        UPDATE issuance.activity a SET state = 'rejected'
        FROM unnest(p_bucket, p_person) AS u (bucket, person_id)
        WHERE a.bucket = u.bucket AND a.person_id = u.person_id AND a.state = 'pending'
        RETURNING a.bucket, a.id, a.campaign_id, a.channel, a.day
    ), noted AS (
        INSERT INTO issuance.activity_decision (bucket, activity_id, state, decided_by, decided_at, note)
        SELECT bucket, id, 'rejected', p_actor, p_now, p_note FROM decided
    )
    INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
    SELECT campaign_id, day, 'activity', channel, state, n
    FROM decided CROSS JOIN (VALUES ('pending', -1), ('rejected', 1)) AS moved (state, n);

    UPDATE issuance.activity a SET evidence_sealed = NULL, subject_hash = NULL, text_bands = NULL
    FROM unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE a.bucket = u.bucket AND a.person_id = u.person_id AND a.evidence_sealed IS NOT NULL;

    WITH dropped AS (
        DELETE FROM issuance.photo p USING unnest(p_bucket, p_person) AS u (bucket, person_id)
        WHERE p.bucket = u.bucket AND p.person_id = u.person_id
        RETURNING p.bucket, p.address
    )
    INSERT INTO core.outbox (bucket, id, queue, kind, payload, next_at, created_at)
    SELECT bucket, gen_random_uuid(), 'issuance', 'issuance.photo_dropped',
           jsonb_build_object('address', address), p_sent_at, p_sent_at
    FROM dropped;

    UPDATE core.request r SET answer_sealed = NULL
    FROM unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE r.bucket = u.bucket AND r.caller_id = u.person_id AND r.answer_sealed IS NOT NULL;

    UPDATE issuance.notice n SET note = NULL
    FROM unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE n.bucket = u.bucket AND n.person_id = u.person_id AND n.note IS NOT NULL;
    DELETE FROM issuance.notice_preference n USING unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE n.bucket = u.bucket AND n.person_id = u.person_id;
    DELETE FROM issuance.phone_code c USING unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE c.bucket = u.bucket AND c.person_id = u.person_id;
    DELETE FROM issuance.inbox_mark k USING unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE k.bucket = u.bucket AND k.person_id = u.person_id;
    DELETE FROM issuance.notice_grant n USING unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE n.bucket = u.bucket AND n.person_id = u.person_id;
    PERFORM core.forget_origins_of(p_bucket, p_person);
    DELETE FROM issuance.sighting s USING unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE s.bucket = u.bucket AND s.person_id = u.person_id;
END
$$;

-- Forgets persons and returns what each gave up. What leads back to them (the keyed hash of the identity, or of
-- the sign-in where there was none) stays, unless `p_wholly`: so limits are not reset by coming back.
CREATE OR REPLACE FUNCTION issuance.forget_persons(
    p_cause text, p_wholly boolean, p_bucket smallint[], p_person uuid[], p_erasure uuid[], p_account uuid,
    p_note text, p_now timestamptz, p_sent_at timestamptz
) RETURNS TABLE (bucket smallint, person_id uuid, given_up jsonb)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_actor text := CASE p_cause WHEN 'person' THEN 'citizen' ELSE 'system' END;
BEGIN
    PERFORM issuance.lock_persons(p_bucket, p_person);
    RETURN QUERY
    INSERT INTO issuance.erasure (id, account_id, bucket, person_id, cause, wholly, given_up, erased_at)
    SELECT u.id, p_account, u.bucket, u.person_id, p_cause, p_wholly, gave.given_up, p_now
    FROM unnest(p_erasure, p_bucket, p_person) AS u (id, bucket, person_id)
    JOIN issuance.give_up(p_bucket, p_person, v_actor, p_now) AS gave
        ON gave.bucket = u.bucket AND gave.person_id = u.person_id
    RETURNING erasure.bucket, erasure.person_id, erasure.given_up;

    PERFORM core.vouchers_forget(p_bucket, p_person);
    PERFORM issuance.forget_contents(p_bucket, p_person, v_actor, p_note, p_now, p_sent_at);

    INSERT INTO core.former_subject (provider, subject_hash, bucket, person_id)
    SELECT a.provider, a.subject_hash, a.bucket, a.person_id
    FROM core.account a
    JOIN unnest(p_bucket, p_person) AS u (bucket, person_id) ON a.bucket = u.bucket AND a.person_id = u.person_id
    WHERE NOT p_wholly AND a.erased_at IS NULL
      AND NOT EXISTS (SELECT FROM core.person_identity i
                      WHERE i.bucket = a.bucket AND i.person_id = a.person_id);
    UPDATE core.account a SET erased_at = p_now, subject_hash = NULL, subject_sealed = NULL
    FROM unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE a.bucket = u.bucket AND a.person_id = u.person_id AND a.erased_at IS NULL;
    UPDATE core.person_identity i SET account_id = NULL
    FROM unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE i.bucket = u.bucket AND i.person_id = u.person_id AND NOT p_wholly;
    DELETE FROM core.person_identity i USING unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE i.bucket = u.bucket AND i.person_id = u.person_id AND p_wholly;
    DELETE FROM core.former_subject f USING unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE f.bucket = u.bucket AND f.person_id = u.person_id AND p_wholly;
    UPDATE core.person p
    SET name_sealed = NULL, id_number_sealed = NULL, name_masked = NULL, verified_at = NULL,
        erased_at = coalesce(p.erased_at, p_now), forgotten_at = CASE WHEN p_wholly THEN p_now END
    FROM unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE p.bucket = u.bucket AND p.id = u.person_id;
END
$$;
