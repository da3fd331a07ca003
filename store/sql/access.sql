-- name: void_codes
-- Makes the codes of a gateway worthless, those that were spent as well: they may be used again as
-- long as the gateway has not come with its token.
UPDATE registry.enrolment_code SET attempts_left = 0
WHERE gateway_code = %(gateway)s AND attempts_left > 0;

-- name: insert_enrolment_code
-- Keeps the hash of a code that enrols one gateway of one factory.
INSERT INTO registry.enrolment_code (factory_id, gateway_code, code_sha256, by_certificate,
    expires_at, attempts_left)
SELECT factory_id, %(gateway)s, %(code_sha256)s, %(by_certificate)s,
    clock_timestamp() + make_interval(hours => %(hours)s::int), %(attempts)s
FROM registry.factory
WHERE code = %(factory)s;

-- name: gateway_factory
-- The factory that a gateway is enrolled at.
SELECT f.code
FROM registry.gateway g
JOIN registry.factory f USING (factory_id)
WHERE g.code = %(gateway)s;

-- name: enrolment_code
-- The code of a gateway by its hash; the row lock lets one enrolment spend it.
SELECT c.enrolment_code_id, f.code, c.by_certificate, c.expires_at <= clock_timestamp(),
    c.attempts_left, c.used_key
FROM registry.enrolment_code c
JOIN registry.factory f USING (factory_id)
WHERE c.gateway_code = %(gateway)s AND c.code_sha256 = %(code_sha256)s
FOR UPDATE OF c;

-- name: spend_attempts
-- A wrong code costs every open code of the gateway an attempt.
UPDATE registry.enrolment_code SET attempts_left = attempts_left - 1
WHERE gateway_code = %(gateway)s AND used_key IS NULL AND attempts_left > 0;

-- name: spend_code
-- Notes which key a code was spent on.
UPDATE registry.enrolment_code SET used_key = %(public_key)s
WHERE enrolment_code_id = %(enrolment_code_id)s;

-- name: has_used_token
-- Whether a gateway has come with a token that still holds.
SELECT EXISTS (
    SELECT FROM registry.gateway_token t
    JOIN registry.gateway g USING (gateway_id)
    WHERE g.code = %(gateway)s AND t.used_at IS NOT NULL AND t.ended_at IS NULL);

-- name: end_tokens
-- Ends the tokens of a gateway; with unused_only those that it never came with.
UPDATE registry.gateway_token t SET ended_at = clock_timestamp()
FROM registry.gateway g
WHERE g.gateway_id = t.gateway_id AND g.code = %(gateway)s AND t.ended_at IS NULL
  AND (t.used_at IS NULL OR NOT %(unused_only)s);

-- name: end_certificates
-- Ends the certificates of a gateway.
UPDATE registry.gateway_certificate c SET ended_at = clock_timestamp()
FROM registry.gateway g
WHERE g.gateway_id = c.gateway_id AND g.code = %(gateway)s AND c.ended_at IS NULL;

-- name: insert_token
-- Keeps the hash of a gateway's token.
INSERT INTO registry.gateway_token (token_sha256, gateway_id)
SELECT %(token_sha256)s, gateway_id FROM registry.gateway WHERE code = %(gateway)s;

-- name: insert_certificate
-- Keeps the SHA-256 fingerprint of a gateway's certificate unless another gateway has it.
INSERT INTO registry.gateway_certificate (gateway_id, fingerprint)
SELECT gateway_id, %(fingerprint)s FROM registry.gateway WHERE code = %(gateway)s
ON CONFLICT (fingerprint) WHERE ended_at IS NULL DO NOTHING;

-- name: token_owner
-- Whose token this is, whether that gateway was revoked, and whether the token has ended or is new.
SELECT g.code, g.revoked_at IS NOT NULL, t.ended_at IS NOT NULL, t.used_at IS NULL
FROM registry.gateway_token t
JOIN registry.gateway g USING (gateway_id)
WHERE t.token_sha256 = %(token_sha256)s;

-- name: confirm_token
-- The first use of a token ends the others of its gateway.
WITH used AS (
    UPDATE registry.gateway_token SET used_at = clock_timestamp()
    WHERE token_sha256 = %(token_sha256)s AND used_at IS NULL
    RETURNING gateway_id
)
UPDATE registry.gateway_token t SET ended_at = clock_timestamp()
FROM used
WHERE t.gateway_id = used.gateway_id AND t.ended_at IS NULL AND t.token_sha256 <> %(token_sha256)s;

-- name: certificate_owner
-- Whose certificate this is, whether that gateway was revoked, and whether another took its place.
SELECT g.code, g.revoked_at IS NOT NULL, c.ended_at IS NOT NULL
FROM registry.gateway_certificate c
JOIN registry.gateway g USING (gateway_id)
WHERE c.fingerprint = %(fingerprint)s
ORDER BY c.ended_at DESC NULLS FIRST
LIMIT 1;

-- name: revoke_gateway
-- Shuts a gateway out until it is enrolled again.
UPDATE registry.gateway SET revoked_at = coalesce(revoked_at, clock_timestamp())
WHERE code = %(gateway)s
RETURNING gateway_id;

-- name: insert_gateway_event
-- Notes who let a gateway in or shut it out.
INSERT INTO registry.gateway_event (gateway_code, action, actor, detail)
VALUES (%(gateway)s, %(action)s, %(actor)s, %(detail)s);
