-- name: insert_webhook
-- Subscribes another system to the feed from a cursor on.
INSERT INTO pool.webhook (account_id, name, url, kinds, secret, cursor)
VALUES (%(account_id)s, %(name)s, %(url)s, %(kinds)s, %(secret)s, %(cursor)s)
RETURNING webhook_id;

-- name: list_webhooks
-- The living subscriptions of whoever asks, or one of them.
SELECT webhook_id, account_id, name, url, kinds, made_at, cursor, attempts, next_at, delivered_at,
    last_fault, paused_at, trial_at, tried_at, trial_fault
FROM pool.webhook
WHERE ended_at IS NULL AND (%(webhook_id)s::int IS NULL OR webhook_id = %(webhook_id)s)
ORDER BY webhook_id;

-- name: end_webhook
-- Ends a subscription.
UPDATE pool.webhook SET ended_at = clock_timestamp()
WHERE webhook_id = %(webhook_id)s AND ended_at IS NULL
RETURNING webhook_id;

-- name: pause_webhook
-- Pauses a subscription, or lets it go on from where it was.
UPDATE pool.webhook
SET paused_at = CASE WHEN %(paused)s THEN coalesce(paused_at, clock_timestamp()) END
WHERE webhook_id = %(webhook_id)s AND ended_at IS NULL
RETURNING webhook_id;

-- name: try_webhook
-- Asks for a trial delivery.
UPDATE pool.webhook SET trial_at = clock_timestamp()
WHERE webhook_id = %(webhook_id)s AND ended_at IS NULL;

-- name: webhooks_to_try
-- Subscriptions that are to get a trial delivery; how it is with attempts, no trial counts.
SELECT w.webhook_id, w.account_id, w.url, w.kinds, w.secret, w.cursor, w.trial_at
FROM pool.webhook w
JOIN auth.account a USING (account_id)
WHERE w.trial_at IS NOT NULL AND w.ended_at IS NULL AND a.disabled_at IS NULL
ORDER BY w.trial_at
LIMIT %(most)s;

-- name: webhook_tried
-- Notes what came of a trial delivery.
UPDATE pool.webhook SET trial_at = NULL, tried_at = clock_timestamp(), trial_fault = %(fault)s
WHERE webhook_id = %(webhook_id)s AND trial_at = %(trial_at)s;

-- name: list_dead_letters
-- The parts that were given up, newest first.
SELECT letter_id, after, through, attempts, fault, died_at, again_at, delivered_at
FROM pool.dead_letter
WHERE webhook_id = %(webhook_id)s AND (%(letter_id)s::bigint IS NULL OR letter_id = %(letter_id)s)
ORDER BY letter_id DESC
LIMIT %(most)s;

-- name: send_again
-- Has a part that was given up sent once more.
UPDATE pool.dead_letter SET again_at = clock_timestamp()
WHERE webhook_id = %(webhook_id)s AND letter_id = %(letter_id)s;

-- name: try_delivery_lock
-- Deliveries are one process's work at a time, as long as its connection lives.
SELECT pg_try_advisory_lock(1296649295);

-- name: due_webhooks
-- The subscriptions whose turn it is, the longest waiting first.
SELECT w.webhook_id, w.account_id, w.url, w.kinds, w.secret, w.cursor, w.through, w.attempts
FROM pool.webhook w
JOIN auth.account a USING (account_id)
WHERE w.ended_at IS NULL AND w.paused_at IS NULL AND a.disabled_at IS NULL
  AND w.next_at <= clock_timestamp()
  AND (w.through IS NOT NULL OR w.cursor < (SELECT coalesce(max(cursor), 0) FROM pool.feed))
ORDER BY w.next_at, w.webhook_id
LIMIT %(most)s;

-- name: begin_part
-- Keeps how far a part reaches, so that it is the same when it is tried again.
UPDATE pool.webhook SET through = %(through)s
WHERE webhook_id = %(webhook_id)s AND through IS NULL AND cursor < %(through)s;

-- name: skip_part
-- Passes over what is not for this subscription.
UPDATE pool.webhook SET cursor = %(through)s, through = NULL, attempts = 0
WHERE webhook_id = %(webhook_id)s AND cursor < %(through)s;

-- name: part_delivered
-- A part arrived.
UPDATE pool.webhook
SET cursor = through, through = NULL, attempts = 0, last_fault = NULL,
    delivered_at = clock_timestamp(), next_at = clock_timestamp()
WHERE webhook_id = %(webhook_id)s AND through IS NOT NULL;

-- name: part_failed
-- A part did not arrive and is tried again.
UPDATE pool.webhook
SET attempts = attempts + 1, last_fault = %(fault)s,
    next_at = clock_timestamp() + make_interval(secs => %(wait_s)s)
WHERE webhook_id = %(webhook_id)s;

-- name: part_dead
-- A part is given up and kept for a person; the next one goes on.
WITH dead AS (
    INSERT INTO pool.dead_letter (webhook_id, after, through, attempts, fault)
    SELECT webhook_id, cursor, through, attempts + 1, %(fault)s FROM pool.webhook
    WHERE webhook_id = %(webhook_id)s AND through IS NOT NULL)
UPDATE pool.webhook
SET cursor = through, through = NULL, attempts = 0, last_fault = %(fault)s,
    next_at = clock_timestamp()
WHERE webhook_id = %(webhook_id)s AND through IS NOT NULL;

-- name: letters_to_send
-- The parts that a person wants to have sent once more.
SELECT d.letter_id, w.webhook_id, w.account_id, w.url, w.kinds, w.secret, d.after, d.through
FROM pool.dead_letter d
JOIN pool.webhook w USING (webhook_id)
JOIN auth.account a USING (account_id)
WHERE d.again_at IS NOT NULL AND w.ended_at IS NULL AND a.disabled_at IS NULL
ORDER BY d.again_at
LIMIT %(most)s;

-- name: letter_sent
-- What came of sending it once more.
UPDATE pool.dead_letter
SET again_at = NULL, attempts = attempts + 1,
    fault = coalesce(%(fault)s, fault),
    delivered_at = CASE WHEN %(fault)s::text IS NULL THEN clock_timestamp() ELSE delivered_at END
WHERE letter_id = %(letter_id)s;
