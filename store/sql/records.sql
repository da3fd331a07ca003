-- name: latest_records
-- The newest version of each record of a kind, where that version counts for a window. A newer
-- version takes a record out of the window that an older one lay in. It is sought in the order of the
-- unique index, which alone has it: by equal keys a server without statistics may take an index
-- without the key, and each record reads all of its kind.
SELECT r.key, r.version, r.at, r.body
FROM telemetry.record r
WHERE r.factory_id = %(factory_id)s AND r.kind = %(kind)s
  AND r.at >= %(start)s AND r.at < %(end)s
  AND NOT coalesce((
    SELECT (n.factory_id, n.kind, n.key) = (r.factory_id, r.kind, r.key)
    FROM telemetry.record n
    WHERE (n.factory_id, n.kind, n.key, n.version) > (r.factory_id, r.kind, r.key, r.version)
    ORDER BY n.factory_id, n.kind, n.key, n.version LIMIT 1), false)
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
-- The factories that have new records, dirty months or verdicts to be given again.
SELECT factory_id FROM kpi.dirty_month
UNION
SELECT factory_id FROM kpi.verdict_mark
UNION
SELECT r.factory_id FROM kpi.dirty_record d JOIN telemetry.record r USING (record_id)
ORDER BY 1;

-- name: try_lock_factory
-- One worker at a time forms the figures of a factory; the lock ends with the transaction.
SELECT pg_try_advisory_xact_lock(1296649293, %(factory_id)s);

-- name: take_dirty_months
-- Takes the marks of a factory's months.
DELETE FROM kpi.dirty_month WHERE factory_id = %(factory_id)s RETURNING month;

-- name: counting_records
-- The newest version of each record of a kind that may count for local days [first, end): by its own
-- time in [start, end), by the day in its body, or because no day can be read from it. Of output
-- values those with the first and the last price year come along: whether all are at the prices of
-- one year is asked of the whole history. Arrays and subqueries, since a join may be planned as one
-- over the whole table.
WITH found AS (
    SELECT r.record_id FROM telemetry.record r
    WHERE r.factory_id = %(factory_id)s AND r.kind = %(kind)s
      AND r.at >= %(start)s AND r.at < %(end)s
    UNION
    SELECT r.record_id FROM telemetry.record r
    WHERE r.factory_id = %(factory_id)s AND r.kind = %(kind)s
      AND telemetry.counting_day(r.kind, r.body) COLLATE "C" >= %(first_day)s
      AND telemetry.counting_day(r.kind, r.body) COLLATE "C" < %(end_day)s
    UNION
    SELECT r.record_id FROM telemetry.record r
    WHERE r.factory_id = %(factory_id)s AND r.kind = %(kind)s
      AND telemetry.counting_day(r.kind, r.body) COLLATE "C" IS NULL
    UNION
    SELECT r.record_id FROM telemetry.record r
    WHERE %(kind)s = 'rd_project' AND r.factory_id = %(factory_id)s AND r.kind = 'rd_project'
      AND telemetry.as_day(r.body ->> 'cancelled_on') COLLATE "C" >= %(first_day)s
      AND telemetry.as_day(r.body ->> 'cancelled_on') COLLATE "C" < %(end_day)s
    UNION
    (SELECT r.record_id FROM telemetry.record r
     WHERE %(kind)s = 'output_value' AND r.factory_id = %(factory_id)s AND r.kind = 'output_value'
       AND r.body ->> 'price_year' IS NOT NULL
       AND NOT coalesce((
         SELECT (n.factory_id, n.kind, n.key) = (r.factory_id, r.kind, r.key)
         FROM telemetry.record n
         WHERE (n.factory_id, n.kind, n.key, n.version) > (r.factory_id, r.kind, r.key, r.version)
         ORDER BY n.factory_id, n.kind, n.key, n.version LIMIT 1), false)
     ORDER BY r.body ->> 'price_year' LIMIT 1)
    UNION
    (SELECT r.record_id FROM telemetry.record r
     WHERE %(kind)s = 'output_value' AND r.factory_id = %(factory_id)s AND r.kind = 'output_value'
       AND r.body ->> 'price_year' IS NOT NULL
       AND NOT coalesce((
         SELECT (n.factory_id, n.kind, n.key) = (r.factory_id, r.kind, r.key)
         FROM telemetry.record n
         WHERE (n.factory_id, n.kind, n.key, n.version) > (r.factory_id, r.kind, r.key, r.version)
         ORDER BY n.factory_id, n.kind, n.key, n.version LIMIT 1), false)
     ORDER BY r.body ->> 'price_year' DESC LIMIT 1)
)
SELECT r.key, r.version, r.at, r.body
FROM telemetry.record r
WHERE r.record_id = ANY (ARRAY(SELECT record_id FROM found))
  AND NOT coalesce((
    SELECT (n.factory_id, n.kind, n.key) = (r.factory_id, r.kind, r.key)
    FROM telemetry.record n
    WHERE (n.factory_id, n.kind, n.key, n.version) > (r.factory_id, r.kind, r.key, r.version)
    ORDER BY n.factory_id, n.kind, n.key, n.version LIMIT 1), false)
ORDER BY r.key;
