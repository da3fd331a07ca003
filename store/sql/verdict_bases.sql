-- name: kept_bases
-- What some years of a factory rest on beside rows.
SELECT b.period_start, b.basis
FROM unnest(%(starts)s::date[]) AS s (start)
CROSS JOIN LATERAL (
    SELECT k.* FROM kpi.verdict_basis k
    WHERE k.factory_id = %(factory_id)s AND k.period_start = s.start
    LIMIT 1) b;

-- name: keep_basis
-- Keeps what a year rests on; what was kept first stays.
INSERT INTO kpi.verdict_basis (factory_id, period_start, basis)
VALUES (%(factory_id)s, %(period_start)s, %(basis)s)
ON CONFLICT (factory_id, period_start) DO NOTHING;

-- name: give_up_bases
-- Puts what the years of a factory rest on aside, with who did it and why.
WITH gone AS (
    DELETE FROM kpi.verdict_basis WHERE factory_id = %(factory_id)s
    RETURNING factory_id, period_start, basis, kept_at)
INSERT INTO kpi.verdict_basis_past (factory_id, period_start, basis, kept_at, actor, reason)
SELECT factory_id, period_start, basis, kept_at, %(actor)s, %(reason)s FROM gone
RETURNING period_start;
