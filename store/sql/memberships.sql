-- name: newest_membership
-- The stay of a factory in the pool that runs, else the last one.
SELECT m.membership_id, m.factory_id, f.code, f.name_zh, f.name_en, f.region_code, m.state,
    m.version, m.stage, m.since, m.entered_on, m.deadline, m.deadline_estimated, m.extensions,
    m.reviewed_on, m.left_on, m.lifecycle_id
FROM pool.membership m
JOIN registry.factory f USING (factory_id)
WHERE m.factory_id = %(factory_id)s
ORDER BY m.membership_id DESC
LIMIT 1;

-- name: lock_membership
-- Holds the stay that runs until the end of the transaction; whoever may not move it finds none.
SELECT version FROM pool.membership
WHERE membership_id = %(membership_id)s AND left_on IS NULL
FOR UPDATE;

-- name: list_memberships
-- The newest stay of each factory in the scope, by the factory's code.
SELECT m.membership_id, m.factory_id, f.code, f.name_zh, f.name_en, f.region_code, m.state,
    m.version, m.stage, m.since, m.entered_on, m.deadline, m.deadline_estimated, m.extensions,
    m.reviewed_on, m.left_on, m.lifecycle_id
FROM registry.factory f
JOIN LATERAL (
    SELECT * FROM pool.membership n
    WHERE n.factory_id = f.factory_id
    ORDER BY n.membership_id DESC LIMIT 1) m ON true
WHERE f.code > %(after)s
  AND (%(state)s::text IS NULL OR m.state = %(state)s)
  AND (%(region)s::text IS NULL OR f.region_code = %(region)s)
  AND (%(due_by)s::date IS NULL OR m.deadline <= %(due_by)s)
ORDER BY f.code
LIMIT %(most)s;

-- name: insert_membership
-- A factory enters the pool.
INSERT INTO pool.membership (factory_id, state, version, stage, since, entered_on, lifecycle_id)
VALUES (%(factory_id)s, %(state)s, 1, 1, %(at)s, %(entered_on)s, %(lifecycle_id)s)
RETURNING membership_id;

-- name: move_membership
-- Brings a stay to its next version; nothing where it has another version by now.
UPDATE pool.membership
SET state = %(state)s, version = version + 1, stage = %(stage)s, since = %(since)s,
    deadline = %(deadline)s, deadline_estimated = %(deadline_estimated)s,
    extensions = %(extensions)s, reviewed_on = %(reviewed_on)s, left_on = %(left_on)s,
    lifecycle_id = %(lifecycle_id)s
WHERE membership_id = %(membership_id)s AND version = %(version)s AND left_on IS NULL
RETURNING version;

-- name: correct_entry
-- Sets the day of entry right.
UPDATE pool.membership SET entered_on = %(entered_on)s WHERE membership_id = %(membership_id)s;

-- name: insert_transition
-- Keeps a step with all that it was decided under.
INSERT INTO pool.transition (membership_id, factory_id, version, transition_id, from_state,
    to_state, at, account_id, actor, role, comment, request_id, deadline, lifecycle_id, policy_id,
    situation, documents)
VALUES (%(membership_id)s, %(factory_id)s, %(version)s, %(transition_id)s, %(from_state)s,
    %(to_state)s, %(at)s, %(account_id)s, %(actor)s, %(role)s, %(comment)s, %(request_id)s,
    %(deadline)s, %(lifecycle_id)s, %(policy_id)s, %(situation)s, %(documents)s);

-- name: list_transitions
-- The steps of a stay, oldest first.
SELECT version, transition_id, from_state, to_state, at, account_id, actor, role, comment,
    deadline, lifecycle_id, policy_id, situation, documents
FROM pool.transition
WHERE membership_id = %(membership_id)s
ORDER BY version;

-- name: step_versions
-- The number of each step of a stay, by which documents name it, with the version it led to.
SELECT transition_no, version FROM pool.transition WHERE membership_id = %(membership_id)s;

-- name: open_warnings
-- The warnings of a factory that were not cleared.
SELECT rule, since, subject, numbers
FROM pool.warning
WHERE factory_id = %(factory_id)s AND cleared_at IS NULL
ORDER BY since, rule, subject;

-- name: verdict_words
-- Both verdicts on each KPI of the newest rolling year that a factory was judged on.
SELECT kpi, fulfilment_verdict, consistency_verdict
FROM kpi.verdict
WHERE factory_id = %(factory_id)s
  AND period_start = (
      SELECT max(period_start) FROM kpi.verdict WHERE factory_id = %(factory_id)s)
ORDER BY kpi;

-- name: last_heard
-- When data of a factory last arrived.
SELECT max(b.received_at)
FROM registry.gateway g
CROSS JOIN LATERAL (
    SELECT received_at FROM telemetry.batch
    WHERE gateway_id = g.gateway_id
    ORDER BY seq DESC LIMIT 1) b
WHERE g.factory_id = %(factory_id)s;
