-- name: insert_account
-- One person in one role.
INSERT INTO auth.account (login, name, role, region_code, email, password_hash, password_at,
    must_change, provider_key, made_by)
VALUES (%(login)s, %(name)s, %(role)s, %(region_code)s, %(email)s, %(password_hash)s::text,
    CASE WHEN %(password_hash)s::text IS NULL THEN NULL ELSE clock_timestamp() END,
    %(must_change)s, %(provider_key)s, %(made_by)s)
ON CONFLICT DO NOTHING
RETURNING account_id;

-- name: list_accounts
-- Accounts in the order of their logins, those after one, or one alone.
SELECT a.account_id, a.login, a.name, a.role, a.region_code, a.email, a.password_hash IS NOT NULL,
    a.must_change, a.totp_since IS NOT NULL, a.provider_key IS NOT NULL, a.locked_until,
    a.disabled_at, a.made_at, a.made_by, a.version,
    ARRAY(SELECT f.code FROM auth.account_factory x JOIN registry.factory f USING (factory_id)
          WHERE x.account_id = a.account_id AND (x.until IS NULL OR clock_timestamp() < x.until)
          ORDER BY f.code)
FROM auth.account a
WHERE (%(account_id)s::int IS NULL OR a.account_id = %(account_id)s)
  AND (%(after)s::text IS NULL OR a.login > %(after)s)
ORDER BY a.login
LIMIT %(most)s::int;

-- name: assign_factory
-- Puts a factory into an account's scope, from now on and until a time, if any.
INSERT INTO auth.account_factory (account_id, factory_id, until)
SELECT %(account_id)s, factory_id, %(until)s FROM registry.factory WHERE code = %(factory)s
RETURNING factory_id;

-- name: end_assignments
-- Takes factories out of an account's scope: one, or all.
UPDATE auth.account_factory x SET until = clock_timestamp()
FROM registry.factory f
WHERE f.factory_id = x.factory_id AND x.account_id = %(account_id)s
  AND (x.until IS NULL OR clock_timestamp() < x.until)
  AND (%(factory)s::text IS NULL OR f.code = %(factory)s)
RETURNING f.code;

-- name: account_secrets
-- What a log-in is checked against, by login or number.
SELECT account_id, login, name, role, password_hash, password_at, must_change, totp_secret,
    totp_since IS NOT NULL, disabled_at IS NOT NULL,
    coalesce(clock_timestamp() < locked_until, false),
    ARRAY(SELECT e.name_zh FROM auth.account_factory x JOIN registry.factory f USING (factory_id)
          JOIN registry.enterprise e USING (enterprise_id) WHERE x.account_id = a.account_id)
FROM auth.account a
WHERE login = %(login)s OR account_id = %(account_id)s::int;

-- name: account_by_provider
-- Who a person of the bureau's provider is here.
SELECT account_id FROM auth.account WHERE provider_key = %(provider_key)s AND disabled_at IS NULL;

-- name: count_failure
-- A wrong password or code; the last that is allowed locks the account for a while.
UPDATE auth.account
SET failures = CASE WHEN failures + 1 < %(most)s THEN failures + 1 ELSE 0 END,
    locked_until = CASE WHEN failures + 1 < %(most)s THEN locked_until
        ELSE clock_timestamp() + make_interval(secs => %(lock_s)s) END
WHERE account_id = %(account_id)s
RETURNING failures = 0;

-- name: forget_failures
-- A log-in that succeeded ends the count of failures.
UPDATE auth.account SET failures = 0, locked_until = NULL
WHERE account_id = %(account_id)s AND (failures > 0 OR locked_until IS NOT NULL);

-- name: count_address_failure
-- A wrong password or code from an address; failures count together while each follows another.
INSERT INTO auth.address AS a (address, failures, failed_at)
VALUES (%(address)s, 1, clock_timestamp())
ON CONFLICT (address) DO UPDATE
SET failures = CASE WHEN a.failed_at < clock_timestamp() - make_interval(secs => %(lock_s)s) THEN 1
        WHEN a.failures + 1 < %(most)s THEN a.failures + 1 ELSE 0 END,
    failed_at = clock_timestamp(),
    locked_until = CASE WHEN a.failures + 1 >= %(most)s
        AND a.failed_at >= clock_timestamp() - make_interval(secs => %(lock_s)s)
        THEN clock_timestamp() + make_interval(secs => %(lock_s)s) ELSE a.locked_until END;

-- name: forget_old_addresses
-- Addresses without a failure for a day.
DELETE FROM auth.address WHERE failed_at < clock_timestamp() - INTERVAL '1 day';

-- name: forget_address
-- A log-in that succeeded ends the count of its address.
DELETE FROM auth.address WHERE address = %(address)s;

-- name: address_is_locked
-- Whether too many failures came from an address.
SELECT EXISTS (SELECT FROM auth.address WHERE address = %(address)s AND clock_timestamp() < locked_until);

-- name: set_password
-- A new password; must_change is true where somebody else chose it.
UPDATE auth.account
SET password_hash = %(password_hash)s, password_at = clock_timestamp(), must_change = %(must_change)s,
    failures = 0, locked_until = NULL, version = version + 1
WHERE account_id = %(account_id)s
RETURNING login;

-- name: keep_past_password
-- The password that is replaced, so that it does not come back at once.
INSERT INTO auth.password_past (account_id, password_hash)
SELECT account_id, password_hash FROM auth.account
WHERE account_id = %(account_id)s AND password_hash IS NOT NULL;

-- name: past_passwords
-- The newest of a person's earlier passwords.
SELECT password_hash FROM auth.password_past
WHERE account_id = %(account_id)s
ORDER BY ended_at DESC
LIMIT %(most)s;

-- name: set_totp_secret
-- A secret that does not count until a code of it was shown.
UPDATE auth.account SET totp_secret = %(secret)s, totp_since = NULL, totp_step = 0,
    version = version + 1
WHERE account_id = %(account_id)s;

-- name: take_totp_step
-- Spends a time step; nothing where that one or a later one was spent.
UPDATE auth.account SET totp_step = %(step)s, totp_since = coalesce(totp_since, clock_timestamp())
WHERE account_id = %(account_id)s AND totp_secret IS NOT NULL AND totp_step < %(step)s
RETURNING account_id;

-- name: delete_recovery_codes
-- Makes a person's recovery codes worthless.
DELETE FROM auth.recovery_code WHERE account_id = %(account_id)s;

-- name: insert_recovery_code
-- Keeps the hash of a code that opens once.
INSERT INTO auth.recovery_code (account_id, code_sha256) VALUES (%(account_id)s, %(code_sha256)s);

-- name: spend_recovery_code
-- Spends a recovery code; nothing where there is no such code or it was spent.
UPDATE auth.recovery_code SET used_at = clock_timestamp()
WHERE account_id = %(account_id)s AND code_sha256 = %(code_sha256)s AND used_at IS NULL
RETURNING account_id;

-- name: disable_account
-- Shuts an account, or opens it again.
UPDATE auth.account
SET disabled_at = CASE WHEN %(disabled)s THEN coalesce(disabled_at, clock_timestamp()) END,
    version = version + 1
WHERE account_id = %(account_id)s AND version = %(version)s
RETURNING account_id;
