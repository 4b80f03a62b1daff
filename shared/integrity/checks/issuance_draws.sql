-- name: draws_recompute_from_seed_chance_and_client_seed
-- zh: 抽奖结果可由种子重新计算
-- A chance is drawn at most once, by its own person, while its phase is open. Each value is computed again:
-- HMAC-SHA256 (RFC 2104) with the phase's seed, which is the one that was committed. It was won exactly when
-- its first 8 bytes are below floor(odds × 2^64), with odds in force. (Odds that began less than 10 seconds
-- before a draw may have been approved while it was under way.)
WITH keyed AS (
    SELECT s.phase_id, encode(sha256(s.seed), 'hex') AS commitment, pad.inner_pad, pad.outer_pad
    FROM unnest(CAST(:phase_ids AS uuid[]), CAST(:seeds AS bytea[])) AS s (phase_id, seed)
    CROSS JOIN LATERAL (
        SELECT string_agg(set_byte(decode('00', 'hex'), 0, key # 54), decode('', 'hex') ORDER BY i) AS inner_pad,
               string_agg(set_byte(decode('00', 'hex'), 0, key # 92), decode('', 'hex') ORDER BY i) AS outer_pad
        FROM (SELECT i, CASE WHEN i < octet_length(s.seed) THEN get_byte(s.seed, i) ELSE 0 END AS key
              FROM generate_series(0, 63) AS i) AS block
    ) pad
), recomputed AS (
    SELECT d.*, keyed.commitment, p.seed_commitment, p.opens_at, p.closes_at, ch.draw_id, ch.state AS chance_state,
           ch.person_id AS chance_person, ch.campaign_id AS chance_campaign, o.phase_id AS odds_phase,
           o.effective_from, div(o.odds_ppm * 18446744073709551616::numeric, 1000000) AS below,
           ('x' || encode(substring(d.value FROM 1 FOR 8), 'hex'))::bit(64)::bigint::numeric AS signed,
           sha256(keyed.outer_pad || sha256(keyed.inner_pad || convert_to(
               c.slug || '/' || p.seq || '/' || core.hot_id_text(d.bucket, d.chance_id) || '/' || d.client_seed,
               'UTF8'))) AS value_again,
           EXISTS (SELECT FROM issuance.odds_version later
                   WHERE later.phase_id = d.phase_id AND later.effective_from > o.effective_from
                     AND later.effective_from <= d.drawn_at - interval '10 seconds') AS superseded
    FROM issuance.draw d
    LEFT JOIN issuance.phase p ON p.id = d.phase_id
    LEFT JOIN core.campaign c ON c.id = p.campaign_id
    LEFT JOIN keyed ON keyed.phase_id = d.phase_id
    LEFT JOIN issuance.odds_version o ON o.id = d.odds_version_id
    LEFT JOIN issuance.chance ch ON ch.bucket = d.bucket AND ch.id = d.chance_id
), judged AS (
    SELECT id, CASE
        WHEN commitment IS DISTINCT FROM seed_commitment THEN 'the seed is not the one that was committed'
        WHEN value_again IS DISTINCT FROM value THEN 'the value is another one'
        WHEN won IS DISTINCT FROM
             (signed + CASE WHEN signed < 0 THEN 18446744073709551616 ELSE 0 END < below)
        THEN 'won does not follow from the value and the odds'
        WHEN odds_phase IS DISTINCT FROM phase_id OR effective_from > drawn_at OR superseded
        THEN 'its odds were not in force'
        WHEN drawn_at < opens_at OR drawn_at >= closes_at THEN 'its phase was not open'
        WHEN draw_id IS DISTINCT FROM id OR chance_state <> 'drawn'
          OR (chance_person, chance_campaign) IS DISTINCT FROM (person_id, campaign_id)
        THEN 'its chance does not belong to it'
    END AS fault
    FROM recomputed
    UNION ALL
    SELECT ch.id, 'a chance says that it was drawn, and was not'
    FROM issuance.chance ch
    LEFT JOIN issuance.draw d ON d.bucket = ch.bucket AND d.chance_id = ch.id
    WHERE ch.state = 'drawn' AND d.id IS NULL
)
SELECT count(fault) = 0 AS ok, count(*) AS expected, count(*) FILTER (WHERE fault IS NULL) AS actual,
       'draws; the first: ' || min(fault || ': ' || id) AS detail
FROM judged
