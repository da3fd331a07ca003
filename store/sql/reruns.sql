-- name: reruns_to_make
-- The open disputes whose re-run was asked for and not made since; those given up too.
SELECT dispute_id FROM pool.dispute
WHERE closed_at IS NULL AND rerun_asked_at IS NOT NULL
  AND (rerun_at IS NULL OR rerun_at < rerun_asked_at)
ORDER BY dispute_id;

-- name: take_rerun
-- Takes the re-run that was asked for first and that nobody works at.
UPDATE pool.dispute SET rerun_taken_at = clock_timestamp(), rerun_attempts = rerun_attempts + 1
WHERE dispute_id = (
    SELECT d.dispute_id FROM pool.dispute d
    WHERE d.closed_at IS NULL AND d.rerun_asked_at IS NOT NULL AND d.rerun_failed_at IS NULL
      AND (d.rerun_at IS NULL OR d.rerun_at < d.rerun_asked_at)
      AND (d.rerun_next_at IS NULL OR d.rerun_next_at <= clock_timestamp())
      AND (d.rerun_taken_at IS NULL OR d.rerun_taken_at < clock_timestamp() - %(lost_after)s::interval)
    ORDER BY d.rerun_asked_at, d.dispute_id
    LIMIT 1
    FOR UPDATE SKIP LOCKED)
RETURNING dispute_id, rerun_attempts;

-- name: fail_rerun
-- Keeps why an attempt failed; without a wait it is given up. Nothing where it was asked for anew.
UPDATE pool.dispute
SET rerun_taken_at = NULL, rerun_error = %(error)s,
    rerun_next_at = clock_timestamp() + %(wait)s::interval,
    rerun_failed_at = CASE WHEN %(wait)s::interval IS NULL THEN clock_timestamp() END
WHERE dispute_id = %(dispute_id)s AND rerun_attempts = %(attempt)s;

-- name: keep_rerun
-- Says which figure the re-run found.
UPDATE pool.dispute
SET rerun_figure_id = %(figure_id)s, rerun_at = %(at)s, rerun_taken_at = NULL,
    rerun_failed_at = NULL, rerun_error = NULL
WHERE dispute_id = %(dispute_id)s;
