-- name: latest_records
-- The newest version of each record of a kind that counts for a window.
SELECT DISTINCT ON (key) key, version, at, body
FROM telemetry.record
WHERE factory_id = %(factory_id)s AND kind = %(kind)s AND at >= %(start)s AND at < %(end)s
ORDER BY key, version DESC;

-- name: take_dirty_records
-- Takes the marks of new record versions, with what is needed to find their months.
DELETE FROM kpi.dirty_record d
USING telemetry.record r
WHERE r.record_id = d.record_id AND r.factory_id = %(factory_id)s
RETURNING r.kind, r.at, r.body;

-- name: dirty_factories
-- The factories that have new records or dirty months.
SELECT factory_id FROM kpi.dirty_month
UNION
SELECT r.factory_id FROM kpi.dirty_record d JOIN telemetry.record r USING (record_id)
ORDER BY 1;

-- name: try_lock_factory
-- One worker at a time forms the figures of a factory; the lock ends with the transaction.
SELECT pg_try_advisory_xact_lock(1296649293, %(factory_id)s);

-- name: take_dirty_months
-- Takes the marks of a factory's months.
DELETE FROM kpi.dirty_month WHERE factory_id = %(factory_id)s RETURNING month;
