-- name: fire_warning
-- Keeps a warning with the numbers that fired it; nothing where the same is open.
INSERT INTO pool.warning (factory_id, rule, subject, since, numbers, policy_id, fired_at)
VALUES (%(factory_id)s, %(rule)s, %(subject)s, %(since)s, %(numbers)s, %(policy_id)s, %(at)s)
ON CONFLICT (factory_id, rule, subject) WHERE cleared_at IS NULL DO NOTHING
RETURNING warning_id;

-- name: clear_warning
-- Clears a warning by the numbers that say that its cause is gone.
UPDATE pool.warning SET cleared_at = %(at)s, cleared_by = %(numbers)s
WHERE factory_id = %(factory_id)s AND rule = %(rule)s AND subject = %(subject)s
  AND cleared_at IS NULL
RETURNING warning_id;

-- name: make_proposal
-- Proposes steps to people; nothing where the same is proposed.
INSERT INTO pool.proposal (factory_id, rule, subject, steps, since, numbers, policy_id, made_at)
VALUES (%(factory_id)s, %(rule)s, %(subject)s, %(steps)s, %(since)s, %(numbers)s, %(policy_id)s,
    %(at)s)
ON CONFLICT (factory_id, rule, subject) WHERE ended_at IS NULL DO NOTHING
RETURNING proposal_id;

-- name: end_proposal
-- Ends a proposal whose cause is gone.
UPDATE pool.proposal SET ended_at = %(at)s, ended_by = %(numbers)s
WHERE factory_id = %(factory_id)s AND rule = %(rule)s AND subject = %(subject)s
  AND ended_at IS NULL
RETURNING proposal_id;

-- name: list_warnings
-- The warnings of one factory or all in the scope, newest first.
SELECT w.warning_id, f.code, w.rule, w.subject, w.since, w.numbers, w.policy_id, w.fired_at,
    w.cleared_at, w.cleared_by
FROM pool.warning w
JOIN registry.factory f USING (factory_id)
WHERE (%(factory_id)s::int IS NULL OR w.factory_id = %(factory_id)s)
  AND (%(cleared)s OR w.cleared_at IS NULL)
ORDER BY w.warning_id DESC
LIMIT %(most)s;

-- name: find_warnings
-- Warnings in the scope with the names of factory and county, the oldest cause first.
SELECT w.warning_id, f.code, w.rule, w.subject, w.since, w.numbers, w.policy_id, w.fired_at,
    w.cleared_at, w.cleared_by, f.name_zh, f.name_en, r.name_zh, r.name_en
FROM pool.warning w
JOIN registry.factory f USING (factory_id)
JOIN registry.region r ON r.code = f.region_code
WHERE (%(factory)s::text IS NULL OR f.code = %(factory)s)
  AND (%(region)s::text IS NULL OR f.region_code = %(region)s)
  AND (%(rule)s::text IS NULL OR w.rule = %(rule)s)
  AND (%(open)s::boolean IS NULL OR (w.cleared_at IS NULL) = %(open)s)
  AND (%(after_id)s::bigint IS NULL
      OR (w.since, w.warning_id) > (%(after_since)s::date, %(after_id)s))
ORDER BY w.since, w.warning_id
LIMIT %(most)s;

-- name: count_open_warnings
-- How many warnings are open at a factory.
SELECT count(*) FROM pool.warning WHERE factory_id = %(factory_id)s AND cleared_at IS NULL;

-- name: list_proposals
-- What the machine proposed for one factory or all in the scope, newest first.
SELECT p.proposal_id, f.code, p.rule, p.subject, p.steps, p.since, p.numbers, p.policy_id,
    p.made_at, p.ended_at, p.ended_by
FROM pool.proposal p
JOIN registry.factory f USING (factory_id)
WHERE (%(factory_id)s::int IS NULL OR p.factory_id = %(factory_id)s)
  AND (%(ended)s OR p.ended_at IS NULL)
ORDER BY p.proposal_id DESC
LIMIT %(most)s;
