-- name: cases_are_what_was_done_with_them
-- zh: 案件状态与处理记录一致，未撤销的暂缓结算均有案件结论
-- A case is decided exactly when the last of its decisions was not taken back, and says what that said. Its
-- actions are counted without a gap. Of a case's holds one is open only while it is decided to hold them.
WITH last_word AS (
    SELECT DISTINCT ON (case_id) case_id, decision, note, staff_id, at
    FROM redemption.risk_case_action WHERE action IN ('decide', 'reopen')
    ORDER BY case_id, seq DESC
), counted AS (
    SELECT case_id, count(*) AS n, max(seq) AS last FROM redemption.risk_case_action GROUP BY case_id
), judged AS (
    SELECT k.id::text AS subject, (w.decision IS NOT NULL)::integer AS expected,
           (k.status = 'decided')::integer AS actual,
           (k.status = 'decided') = (w.decision IS NOT NULL)
           AND k.decision IS NOT DISTINCT FROM w.decision
           AND (w.decision IS NULL OR (k.decided_by, k.decided_at) = (w.staff_id, w.at)
                                  AND k.note IS NOT DISTINCT FROM w.note)
           AND coalesce(n.n = n.last, true)
           AND (k.decision IS NOT DISTINCT FROM 'hold_settlement' OR NOT EXISTS (
               SELECT FROM redemption.risk_case_item i
               JOIN redemption.settlement_hold h ON h.id = i.hold_id AND h.released_at IS NULL
               WHERE i.case_id = k.id)) AS fits
    FROM redemption.risk_case k
    LEFT JOIN last_word w ON w.case_id = k.id
    LEFT JOIN counted n ON n.case_id = k.id
)
SELECT coalesce(bool_and(fits IS TRUE), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'decided cases; differs for: ' || string_agg(subject, ', ') FILTER (WHERE fits IS NOT TRUE) AS detail
FROM judged
