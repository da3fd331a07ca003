-- name: begin_job_run
-- Notes that a job begins, and forgets runs that are too old to matter.
WITH old AS (
    DELETE FROM kpi.job_run
    WHERE started_at < clock_timestamp() - make_interval(days => %(keep_days)s))
INSERT INTO kpi.job_run (name) VALUES (%(name)s) RETURNING run_id;

-- name: hold_job_run
-- Shows that the worker of a run lives; the lock ends with its connection.
SELECT pg_advisory_lock(1296649295, %(run_id)s);

-- name: release_job_run
-- The run has ended.
SELECT pg_advisory_unlock(1296649295, %(run_id)s);

-- name: end_job_run
-- Notes how a run ended.
UPDATE kpi.job_run
SET ended_at = clock_timestamp(), outcome = %(outcome)s, error = %(error)s, counts = %(counts)s
WHERE run_id = %(run_id)s;

-- name: list_job_runs
-- The newest runs; one without an end whose worker is gone was cut short.
SELECT r.run_id, r.name, r.started_at, r.ended_at,
    coalesce(r.outcome, CASE WHEN EXISTS (
        SELECT FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.classid = 1296649295 AND l.objid = r.run_id
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
        THEN 'running' ELSE 'cut short' END),
    r.error, r.counts
FROM kpi.job_run r
WHERE %(name)s::text IS NULL OR r.name = %(name)s
ORDER BY r.run_id DESC
LIMIT %(most)s;

-- name: note_failed_piece
-- Counts a failure of a piece of work and sets its next try, twice as far off each time.
INSERT INTO kpi.job_retry (name, piece, failures, error, next_try_at)
VALUES (%(name)s, %(piece)s, 1, %(error)s,
    clock_timestamp() + make_interval(secs => %(first_s)s))
ON CONFLICT (name, piece) DO UPDATE
SET failures = kpi.job_retry.failures + 1, error = excluded.error,
    next_try_at = clock_timestamp() + make_interval(
        secs => least(%(first_s)s * 2 ^ least(kpi.job_retry.failures, 30), %(most_s)s));

-- name: forget_failed_pieces
-- Removes what was done at last.
DELETE FROM kpi.job_retry WHERE name = %(name)s AND piece = ANY (%(pieces)s);

-- name: waiting_pieces
-- The pieces of a job that are not to be tried yet.
SELECT piece FROM kpi.job_retry WHERE name = %(name)s AND next_try_at > clock_timestamp();

-- name: list_job_retries
-- The pieces that failed at their last try.
SELECT name, piece, failures, error, failed_since, next_try_at
FROM kpi.job_retry
ORDER BY failed_since, name, piece;
