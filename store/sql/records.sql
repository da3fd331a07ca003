-- name: latest_records
-- The newest version of each record of a kind, where that version counts for a window. A newer
-- version takes a record out of the window that an older one lay in.
SELECT r.key, r.version, r.at, r.body
FROM telemetry.record r
WHERE r.factory_id = %(factory_id)s AND r.kind = %(kind)s
  AND r.at >= %(start)s AND r.at < %(end)s
  AND NOT EXISTS (
    SELECT FROM telemetry.record newer
    WHERE newer.factory_id = r.factory_id AND newer.kind = r.kind AND newer.key = r.key
      AND newer.version > r.version)
ORDER BY r.key;

-- name: take_dirty_records
-- Takes the marks of new record versions; returns these and the versions that they replace, since
-- both may lie in months that have to be formed again.
WITH taken AS (
    DELETE FROM kpi.dirty_record d
    USING telemetry.record r
    WHERE r.record_id = d.record_id AND r.factory_id = %(factory_id)s
    RETURNING r.kind, r.key, r.version
)
SELECT r.kind, r.at, r.body
FROM taken t
JOIN telemetry.record r
    ON r.factory_id = %(factory_id)s AND r.kind = t.kind AND r.key = t.key
    AND r.version BETWEEN t.version - 1 AND t.version;

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
