-- name: closed_figures_of_period
-- How many figures a period has that are no longer provisional.
SELECT count(*) FROM kpi.figure
WHERE factory_id = %(factory_id)s AND period_kind = %(period_kind)s
  AND period_start = %(period_start)s AND period_end = %(period_end)s AND revision > 0;

-- name: insert_lock
-- Settles a period unless it is settled already.
INSERT INTO kpi.period_lock (factory_id, period_kind, period_start, period_end, locked_by)
VALUES (%(factory_id)s, %(period_kind)s, %(period_start)s, %(period_end)s, %(actor)s)
ON CONFLICT (factory_id, period_kind, period_start) WHERE unlocked_at IS NULL DO NOTHING
RETURNING lock_id;

-- name: end_lock
-- Opens a settled period again, and says who did it and why.
UPDATE kpi.period_lock
SET unlocked_by = %(actor)s, unlocked_at = clock_timestamp(), reason = %(reason)s
WHERE factory_id = %(factory_id)s AND period_kind = %(period_kind)s
  AND period_start = %(period_start)s AND unlocked_at IS NULL
RETURNING lock_id;

-- name: mark_month_of_period
-- Has the figures of a period formed again.
INSERT INTO kpi.dirty_month (factory_id, month) VALUES (%(factory_id)s, %(period_start)s);

-- name: list_locks
-- The locks of a factory that hold, or all there ever were.
SELECT period_kind, period_start, period_end, locked_by, locked_at, unlocked_by, unlocked_at, reason
FROM kpi.period_lock
WHERE factory_id = %(factory_id)s AND (%(ended_too)s OR unlocked_at IS NULL)
ORDER BY period_kind, period_start, lock_id;

-- name: held_locks
-- Which of some periods of a factory are settled.
SELECT period_start
FROM kpi.period_lock
WHERE factory_id = %(factory_id)s AND period_kind = %(period_kind)s
  AND period_start = ANY (%(starts)s::date[]) AND unlocked_at IS NULL;

-- name: upsert_pending
-- Puts what a settled figure would be by now beside it.
INSERT INTO kpi.pending_figure (factory_id, kpi, period_kind, period_start, period_end, unit, point,
    low, high, coverage, grade, reason, method_version, coefficient_version, inputs, inputs_sha256)
VALUES (%(factory_id)s, %(kpi)s, %(period_kind)s, %(period_start)s, %(period_end)s, %(unit)s,
    %(point)s, %(low)s, %(high)s, %(coverage)s, %(grade)s, %(reason)s, %(method_version)s,
    %(coefficient_version)s, %(inputs)s, %(inputs_sha256)s)
ON CONFLICT (factory_id, kpi, period_kind, period_start) DO UPDATE
SET point = excluded.point, low = excluded.low, high = excluded.high, coverage = excluded.coverage,
    grade = excluded.grade, reason = excluded.reason, method_version = excluded.method_version,
    coefficient_version = excluded.coefficient_version, inputs = excluded.inputs,
    inputs_sha256 = excluded.inputs_sha256, computed_at = clock_timestamp();

-- name: delete_pending
-- Takes back what stood beside a settled figure: of one KPI, or of the whole period.
DELETE FROM kpi.pending_figure
WHERE factory_id = %(factory_id)s AND period_kind = %(period_kind)s
  AND period_start = %(period_start)s AND (%(kpi)s::text IS NULL OR kpi = %(kpi)s);

-- name: list_pending
-- What the settled figures of a factory would be by now.
SELECT kpi, period_kind, period_start, period_end, unit, point, low, high, coverage, grade, reason,
    method_version, coefficient_version, inputs, computed_at
FROM kpi.pending_figure
WHERE factory_id = %(factory_id)s
ORDER BY kpi, period_kind, period_start;
