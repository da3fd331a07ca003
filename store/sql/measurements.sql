-- name: row_columns
-- The rows of some tags in a window as one array a column and tag, ordered; no value reads as NaN.
SELECT tag_id, array_agg(ts), array_agg(value), array_agg(status)
FROM (
    SELECT tag_id, ts, coalesce(value, 'NaN') AS value, status
    FROM telemetry.measurement
    WHERE tag_id = ANY (%(tag_ids)s) AND ts >= %(start)s AND ts < %(end)s
    ORDER BY tag_id, ts
) AS ordered
GROUP BY tag_id
ORDER BY tag_id;

-- name: row_columns_in_scope
-- The same as far as it is in the caller's scope; jobs read the table itself, which costs less.
SELECT tag_id, array_agg(ts), array_agg(value), array_agg(status)
FROM (
    SELECT tag_id, ts, coalesce(value, 'NaN') AS value, status
    FROM scoped.measurement
    WHERE tag_id = ANY (%(tag_ids)s) AND ts >= %(start)s AND ts < %(end)s
    ORDER BY tag_id, ts
) AS ordered
GROUP BY tag_id
ORDER BY tag_id;

-- name: previous_rows
-- The last row of each tag before a time, its last good one, and of a register the last few that it
-- can have shown; not before an edge. With each whether it is a register, and its modulus.
SELECT t.tag_id, r.ts, r.value, r.status,
    t.role = 'energy' OR right(t.role, 6) = '_count', coalesce(t.modulus, 'Infinity')
FROM registry.tag t
CROSS JOIN LATERAL (
    (SELECT ts, value, status FROM telemetry.measurement m
     WHERE m.tag_id = t.tag_id AND m.ts < %(at)s AND m.ts >= %(edge)s
     ORDER BY ts DESC LIMIT 1)
    UNION
    (SELECT ts, value, status FROM telemetry.measurement m
     WHERE m.tag_id = t.tag_id AND m.ts < %(at)s AND m.ts >= %(edge)s
       AND m.status >= 0 AND m.value IS NOT NULL
     ORDER BY ts DESC LIMIT 1)
    UNION
    (SELECT ts, value, status FROM telemetry.measurement m
     WHERE (t.role = 'energy' OR right(t.role, 6) = '_count')
       AND m.tag_id = t.tag_id AND m.ts < %(at)s AND m.ts >= %(edge)s
       AND m.status >= 0 AND m.value >= 0 AND m.value < coalesce(t.modulus, 'Infinity')
     ORDER BY ts DESC LIMIT %(readings)s)
) r
WHERE t.tag_id = ANY (%(tag_ids)s)
ORDER BY t.tag_id, r.ts;

-- name: next_rows
-- The first row of each tag from a time on, its first good one, and of a register the first few
-- that it can have shown; before an edge. With each whether it is a register, and its modulus.
SELECT t.tag_id, r.ts, r.value, r.status,
    t.role = 'energy' OR right(t.role, 6) = '_count', coalesce(t.modulus, 'Infinity')
FROM registry.tag t
CROSS JOIN LATERAL (
    (SELECT ts, value, status FROM telemetry.measurement m
     WHERE m.tag_id = t.tag_id AND m.ts >= %(at)s AND m.ts < %(edge)s
     ORDER BY ts LIMIT 1)
    UNION
    (SELECT ts, value, status FROM telemetry.measurement m
     WHERE m.tag_id = t.tag_id AND m.ts >= %(at)s AND m.ts < %(edge)s
       AND m.status >= 0 AND m.value IS NOT NULL
     ORDER BY ts LIMIT 1)
    UNION
    (SELECT ts, value, status FROM telemetry.measurement m
     WHERE (t.role = 'energy' OR right(t.role, 6) = '_count')
       AND m.tag_id = t.tag_id AND m.ts >= %(at)s AND m.ts < %(edge)s
       AND m.status >= 0 AND m.value >= 0 AND m.value < coalesce(t.modulus, 'Infinity')
     ORDER BY ts LIMIT %(readings)s)
) r
WHERE t.tag_id = ANY (%(tag_ids)s)
ORDER BY t.tag_id, r.ts;

-- name: newest_rows
-- The newest row of each tag of a factory.
SELECT t.tag_id, t.name, r.ts, r.value, r.status
FROM registry.tag t
CROSS JOIN LATERAL (
    SELECT ts, value, status FROM telemetry.measurement m
    WHERE m.tag_id = t.tag_id
    ORDER BY ts DESC LIMIT 1
) r
WHERE t.factory_id = %(factory_id)s
ORDER BY t.name;

-- name: count_rows
-- How many rows and batches have been accepted.
SELECT coalesce(sum(row_count), 0), count(*) FROM telemetry.batch;
