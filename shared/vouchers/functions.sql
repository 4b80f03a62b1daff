-- The only writers of core.voucher and of the ledger transfers that follow a voucher's life.
-- Every function is set-based: a single request is a list of one. Items are locked in the order in
-- which they are given; callers sort them by (bucket, id).

-- Issues vouchers of one type of one phase and commits their value, split over the payers.
-- The caller has already taken the stock and marked the awards in the same transaction.
CREATE OR REPLACE FUNCTION core.vouchers_issue(
    p_campaign uuid, p_phase_seq smallint, p_type text, p_now timestamptz,
    p_bucket smallint[], p_id uuid[], p_person uuid[], p_source uuid[],
    p_code_hash bytea[], p_code_sealed bytea[], p_actor text
) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    WITH kind AS (
        SELECT t.kind, t.amount_fen, t.validity_days, f.version,
               core.split_fen(t.amount_fen, f.shares_ppm) AS split_fen,
               (p_now AT TIME ZONE c.timezone)::date AS day
        FROM core.voucher_type t
        JOIN core.campaign c ON c.id = t.campaign_id
        JOIN core.fund f ON f.campaign_id = t.campaign_id
        WHERE t.campaign_id = p_campaign AND t.key = p_type
    ), issued AS (
        INSERT INTO core.voucher (
            bucket, id, campaign_id, phase_seq, voucher_type, kind, amount_fen, split_fen, fund_version, person_id,
            source_id, code_hash, code_sealed, valid_from, valid_until, issued_at)
        SELECT u.bucket, u.id, p_campaign, p_phase_seq, p_type, kind.kind, kind.amount_fen, kind.split_fen,
               kind.version, u.person, u.source, u.code_hash, u.code_sealed, p_now,
               p_now + make_interval(days => kind.validity_days::integer), p_now
        FROM unnest(p_bucket, p_id, p_person, p_source, p_code_hash, p_code_sealed)
             AS u (bucket, id, person, source, code_hash, code_sealed)
        CROSS JOIN kind
        RETURNING voucher.bucket, voucher.id, voucher.split_fen
    ), posted AS (
        INSERT INTO core.ledger_transfer (
            bucket, source_id, kind, campaign_id, debit, credit, amounts_fen, voucher_id, actor, at)
        SELECT bucket, id, 'issue', p_campaign, 'available', 'committed', split_fen, id, p_actor, p_now
        FROM issued
    )
    INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n, amounts_fen)
    SELECT p_campaign, kind.day, 'issue', p_type, '', count(*), core.amounts_sum(issued.split_fen)
    FROM issued CROSS JOIN kind
    GROUP BY kind.day;
END
$$;

-- Redeems vouchers: compare-and-set issued → redeemed, applied amount committed → payable, the rest
-- of what was committed → available. Returns the items that were redeemed; the
-- caller diagnoses the others from the rows as they are then. `p_at` decides validity (offline items).
-- `p_bill_fen` is what it is redeemed against: the bill of a general voucher, an institution's contract
-- price of a directed one (NULL: the price that was committed). Never more is applied than was committed.
CREATE OR REPLACE FUNCTION core.vouchers_redeem(
    p_ord integer[], p_bucket smallint[], p_voucher uuid[], p_institution text[], p_actor text[],
    p_redemption uuid[], p_at timestamptz[], p_bill_fen bigint[], p_now timestamptz
) RETURNS TABLE (ord integer, applied_fen bigint, split_fen bigint[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH item AS (
        SELECT * FROM unnest(p_ord, p_bucket, p_voucher, p_institution, p_actor, p_redemption, p_at, p_bill_fen)
            AS u (ord, bucket, voucher_id, institution_id, actor, redemption_id, at, bill_fen)
    ), hit AS (
        UPDATE core.voucher v
        SET state = 'redeemed', redeemed_at = item.at, institution_id = item.institution_id
        FROM item
        WHERE v.bucket = item.bucket AND v.id = item.voucher_id
          AND v.state = 'issued' AND v.valid_from <= item.at AND v.valid_until > item.at
        RETURNING item.ord, item.institution_id, item.actor, item.redemption_id, v.bucket, v.id,
                  v.campaign_id, v.voucher_type, v.amount_fen, v.split_fen, v.fund_version,
                  least(v.amount_fen, item.bill_fen) AS applied_fen
    ), priced AS (
        SELECT hit.*, (p_now AT TIME ZONE c.timezone)::date AS day,
               CASE WHEN hit.applied_fen = hit.amount_fen THEN hit.split_fen
                    ELSE core.split_within(hit.applied_fen, f.shares_ppm, hit.split_fen) END AS applied_split
        FROM hit
        JOIN core.campaign c ON c.id = hit.campaign_id
        -- The shares that the voucher was issued with, whatever they are now.
        JOIN core.fund_version f ON f.campaign_id = hit.campaign_id AND f.version = hit.fund_version
    ), move AS (
        SELECT priced.*, 'redeem' AS kind, 'payable' AS credit, applied_split AS amounts FROM priced
        UNION ALL
        SELECT priced.*, 'release', 'available',
               core.amounts_add(priced.split_fen, (SELECT array_agg(-x ORDER BY i)
                   FROM unnest(applied_split) WITH ORDINALITY AS a (x, i)))
        FROM priced WHERE priced.applied_fen < priced.amount_fen
    ), posted AS (
        INSERT INTO core.ledger_transfer (
            bucket, source_id, kind, campaign_id, debit, credit, amounts_fen, voucher_id,
            institution_id, actor, at)
        SELECT bucket, redemption_id, kind, campaign_id, 'committed', credit, amounts, id,
               institution_id, actor, p_now
        FROM move
    ), tallied AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n, amounts_fen)
        SELECT campaign_id, day, kind, voucher_type, institution_id, count(*), core.amounts_sum(amounts)
        FROM move
        GROUP BY campaign_id, day, kind, voucher_type, institution_id
    )
    SELECT priced.ord, priced.applied_fen, priced.applied_split FROM priced;
END
$$;

-- Undoes write-offs: redeemed → issued, payable → committed, and what had been released is committed
-- again. The caller has locked the redemptions and passes their frozen split. Returns what was undone.
CREATE OR REPLACE FUNCTION core.vouchers_restore(
    p_ord integer[], p_bucket smallint[], p_voucher uuid[], p_institution text[], p_actor text[],
    p_redemption uuid[], p_now timestamptz
) RETURNS TABLE (ord integer)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH item AS (
        SELECT * FROM unnest(p_ord, p_bucket, p_voucher, p_institution, p_actor, p_redemption)
            AS u (ord, bucket, voucher_id, institution_id, actor, redemption_id)
    ), hit AS (
        UPDATE core.voucher v
        SET state = 'issued', redeemed_at = NULL, institution_id = NULL
        FROM item
        WHERE v.bucket = item.bucket AND v.id = item.voucher_id AND v.state = 'redeemed'
        RETURNING item.ord, item.institution_id, item.actor, item.redemption_id, v.bucket, v.id,
                  v.campaign_id, v.voucher_type
    ), move AS (
        SELECT hit.*, (p_now AT TIME ZONE c.timezone)::date AS day, t.credit AS debit, t.amounts_fen,
               CASE t.kind WHEN 'redeem' THEN 'reverse' ELSE 'recommit' END AS kind
        FROM hit
        JOIN core.campaign c ON c.id = hit.campaign_id
        JOIN core.ledger_transfer t ON t.bucket = hit.bucket AND t.source_id = hit.redemption_id
                                   AND t.kind IN ('redeem', 'release')
    ), posted AS (
        INSERT INTO core.ledger_transfer (
            bucket, source_id, kind, campaign_id, debit, credit, amounts_fen, voucher_id,
            institution_id, actor, at)
        SELECT bucket, redemption_id, kind, campaign_id, debit, 'committed', amounts_fen, id,
               institution_id, actor, p_now
        FROM move
    ), tallied AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n, amounts_fen)
        SELECT campaign_id, day, kind, voucher_type, institution_id, count(*), core.amounts_sum(amounts_fen)
        FROM move
        GROUP BY campaign_id, day, kind, voucher_type, institution_id
    )
    SELECT hit.ord FROM hit;
END
$$;

-- Ends vouchers that nobody used: issued → expired or revoked, their value back to available.
-- Returns the vouchers that were ended; a voucher that was redeemed meanwhile is left alone.
CREATE OR REPLACE FUNCTION core.vouchers_end(
    p_bucket smallint[], p_voucher uuid[], p_state text, p_actor text, p_now timestamptz
) RETURNS TABLE (bucket smallint, voucher_id uuid, campaign_id uuid, phase_seq smallint, voucher_type text)
LANGUAGE plpgsql
-- Its plan is kept, and may have been made when the table was empty.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH hit AS (
        UPDATE core.voucher v
        SET state = p_state
        FROM unnest(p_bucket, p_voucher) AS item (bucket, voucher_id)
        WHERE v.bucket = item.bucket AND v.id = item.voucher_id AND v.state = 'issued'
        RETURNING v.bucket, v.id, v.campaign_id, v.phase_seq, v.voucher_type, v.split_fen
    ), move AS (
        SELECT hit.*, (p_now AT TIME ZONE c.timezone)::date AS day,
               CASE p_state WHEN 'expired' THEN 'expire' ELSE 'revoke' END AS kind
        FROM hit JOIN core.campaign c ON c.id = hit.campaign_id
    ), posted AS (
        INSERT INTO core.ledger_transfer (
            bucket, source_id, kind, campaign_id, debit, credit, amounts_fen, voucher_id, actor, at)
        SELECT move.bucket, id, kind, move.campaign_id, 'committed', 'available', split_fen, id, p_actor, p_now
        FROM move
    ), tallied AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n, amounts_fen)
        SELECT move.campaign_id, day, kind, move.voucher_type, '', count(*), core.amounts_sum(split_fen)
        FROM move
        GROUP BY move.campaign_id, day, kind, move.voucher_type
    )
    SELECT hit.bucket, hit.id, hit.campaign_id, hit.phase_seq, hit.voucher_type FROM hit;
END
$$;

-- Drops the readable codes of these persons' vouchers, whatever state these are in. What a till looks up is the
-- keyed hash, which stays. The caller has locked the vouchers.
CREATE OR REPLACE FUNCTION core.vouchers_forget(p_bucket smallint[], p_person uuid[]) RETURNS void
LANGUAGE sql AS $$
    UPDATE core.voucher v SET code_sealed = NULL
    FROM unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE v.bucket = u.bucket AND v.person_id = u.person_id AND v.code_sealed IS NOT NULL;
$$;
