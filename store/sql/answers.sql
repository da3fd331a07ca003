-- name: lock_answer
-- Requests of an account under one key are answered one after the other.
SELECT pg_advisory_xact_lock(hashtextextended(%(key)s, %(account_id)s));

-- name: answer_given
-- What was answered to an account under an idempotency key.
SELECT fingerprint, status, etag, body FROM pool.answered
WHERE account_id = %(account_id)s AND key = %(key)s;

-- name: keep_answer
-- Keeps an answer; the one that was there first stays.
INSERT INTO pool.answered (account_id, key, fingerprint, status, etag, body)
VALUES (%(account_id)s, %(key)s, %(fingerprint)s, %(status)s, %(etag)s, %(body)s);
