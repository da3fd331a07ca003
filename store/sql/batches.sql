-- name: lock_gateway
-- The gateway's key and factory; the row lock puts the batches of one gateway in line.
SELECT factory_id, public_key, revoked_at IS NOT NULL
FROM registry.gateway
WHERE code = %(gateway)s
FOR NO KEY UPDATE;

-- name: batches_beside
-- The ledger rows of a sequence number and of its neighbours. A statement apart from the lock: it
-- must see what the holder of the lock before this one has committed.
SELECT seq, batch_id, sha256, prev_sha256
FROM telemetry.batch
WHERE gateway_id = (SELECT gateway_id FROM registry.gateway WHERE code = %(gateway)s)
  AND seq BETWEEN %(seq)s::bigint - 1 AND %(seq)s::bigint + 1;

-- name: last_batch
-- The newest sequence number of a gateway, with its hash.
SELECT b.seq, b.sha256
FROM telemetry.batch b
JOIN registry.gateway g USING (gateway_id)
WHERE g.code = %(gateway)s
ORDER BY b.seq DESC
LIMIT 1;

-- name: enter_batch
-- Adds a batch to the ledger unless its sequence number is taken, and marks the asset-hours that
-- its rows touch, as few spans as they form, hours counted from 1970. Returns the batch's number
-- and some of its tags that are not in the factory's plan.
WITH gateway AS (
    SELECT gateway_id, factory_id FROM registry.gateway WHERE code = %(gateway)s
), entered AS (
    INSERT INTO telemetry.batch (gateway_id, seq, config_version, imported, row_count, record_count,
        first_ts, last_ts, sha256, prev_sha256, signature, clock_skew_s, collected_from, collected_to)
    SELECT gateway_id, %(seq)s, %(config_version)s, %(imported)s, %(row_count)s, %(record_count)s,
        %(first_ts)s::timestamptz, %(last_ts)s::timestamptz, %(sha256)s, %(prev_sha256)s,
        %(signature)s, %(clock_skew_s)s::float8, %(collected_from)s::timestamptz,
        %(collected_to)s::timestamptz
    FROM gateway
    ON CONFLICT (gateway_id, seq) DO NOTHING
    RETURNING batch_id
), offered AS (
    SELECT o.tag_id, o.first, o.hours, t.asset_id
    FROM unnest(%(tag_ids)s::int[], %(firsts)s::int[], %(hours)s::int[]) AS o (tag_id, first, hours)
    LEFT JOIN registry.tag t
        ON t.tag_id = o.tag_id AND t.factory_id = (SELECT factory_id FROM gateway)
), spans AS (
    SELECT asset_id, unnest(range_agg(int4range(first, first + hours))) AS span
    FROM offered
    WHERE asset_id IS NOT NULL AND EXISTS (SELECT FROM entered)
    GROUP BY asset_id
), marked AS (
    INSERT INTO kpi.dirty_hour (asset_id, hour, hours)
    SELECT asset_id, TIMESTAMPTZ 'epoch' + lower(span) * INTERVAL '1 hour', upper(span) - lower(span)
    FROM spans
    ORDER BY asset_id, span
)
SELECT (SELECT batch_id FROM entered),
    ARRAY(SELECT DISTINCT tag_id FROM offered WHERE asset_id IS NULL ORDER BY 1 LIMIT 5);

-- name: before_rows
-- The direct path returns here when it meets a duplicate key; it needs no release.
SAVEPOINT before_rows;

-- name: undo_rows
-- Takes the direct path back.
ROLLBACK TO SAVEPOINT before_rows;

-- name: copy_measurement
-- The direct path: all rows at once, fails whole on a duplicate key.
COPY telemetry.measurement (ts, tag_id, value, status, batch_id) FROM STDIN (FORMAT binary);

-- name: create_staging
-- Room for a batch that holds duplicates; empty again after each transaction.
CREATE TEMPORARY TABLE IF NOT EXISTS staged_measurement (
    ts timestamptz, tag_id int, value float8, status int, batch_id bigint
) ON COMMIT DELETE ROWS;

-- name: copy_staging
-- The staging path: rows go to a temporary table first.
COPY staged_measurement (ts, tag_id, value, status, batch_id) FROM STDIN (FORMAT binary);

-- name: insert_staged
-- Moves the staged rows whose key is free.
INSERT INTO telemetry.measurement (ts, tag_id, value, status, batch_id)
SELECT ts, tag_id, value, status, batch_id
FROM staged_measurement
ORDER BY tag_id, ts
ON CONFLICT (tag_id, ts) DO NOTHING;

-- name: insert_conflicts
-- Keeps the staged rows whose key was taken by another value.
INSERT INTO telemetry.conflict (tag_id, ts, kept_value, kept_status, kept_batch_id,
    offered_value, offered_status, batch_id)
SELECT s.tag_id, s.ts, m.value, m.status, m.batch_id, s.value, s.status, s.batch_id
FROM staged_measurement s
JOIN telemetry.measurement m USING (tag_id, ts)
WHERE s.batch_id = %(batch_id)s AND m.batch_id <> s.batch_id
  AND m.ts BETWEEN %(first_ts)s AND %(last_ts)s
  AND (m.value IS DISTINCT FROM s.value OR m.status <> s.status);

-- name: insert_absorbed
-- Lists how many rows of a batch were there before.
INSERT INTO telemetry.absorbed (batch_id, row_count) VALUES (%(batch_id)s, %(row_count)s);

-- name: insert_absorbed_rows
-- Keeps which rows of a batch were there before, so that its hash can be worked out again.
INSERT INTO telemetry.absorbed_rows (batch_id, tag_ids, times, numbers, statuses)
SELECT s.batch_id, array_agg(s.tag_id ORDER BY s.tag_id, s.ts), array_agg(s.ts ORDER BY s.tag_id, s.ts),
    array_agg(coalesce(s.value, 'NaN') ORDER BY s.tag_id, s.ts),
    array_agg(s.status ORDER BY s.tag_id, s.ts)
FROM staged_measurement s
JOIN telemetry.measurement m USING (tag_id, ts)
WHERE s.batch_id = %(batch_id)s AND m.batch_id <> s.batch_id
  AND m.ts BETWEEN %(first_ts)s AND %(last_ts)s
  AND m.value IS NOT DISTINCT FROM s.value AND m.status = s.status
GROUP BY s.batch_id;

-- name: insert_signed_records
-- Keeps the records of a batch as they were signed.
INSERT INTO telemetry.signed_records (batch_id, content) VALUES (%(batch_id)s, %(content)s);

-- name: lock_records
-- New versions of a factory's records are numbered by one transaction at a time.
SELECT pg_advisory_xact_lock(1296649298, %(factory_id)s);

-- name: insert_records
-- Adds a version for each offered record that differs from the one before it, and marks it dirty.
WITH offered AS (
    SELECT o.value ->> 0 AS kind, o.value ->> 1 AS key, (o.value ->> 2)::timestamptz AS at,
        o.value -> 3 AS body, o.place
    FROM jsonb_array_elements(%(records)s::jsonb) WITH ORDINALITY AS o (value, place)
), compared AS (
    SELECT o.*, coalesce(latest.version, 0) AS version,
        ((coalesce(lag(o.body) OVER one_key, latest.body),
          coalesce(lag(o.at) OVER one_key, latest.at)) IS DISTINCT FROM (o.body, o.at))::int AS changed
    FROM offered o
    LEFT JOIN LATERAL (
        -- Sought in the order of the unique index, which alone has it: by equal keys a server without
        -- statistics may take an index without the key, and each record reads all of its kind.
        SELECT r.kind, r.key, r.version, r.body, r.at
        FROM telemetry.record r
        WHERE r.factory_id = %(factory_id)s AND (r.kind, r.key) <= (o.kind, o.key)
        ORDER BY r.kind DESC, r.key DESC, r.version DESC
        LIMIT 1) latest ON latest.kind = o.kind AND latest.key = o.key
    WINDOW one_key AS (PARTITION BY o.kind, o.key ORDER BY o.place)
), numbered AS (
    SELECT *, version + sum(changed) OVER (PARTITION BY kind, key ORDER BY place) AS next_version
    FROM compared
), added AS (
    INSERT INTO telemetry.record (factory_id, kind, key, version, at, body, batch_id)
    SELECT %(factory_id)s, kind, key, next_version, at, body, %(batch_id)s
    FROM numbered
    WHERE changed = 1
    ORDER BY place
    RETURNING record_id
)
INSERT INTO kpi.dirty_record (record_id) SELECT record_id FROM added;

-- name: insert_finding
-- Notes something about a gateway that a person must see.
INSERT INTO telemetry.finding (gateway_id, rule, detail)
SELECT gateway_id, %(rule)s, %(detail)s
FROM registry.gateway
WHERE code = %(gateway)s;

-- name: mark_gap
-- Marks the hours from the batch before a gap in a gateway's numbers to the one after it, for all
-- machines of the factory: what is known of their states changes with the gap.
INSERT INTO kpi.dirty_hour (asset_id, hour, hours)
SELECT t.asset_id, span.first,
    least((extract(epoch FROM date_trunc('hour', gap.stop) - span.first) / 3600)::int + 1, 8784)
FROM registry.gateway g
JOIN telemetry.batch b ON b.gateway_id = g.gateway_id AND b.seq = %(seq)s
CROSS JOIN LATERAL (
    SELECT p.last_ts, p.collected_to FROM telemetry.batch p
    WHERE p.gateway_id = b.gateway_id AND p.seq < b.seq - 1
    ORDER BY p.seq DESC LIMIT 1) before
CROSS JOIN LATERAL (
    SELECT least(before.last_ts, before.collected_to) AS start,
        greatest(b.first_ts, b.collected_from) AS stop) gap
JOIN registry.tag t ON t.factory_id = g.factory_id AND t.role = 'state'
-- The last state before it came a heartbeat earlier at the most.
CROSS JOIN LATERAL (
    SELECT date_trunc('hour', gap.start - t.heartbeat_s * INTERVAL '1.25 seconds') AS first) span
WHERE g.code = %(gateway)s AND gap.start < gap.stop;

-- name: missing_batches
-- The times of batches that are missing between two of a gateway, as far as the gateway brought the
-- state of an asset before them.
SELECT gap.start, gap.stop
FROM registry.tag t
JOIN registry.gateway g USING (factory_id)
JOIN telemetry.finding f ON f.gateway_id = g.gateway_id AND f.rule = 'SequenceGap'
JOIN telemetry.batch b ON b.gateway_id = g.gateway_id AND b.seq = (f.detail ->> 'seq')::bigint
CROSS JOIN LATERAL (
    SELECT p.seq, p.last_ts, p.collected_to FROM telemetry.batch p
    WHERE p.gateway_id = b.gateway_id AND p.seq < b.seq
    ORDER BY p.seq DESC LIMIT 1) before
CROSS JOIN LATERAL (
    SELECT least(before.last_ts, before.collected_to) AS start,
        greatest(b.first_ts, b.collected_from) AS stop) gap
CROSS JOIN LATERAL (
    SELECT m.batch_id FROM telemetry.measurement m
    WHERE m.tag_id = t.tag_id AND m.ts <= gap.start
    ORDER BY m.ts DESC LIMIT 1) said
JOIN telemetry.batch s ON s.batch_id = said.batch_id AND s.gateway_id = g.gateway_id
WHERE t.asset_id = %(asset_id)s AND t.role = 'state'
  AND before.seq < b.seq - 1 AND gap.start < gap.stop
ORDER BY 1;

-- name: insert_quarantine
-- Keeps what could not be taken, with its reason.
INSERT INTO telemetry.quarantine (gateway_id, source, reason, payload)
SELECT gateway_id, %(source)s, %(reason)s, %(payload)s
FROM registry.gateway
WHERE code = %(gateway)s;
