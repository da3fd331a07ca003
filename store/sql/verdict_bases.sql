-- name: kept_bases
-- What the years of a factory rest on beside rows.
SELECT period_start, basis FROM kpi.verdict_basis WHERE factory_id = %(factory_id)s;

-- name: keep_basis
-- Keeps what a year rests on; what was kept first stays.
INSERT INTO kpi.verdict_basis (factory_id, period_start, basis)
VALUES (%(factory_id)s, %(period_start)s, %(basis)s)
ON CONFLICT (factory_id, period_start) DO NOTHING;
