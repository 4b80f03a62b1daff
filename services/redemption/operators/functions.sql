-- What speaks against this operator at this terminal: `operator_required`, `operator_unknown`, NULL for nothing.
-- An operator without terminals of their own works at every one of the institution. Where nobody is listed for
-- a terminal, any code is kept as it was told, unless the institution requires listed operators (`p_required`).
-- Inlined where it is called, and a request without an operator looks nothing up: the plain write-off pays
-- nothing. A scalar subquery, not EXISTS, so that it always stays a probe of the primary key.
CREATE OR REPLACE FUNCTION redemption.operator_word(
    p_institution text, p_terminal text, p_operator text, p_required boolean
) RETURNS TABLE (word text)
LANGUAGE sql STABLE AS $$
    SELECT CASE
               WHEN p_operator IS NULL THEN CASE WHEN p_required THEN 'operator_required' END
               WHEN (SELECT true FROM redemption.operator o
                     WHERE o.institution_id = p_institution AND o.code = p_operator AND o.ended_at IS NULL
                       AND (o.terminals = '{}' OR p_terminal = ANY (o.terminals))) THEN NULL
               WHEN p_required
                   OR (SELECT true FROM redemption.operator o
                       WHERE o.institution_id = p_institution AND o.ended_at IS NULL
                         AND (o.terminals = '{}' OR p_terminal = ANY (o.terminals)) LIMIT 1)
                   THEN 'operator_unknown'
           END
$$;
