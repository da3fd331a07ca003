-- name: insert_session
-- Begins a session; of its secret only the hash is kept.
INSERT INTO auth.session (key_sha256, account_id, stage, idle_s, expires_at, address)
VALUES (%(key)s, %(account_id)s, %(stage)s, %(idle_s)s,
    clock_timestamp() + make_interval(secs => %(longest_s)s), %(address)s);

-- name: end_sessions
-- Ends sessions: that of a key, or those of an account but one.
UPDATE auth.session SET ended_at = clock_timestamp(), ended_why = %(why)s
WHERE ended_at IS NULL
  AND (key_sha256 = %(key)s OR account_id = %(account_id)s::int AND key_sha256 <> coalesce(%(but)s, ''));

-- name: find_session
-- Whose session a key is, how far it has come, and whether it is to be noted as used.
SELECT a.account_id, a.login, a.name, a.role, a.region_code, s.stage, NULL::text[],
    s.seen_at < clock_timestamp() - make_interval(secs => %(notice_s)s)
FROM auth.session s
JOIN auth.account a USING (account_id)
WHERE s.key_sha256 = %(key)s AND s.ended_at IS NULL AND clock_timestamp() < s.expires_at
  AND clock_timestamp() < s.seen_at + make_interval(secs => s.idle_s) AND a.disabled_at IS NULL;

-- name: touch_session
-- A session is used: its idle time begins anew.
UPDATE auth.session SET seen_at = clock_timestamp() WHERE key_sha256 = %(key)s AND ended_at IS NULL;

-- name: find_token
-- Whose token a key is and what it permits, and whether it is to be noted as used.
SELECT a.account_id, a.login, a.name, a.role, a.region_code, 'open', t.permissions,
    t.used_at IS NULL OR t.used_at < clock_timestamp() - make_interval(secs => %(notice_s)s)
FROM auth.token t
JOIN auth.account a USING (account_id)
WHERE t.key_sha256 = %(key)s AND t.ended_at IS NULL AND clock_timestamp() < t.expires_at
  AND a.disabled_at IS NULL;

-- name: touch_token
-- A token is used.
UPDATE auth.token SET used_at = clock_timestamp() WHERE key_sha256 = %(key)s;

-- name: insert_account_token
-- A token that permits a part of what its account may do; of its secret only the hash is kept.
INSERT INTO auth.token (key_sha256, account_id, name, permissions, made_by, expires_at)
VALUES (%(key)s, %(account_id)s, %(name)s, %(permissions)s, %(made_by)s,
    clock_timestamp() + make_interval(days => %(days)s::int))
RETURNING token_id;

-- name: list_account_tokens
-- The tokens of all accounts, or of one, newest first; those below a number.
SELECT t.token_id, t.account_id, a.login, t.name, t.permissions, t.made_at, t.made_by, t.expires_at,
    t.used_at, t.ended_at
FROM auth.token t
JOIN auth.account a USING (account_id)
WHERE (%(account_id)s::int IS NULL OR t.account_id = %(account_id)s)
  AND (%(before)s::int IS NULL OR t.token_id < %(before)s)
ORDER BY t.token_id DESC
LIMIT %(most)s::int;

-- name: end_account_token
-- Ends a token.
UPDATE auth.token SET ended_at = clock_timestamp()
WHERE token_id = %(token_id)s AND ended_at IS NULL
RETURNING account_id, name;

-- name: insert_provider_login
-- Remembers a log-in at the bureau's provider until it comes back.
INSERT INTO auth.provider_login (state_sha256, nonce, verifier, expires_at)
VALUES (%(state)s, %(nonce)s, %(verifier)s, clock_timestamp() + make_interval(secs => %(longest_s)s));

-- name: take_provider_login
-- What was remembered of a log-in that came back; it comes back once.
DELETE FROM auth.provider_login WHERE state_sha256 = %(state)s
RETURNING nonce, verifier, clock_timestamp() < expires_at;

-- name: forget_provider_logins
-- Log-ins that never came back.
DELETE FROM auth.provider_login WHERE expires_at < clock_timestamp();
