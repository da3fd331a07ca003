-- name: list_outbox
-- Letters that wait or failed, newest first, without what they say.
SELECT delivery_id, channel, kind, state, attempts, sent_at, next_try_at, error, address
FROM operation.delivery
WHERE state IN ('queued', 'failed') AND (%(before)s::bigint IS NULL OR delivery_id < %(before)s)
ORDER BY delivery_id DESC
LIMIT %(most)s;

-- name: retry_delivery
-- Gives one letter that failed for good another round of tries.
SELECT operation.retry_delivery(%(delivery_id)s);

-- name: operation_jobs
-- Each job with its newest run.
SELECT name, started_at, ended_at, outcome, error, done_at, failed_in_day
FROM operation.job ORDER BY name;

-- name: operation_retries
-- Pieces that failed at their last try, longest first.
SELECT name, piece, failures, error, failed_since, next_try_at
FROM operation.retry ORDER BY failed_since, name, piece LIMIT %(most)s;

-- name: operation_gateways
-- Gateways, those that are silent longest first.
SELECT code, factory, revoked_at, seq, received_at, clock_skew_s
FROM operation.gateway ORDER BY received_at NULLS FIRST, code LIMIT %(most)s;

-- name: operation_queues
-- What waits in each queue.
SELECT name, waiting, oldest, failed FROM operation.queue ORDER BY name;

-- name: operation_database
-- The database itself.
SELECT bytes, server, timescaledb, started_at, migration, migrations, migrated_at
FROM operation.database;
