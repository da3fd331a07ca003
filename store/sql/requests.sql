-- name: open_request
-- The request of a stay that waits for its confirmation.
SELECT request_id, transition_id, version, account_id, actor, role, comment, at
FROM pool.request
WHERE membership_id = %(membership_id)s AND outcome IS NULL;

-- name: insert_request
-- Asks for a step that a second person confirms.
INSERT INTO pool.request (membership_id, factory_id, transition_id, version, account_id, actor,
    role, comment, at)
VALUES (%(membership_id)s, %(factory_id)s, %(transition_id)s, %(version)s, %(account_id)s,
    %(actor)s, %(role)s, %(comment)s, %(at)s)
RETURNING request_id;

-- name: decide_request
-- Ends the request of a stay that waits.
UPDATE pool.request
SET outcome = %(outcome)s, decided_id = %(account_id)s, decided_by = %(actor)s,
    decided_at = %(at)s, answer = %(answer)s
WHERE membership_id = %(membership_id)s AND outcome IS NULL
RETURNING request_id;
