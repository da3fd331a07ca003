-- name: due_factories
-- The factories that a job is to look at though nothing new came.
SELECT factory_id FROM kpi.due WHERE job = %(job)s AND due_at <= %(now)s ORDER BY 1;

-- name: put_off_factory
-- A job has looked at a factory; before its first figure there is nothing to put off.
UPDATE kpi.due SET due_at = %(until)s
WHERE job = %(job)s AND factory_id = %(factory_id)s AND due_at IS DISTINCT FROM %(until)s;
