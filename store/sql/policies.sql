-- name: keep_policy
-- Keeps the values of a policy that something was decided under.
INSERT INTO pool.policy_version (policy_id, values)
VALUES (%(policy_id)s, %(values)s)
ON CONFLICT (policy_id) DO NOTHING;

-- name: policy_version
-- The values of a policy that something was decided under.
SELECT values FROM pool.policy_version WHERE policy_id = %(policy_id)s;

-- name: confirmed_values
-- Every value that was confirmed, in the order of the confirmations.
SELECT key, value, valid_from, source
FROM pool.policy_value
WHERE outcome = 'confirmed'
ORDER BY decided_at, value_id;

-- name: list_policy_values
-- What was ever proposed for one key or all, newest first.
SELECT value_id, key, value, valid_from, source, account_id, actor, proposed_at, outcome,
    decided_id, decided_by, decided_at, answer
FROM pool.policy_value
WHERE (%(subject)s::text IS NULL OR key = %(subject)s)
  AND (%(number)s::bigint IS NULL OR value_id = %(number)s)
  AND (%(before)s::bigint IS NULL OR value_id < %(before)s)
  AND (outcome IS NULL OR NOT %(waiting)s)
ORDER BY value_id DESC
LIMIT %(most)s;

-- name: propose_value
-- Proposes a value for a key.
INSERT INTO pool.policy_value (key, value, valid_from, source, account_id, actor, proposed_at)
VALUES (%(subject)s, %(value)s, %(valid_from)s, %(source)s, %(account_id)s, %(actor)s, %(at)s)
RETURNING value_id;

-- name: decide_value
-- Confirms, declines or withdraws a proposal that waits.
UPDATE pool.policy_value
SET outcome = %(outcome)s, decided_id = %(account_id)s, decided_by = %(actor)s,
    decided_at = %(at)s, answer = %(answer)s
WHERE value_id = %(number)s AND outcome IS NULL
RETURNING value_id;
