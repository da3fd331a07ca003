-- name: lock_answer
-- Requests of an account under one key are answered one after the other.
SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, %(account_id)s));

-- name: answer_given
-- What was answered to an account under an idempotency key.
SELECT fingerprint, status, etag, body, location FROM pool.answered
WHERE account_id = %(account_id)s AND key = %(key)s;

-- name: keep_answer
-- Keeps an answer; the one that was there first stays.
INSERT INTO pool.answered (account_id, key, fingerprint, status, etag, body, location)
VALUES (%(account_id)s, %(key)s, %(fingerprint)s, %(status)s, %(etag)s, %(body)s, %(location)s);

-- name: forget_answers
-- Forgets answers that are old.
DELETE FROM pool.answered WHERE at < clock_timestamp() - make_interval(secs => %(after_s)s);
