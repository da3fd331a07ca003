-- name: ask_entry_trial
-- Keeps a list that is to be judged.
INSERT INTO pool.entry_run (file_name, file_sha256, content, account_id, actor, role, asked_at,
    not_before)
VALUES (%(file_name)s, %(file_sha256)s, %(content)s, %(account_id)s, %(actor)s, %(role)s, %(at)s,
    %(at)s)
RETURNING run_id;

-- name: ask_entry_import
-- Has the list of a trial taken in; nothing where it was asked for already.
INSERT INTO pool.entry_run (trial_id, file_name, file_sha256, skip_faulty, account_id, actor, role,
    asked_at, not_before)
SELECT run_id, file_name, file_sha256, %(skip_faulty)s, %(account_id)s, %(actor)s, %(role)s, %(at)s,
    %(at)s
FROM pool.entry_run
WHERE run_id = %(trial_id)s AND trial_id IS NULL AND state = 'done'
ON CONFLICT (trial_id) WHERE state <> 'failed' DO NOTHING
RETURNING run_id;

-- name: list_entry_runs
-- Trials and imports of lists, newest first; import_id is the living import of a trial.
SELECT r.run_id, r.trial_id, r.file_name, r.file_sha256, r.skip_faulty, r.state, r.attempts, r.error,
    r.account_id, r.actor, r.asked_at, r.report, r.ended_at,
    (SELECT i.run_id FROM pool.entry_run i WHERE i.trial_id = r.run_id AND i.state <> 'failed')
FROM pool.entry_run r
WHERE (%(run_id)s::int IS NULL OR r.run_id = %(run_id)s)
  AND (%(before)s::int IS NULL OR r.run_id < %(before)s)
ORDER BY r.run_id DESC
LIMIT %(most)s;

-- name: take_entry_run
-- Takes the next run of the queue, or one whose worker was lost.
UPDATE pool.entry_run SET state = 'running', attempts = attempts + 1, taken_at = clock_timestamp()
WHERE run_id = (
    SELECT run_id FROM pool.entry_run
    WHERE state = 'queued' AND not_before <= clock_timestamp()
       OR state = 'running' AND taken_at < clock_timestamp() - %(lost_after)s::interval
    ORDER BY not_before, run_id
    LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING run_id, attempts;

-- name: hold_entry_run
-- Holds a run for this attempt until the transaction ends, with the list that it is about.
SELECT r.trial_id, r.file_name, r.file_sha256, coalesce(r.content, t.content), r.skip_faulty,
    r.account_id, r.actor, r.role
FROM pool.entry_run r
LEFT JOIN pool.entry_run t ON t.run_id = r.trial_id
WHERE r.run_id = %(run_id)s AND r.state = 'running' AND r.attempts = %(attempts)s
FOR UPDATE OF r;

-- name: finish_entry_run
-- Keeps what came of a run that is held.
UPDATE pool.entry_run SET state = 'done', error = NULL, report = %(report)s,
    ended_at = clock_timestamp()
WHERE run_id = %(run_id)s;

-- name: fail_entry_run
-- Says why an attempt failed; without a wait the run is given up.
UPDATE pool.entry_run
SET state = CASE WHEN %(wait)s::interval IS NULL THEN 'failed' ELSE 'queued' END,
    error = %(error)s, not_before = clock_timestamp() + coalesce(%(wait)s::interval, '0'),
    ended_at = CASE WHEN %(wait)s::interval IS NULL THEN clock_timestamp() END
WHERE run_id = %(run_id)s AND state = 'running' AND attempts = %(attempts)s;

-- name: drop_entry_lists
-- Lets go of the lists of trials that are older than they are kept.
UPDATE pool.entry_run SET content = NULL
WHERE content IS NOT NULL AND state IN ('done', 'failed') AND asked_at < now() - %(kept)s::interval;
