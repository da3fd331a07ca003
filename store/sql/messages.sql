-- name: insert_messages
-- One message to each person of a role who has the factory in scope.
INSERT INTO pool.message (account_id, factory_id, todo_id, template, names, sent_at)
SELECT account_id, %(factory_id)s, %(todo_id)s, %(template)s, %(names)s, %(at)s
FROM auth.reached
WHERE factory_id = %(factory_id)s AND role = ANY (%(roles)s)
ORDER BY account_id
RETURNING message_id;

-- name: insert_deliveries
-- Sends messages by the other channels too, to those who have an address there and want it, by e-mail
-- at once or the next morning; beyond what the queue holds they fail at once, for all to see.
WITH wanted AS (
    SELECT m.message_id, w.channel,
        CASE WHEN w.channel = 'email' AND coalesce(c.wants_digest, false)
            THEN %(morning)s::timestamptz ELSE %(at)s::timestamptz END AS due
    FROM pool.message m
    JOIN auth.account a USING (account_id)
    LEFT JOIN auth.contact c USING (account_id)
    CROSS JOIN LATERAL (VALUES
        ('email', a.email IS NOT NULL AND coalesce(c.wants_email, true)),
        ('sms', coalesce(c.wants_sms, false))) AS w (channel, is_wanted)
    WHERE m.message_id = ANY (%(messages)s) AND w.is_wanted AND w.channel = ANY (%(channels)s)),
numbered AS (
    SELECT *, row_number() OVER (ORDER BY message_id, channel)
        + (SELECT count(*) FROM pool.delivery WHERE state = 'queued') AS place
    FROM wanted)
INSERT INTO pool.delivery (message_id, channel, next_try_at, state, error, ended_at)
SELECT message_id, channel, due,
    CASE WHEN place > %(most_queued)s THEN 'failed' ELSE 'queued' END,
    CASE WHEN place > %(most_queued)s THEN 'the queue is full' END,
    CASE WHEN place > %(most_queued)s THEN %(at)s::timestamptz END
FROM numbered;

-- name: list_messages
-- The caller's messages, newest first, with what became of them by e-mail and SMS.
SELECT m.message_id, f.code, f.name_zh, f.name_en, m.todo_id, m.template, m.names, m.sent_at,
    m.read_at,
    coalesce((SELECT jsonb_object_agg(d.channel, d.state) FROM pool.delivery d
        WHERE d.message_id = m.message_id), '{}')
FROM pool.message m
JOIN registry.factory f USING (factory_id)
WHERE m.account_id = %(account_id)s
  AND (%(before)s::bigint IS NULL OR m.message_id < %(before)s)
ORDER BY m.message_id DESC
LIMIT %(most)s;

-- name: count_unread
-- How many messages the caller has not read.
SELECT count(*) FROM pool.message WHERE account_id = %(account_id)s AND read_at IS NULL;

-- name: read_message
-- Notes that its person read a message; the first time counts.
UPDATE pool.message SET read_at = coalesce(read_at, greatest(%(at)s, sent_at))
WHERE message_id = %(message_id)s AND account_id = %(account_id)s
RETURNING read_at;

-- name: read_all_messages
-- Notes that its person read all messages up to one.
UPDATE pool.message SET read_at = greatest(%(at)s, sent_at)
WHERE account_id = %(account_id)s AND message_id <= %(up_to)s AND read_at IS NULL;

-- name: read_contact
-- How a person wants to be told.
SELECT phone, wants_email, wants_sms, wants_digest FROM auth.contact WHERE account_id = %(account_id)s;

-- name: save_contact
-- Sets how a person wants to be told.
INSERT INTO auth.contact (account_id, phone, wants_email, wants_sms, wants_digest)
VALUES (%(account_id)s, %(phone)s, %(wants_email)s, %(wants_sms)s, %(wants_digest)s)
ON CONFLICT (account_id) DO UPDATE SET phone = excluded.phone,
    wants_email = excluded.wants_email, wants_sms = excluded.wants_sms,
    wants_digest = excluded.wants_digest;

-- name: claim_deliveries
-- Takes what is to be tried now; it is tried again after the lease if nothing is said of it.
WITH due AS (
    SELECT delivery_id FROM pool.delivery
    WHERE state = 'queued' AND channel = %(channel)s AND next_try_at <= %(at)s
    ORDER BY next_try_at, delivery_id
    LIMIT %(most)s
    FOR UPDATE SKIP LOCKED),
taken AS (
    UPDATE pool.delivery d SET attempts = attempts + 1, next_try_at = %(lease_until)s
    FROM due WHERE d.delivery_id = due.delivery_id
    RETURNING d.delivery_id, d.message_id, d.channel, d.attempts)
SELECT t.delivery_id, t.attempts, a.email, c.phone, f.code, f.name_zh, f.name_en, m.template,
    m.names, m.sent_at, a.disabled_at IS NOT NULL,
    CASE WHEN t.channel = 'email' AND c.wants_digest THEN m.account_id END
FROM taken t
JOIN pool.message m USING (message_id)
JOIN registry.factory f USING (factory_id)
JOIN auth.account a USING (account_id)
LEFT JOIN auth.contact c USING (account_id)
ORDER BY t.delivery_id;

-- name: end_delivery
-- Says what became of one.
UPDATE pool.delivery SET state = %(state)s, error = %(error)s, next_try_at = %(next_try_at)s,
    ended_at = CASE WHEN %(state)s = 'queued' THEN NULL ELSE %(at)s::timestamptz END
WHERE delivery_id = %(delivery_id)s;

-- name: list_deliveries
-- What waits or failed, newest first; addresses are masked.
SELECT d.delivery_id, d.channel, d.state, d.attempts, d.next_try_at, d.error, d.ended_at, a.login,
    CASE d.channel
        WHEN 'email' THEN regexp_replace(a.email, '^(.).*(@.*)$', '\1***\2')
        ELSE regexp_replace(c.phone, '^(.*)(..)$', '***\2') END,
    m.template
FROM pool.delivery d
JOIN pool.message m USING (message_id)
JOIN auth.account a USING (account_id)
LEFT JOIN auth.contact c USING (account_id)
WHERE d.state = ANY (%(states)s)
ORDER BY d.delivery_id DESC
LIMIT %(most)s;

-- name: retry_deliveries
-- Gives what failed another round of tries.
UPDATE pool.delivery SET state = 'queued', attempts = 0, next_try_at = %(at)s, ended_at = NULL
WHERE state = 'failed';
