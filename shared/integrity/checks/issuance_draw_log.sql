-- name: roots_of_draw_logs_recompute_from_the_draws
-- zh: 抽奖记录每小时的根哈希可重新计算
-- Every root is the chain of the one before it, carried on over the draws of its hour: so a draw that was
-- changed, added or taken away after its hour was sealed is found, also where its value was computed anew. No
-- hour is left out.
WITH sealed AS (
    SELECT r.phase_id, r.at, r.draws, r.root, p.opens_at, p.closes_at,
           coalesce(lag(r.at) OVER hours, to_timestamp(0)) AS before_at,
           coalesce(lag(r.draws) OVER hours, 0) AS before_draws,
           coalesce(lag(r.root) OVER hours,
                    sha256(convert_to(c.slug || '/' || p.seq || '/' || p.seed_commitment, 'UTF8'))) AS before_root
    FROM issuance.draw_log_root r
    JOIN issuance.phase p ON p.id = r.phase_id
    JOIN core.campaign c ON c.id = p.campaign_id
    WINDOW hours AS (PARTITION BY r.phase_id ORDER BY r.at)
), judged AS (
    SELECT sealed.phase_id, sealed.at, CASE
        WHEN sealed.before_draws + chain.draws <> sealed.draws THEN 'draws appeared or went after they were sealed'
        WHEN chain.head <> sealed.root THEN 'the draws are not those that were sealed'
        WHEN sealed.at > sealed.closes_at
          OR sealed.at <> sealed.closes_at AND date_trunc('hour', sealed.at) <> sealed.at
        THEN 'no full hour, and not the close'
        WHEN sealed.at > greatest(sealed.before_at, sealed.opens_at) + interval '1 hour' THEN 'an hour was left out'
    END AS fault
    FROM sealed
    CROSS JOIN LATERAL issuance.draw_log_chain(
        sealed.phase_id, sealed.before_at, '00000000-0000-0000-0000-000000000000', sealed.at,
        9223372036854775807, sealed.before_root) chain
)
SELECT count(fault) = 0 AS ok, count(*) AS expected, count(*) FILTER (WHERE fault IS NULL) AS actual,
       'roots; the first: ' || min(fault || ': phase ' || phase_id || ', ' || at) AS detail
FROM judged
