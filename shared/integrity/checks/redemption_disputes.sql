-- name: settlements_and_their_disputes_say_the_same
-- zh: 结算单与异议记录一致
-- A settlement waits for an answer exactly when it has a dispute that has none, and says what that says. One
-- that was right took write-offs back, each time with a revision of the settlement; no other made one.
WITH judged AS (
    SELECT s.id,
           coalesce(s.dispute_note = open.note AND s.disputed_at = open.raised_at,
                    s.disputed_at IS NULL AND open.id IS NULL) AS says_the_same,
           s.revision - 1 = coalesce(ended.upheld, 0)
           AND s.revision - 1 = (SELECT count(DISTINCT dispute_id) FROM redemption.correction c
                                 WHERE c.settlement_id = s.id AND c.dispute_id IS NOT NULL) AS revised
    FROM redemption.settlement s
    LEFT JOIN redemption.settlement_dispute open ON open.settlement_id = s.id AND open.outcome IS NULL
    LEFT JOIN (SELECT settlement_id, count(*) AS upheld FROM redemption.settlement_dispute
               WHERE outcome = 'upheld' GROUP BY settlement_id) AS ended ON ended.settlement_id = s.id
)
SELECT coalesce(bool_and(says_the_same AND revised), true) AS ok, count(*) AS expected,
       count(*) FILTER (WHERE says_the_same AND revised) AS actual,
       'settlements; the first that differs: '
       || min(id::text) FILTER (WHERE NOT (says_the_same AND revised)) AS detail
FROM judged
