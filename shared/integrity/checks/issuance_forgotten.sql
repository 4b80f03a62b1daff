-- name: forgotten_persons_left_nothing_to_read
-- zh: 已注销或期满遗忘的人员未留存任何可读信息
-- Of a person who was forgotten nothing sealed or masked is left: no name, number, subject, phone, evidence,
-- photo, code or kept answer, and no account that is live. Of one who was forgotten wholly, no keyed hash either.
WITH gone AS MATERIALIZED (
    SELECT bucket, id, forgotten_at FROM core.person WHERE erased_at IS NOT NULL
), broken AS (
    SELECT 'a name or an id number' AS what, id FROM core.person
    WHERE erased_at IS NOT NULL
      AND num_nonnulls(name_sealed, id_number_sealed, name_masked, verified_at) > 0
    UNION ALL
    SELECT 'a live account', gone.id FROM gone
    JOIN core.account a ON a.bucket = gone.bucket AND a.person_id = gone.id AND a.erased_at IS NULL
    UNION ALL
    SELECT 'the subject of an account', a.person_id FROM core.account a
    WHERE a.erased_at IS NOT NULL AND num_nonnulls(a.subject_hash, a.subject_sealed) > 0
    UNION ALL
    SELECT 'an identity that is held', gone.id FROM gone
    JOIN core.person_identity i ON i.bucket = gone.bucket AND i.person_id = gone.id
    WHERE i.account_id IS NOT NULL OR gone.forgotten_at IS NOT NULL
    UNION ALL
    SELECT 'the keyed hash of a sign-in', gone.id FROM gone
    JOIN core.former_subject f ON f.bucket = gone.bucket AND f.person_id = gone.id
    WHERE gone.forgotten_at IS NOT NULL
    UNION ALL
    SELECT 'evidence', gone.id FROM gone
    JOIN issuance.activity a ON a.bucket = gone.bucket AND a.person_id = gone.id
    WHERE num_nonnulls(a.evidence_sealed, a.subject_hash, a.text_bands) > 0 OR a.state = 'pending'
    UNION ALL
    SELECT 'a photo', gone.id FROM gone
    JOIN issuance.photo p ON p.bucket = gone.bucket AND p.person_id = gone.id
    UNION ALL
    SELECT 'the code of a voucher', gone.id FROM gone
    JOIN core.voucher v ON v.bucket = gone.bucket AND v.person_id = gone.id AND v.code_sealed IS NOT NULL
    UNION ALL
    SELECT 'a kept answer', gone.id FROM gone
    JOIN core.request r ON r.bucket = gone.bucket AND r.caller_id = gone.id AND r.answer_sealed IS NOT NULL
    UNION ALL
    SELECT 'a phone or a way to be told', gone.id FROM gone
    JOIN issuance.notice_preference n ON n.bucket = gone.bucket AND n.person_id = gone.id
    UNION ALL
    SELECT 'where a voucher was claimed', gone.id FROM gone
    JOIN core.voucher_origin o ON o.bucket = gone.bucket AND o.person_id = gone.id
    UNION ALL
    SELECT 'an open award', gone.id FROM gone
    JOIN issuance.award a ON a.bucket = gone.bucket AND a.person_id = gone.id AND a.state = 'open'
)
SELECT NOT EXISTS (SELECT FROM broken) AS ok, 0 AS expected, (SELECT count(*) FROM broken) AS actual,
       (SELECT min(what || ' of person ' || id) FROM broken) AS detail
