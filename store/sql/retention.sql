-- name: final_until
-- The first local day of a factory whose facts may still change, and from when on it has raw rows.
SELECT final_until, rows_from FROM kpi.final_span WHERE factory_id = %(factory_id)s
ORDER BY final_until DESC LIMIT 1;

-- name: final_spans
-- The sealed spans of a factory, oldest first.
SELECT final_from, final_until, rows_from, columns, fact_count, facts_sha256
FROM kpi.final_span WHERE factory_id = %(factory_id)s ORDER BY final_until;

-- name: chunks_before
-- The chunks of raw rows that end by a time, oldest first, and how many bytes each takes.
SELECT c.range_start, c.range_end,
    pg_total_relation_size(format('%%I.%%I', c.chunk_schema, c.chunk_name)::regclass)
FROM timescaledb_information.chunks c
WHERE c.hypertable_schema = 'telemetry' AND c.hypertable_name = 'measurement'
  AND c.range_end <= %(before)s
ORDER BY c.range_start;

-- name: sparse_tags
-- Tags that spoke before a time and speak still after a second one, and between the two too rarely
-- for later hours to follow without what came before.
SELECT t.name
FROM registry.tag t
WHERE t.factory_id = %(factory_id)s
  AND EXISTS (SELECT FROM telemetry.measurement m WHERE m.tag_id = t.tag_id AND m.ts < %(start)s)
  AND EXISTS (SELECT FROM telemetry.measurement m WHERE m.tag_id = t.tag_id AND m.ts >= %(end)s)
  AND (SELECT count(*) FROM (
      SELECT FROM telemetry.measurement m
      WHERE m.tag_id = t.tag_id AND m.ts >= %(start)s AND m.ts < %(end)s
        AND m.status >= 0 AND m.value IS NOT NULL
      LIMIT %(least)s) AS good) < %(least)s
ORDER BY t.name;

-- name: hold_jobs
-- Waits for jobs and batches at work, and lets none begin before the transaction ends.
LOCK TABLE kpi.dirty_hour, kpi.dirty_month, kpi.dirty_record IN EXCLUSIVE MODE;

-- name: insert_final_span
-- Seals the facts of a span of a factory.
INSERT INTO kpi.final_span (factory_id, final_from, final_until, rows_from, columns, fact_count,
    facts_sha256, sealed_by)
VALUES (%(factory_id)s, %(final_from)s, %(final_until)s, %(rows_from)s, %(columns)s,
    %(fact_count)s, %(facts_sha256)s, %(actor)s);

-- name: drop_rows
-- Drops the chunks of raw rows that end by a time.
SELECT drop_chunks('telemetry.measurement', older_than => %(before)s::timestamptz);
