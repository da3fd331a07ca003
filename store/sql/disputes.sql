-- name: insert_dispute
-- A dispute about a figure; the step that raises it comes with it.
INSERT INTO pool.dispute (factory_id, figure_id, kpi, period_kind, period_start, period_end, state,
    version, claimed, raised_on, due_on, rerun_asked_at)
VALUES (%(factory_id)s, %(figure_id)s, %(kpi)s, %(period_kind)s, %(period_start)s, %(period_end)s,
    %(state)s, 1, %(claimed)s, %(raised_on)s, %(due_on)s, %(rerun_asked_at)s)
ON CONFLICT (factory_id, kpi, period_kind, period_start) WHERE closed_at IS NULL DO NOTHING
RETURNING dispute_id;

-- name: read_dispute
-- One dispute with the figure that it is about and the one of the re-run.
SELECT d.dispute_id, d.factory_id, f.code, f.name_zh, f.name_en, f.region_code, d.figure_id, d.kpi,
    d.period_kind, d.period_start, d.period_end, d.state, d.version, d.claimed, d.raised_on,
    d.due_on, d.rerun_asked_at, d.rerun_figure_id, d.rerun_at, d.rerun_failed_at, d.rerun_taken_at,
    d.rerun_error, d.assigned_id, d.closed_at, g.unit,
    g.figure_id, g.revision, g.point, g.low, g.high, g.coverage, g.grade, g.reason,
    g.method_version, g.computed_at,
    n.figure_id, n.revision, n.point, n.low, n.high, n.coverage, n.grade, n.reason,
    n.method_version, n.computed_at
FROM pool.dispute d
JOIN registry.factory f USING (factory_id)
JOIN kpi.figure g ON g.figure_id = d.figure_id
LEFT JOIN kpi.figure n ON n.figure_id = d.rerun_figure_id
WHERE d.dispute_id = %(dispute_id)s;

-- name: lock_dispute
-- Holds a dispute until the end of the transaction.
SELECT version FROM pool.dispute WHERE dispute_id = %(dispute_id)s FOR UPDATE;

-- name: list_disputes
-- Disputes in the scope, the newest first.
SELECT d.dispute_id, d.factory_id, f.code, f.name_zh, f.name_en, f.region_code, d.figure_id, d.kpi,
    d.period_kind, d.period_start, d.period_end, d.state, d.version, d.claimed, d.raised_on,
    d.due_on, d.rerun_asked_at, d.rerun_figure_id, d.rerun_at, d.rerun_failed_at, d.rerun_taken_at,
    d.rerun_error, d.assigned_id, d.closed_at, g.unit,
    g.figure_id, g.revision, g.point, g.low, g.high, g.coverage, g.grade, g.reason,
    g.method_version, g.computed_at,
    n.figure_id, n.revision, n.point, n.low, n.high, n.coverage, n.grade, n.reason,
    n.method_version, n.computed_at
FROM pool.dispute d
JOIN registry.factory f USING (factory_id)
JOIN kpi.figure g ON g.figure_id = d.figure_id
LEFT JOIN kpi.figure n ON n.figure_id = d.rerun_figure_id
WHERE (%(factory)s::text IS NULL OR f.code = %(factory)s)
  AND (%(state)s::text IS NULL OR d.state = %(state)s)
  AND (%(before)s::bigint IS NULL OR d.dispute_id < %(before)s)
ORDER BY d.dispute_id DESC
LIMIT %(most)s;

-- name: move_dispute
-- Brings a dispute to its next version; nothing where it has another one by now.
UPDATE pool.dispute
SET state = %(state)s, version = version + 1, rerun_asked_at = %(rerun_asked_at)s,
    assigned_id = %(assigned_id)s, closed_at = %(closed_at)s
WHERE dispute_id = %(dispute_id)s AND version = %(version)s
RETURNING version;

-- name: insert_dispute_step
-- Keeps a step of a dispute.
INSERT INTO pool.dispute_step (dispute_id, factory_id, version, step, from_state, to_state, at,
    account_id, actor, role, comment, data, file_sha256, policy_id)
VALUES (%(dispute_id)s, %(factory_id)s, %(version)s, %(step)s, %(from_state)s, %(to_state)s, %(at)s,
    %(account_id)s, %(actor)s, %(role)s, %(comment)s, %(data)s, %(file_sha256)s, %(policy_id)s);

-- name: dispute_steps
-- The steps of a dispute, oldest first.
SELECT version, step, from_state, to_state, at, account_id, actor, role, comment, data, file_sha256
FROM pool.dispute_step
WHERE dispute_id = %(dispute_id)s
ORDER BY version;

-- name: insert_settled
-- Says what counts as verified for the verdicts on a period, by which document.
INSERT INTO pool.settled_value (factory_id, kpi, period_start, period_end, value, low, high,
    document, dispute_id, account_id, actor, at)
VALUES (%(factory_id)s, %(kpi)s, %(period_start)s, %(period_end)s, %(value)s, %(low)s, %(high)s,
    %(document)s, %(dispute_id)s, %(account_id)s, %(actor)s, %(at)s);

-- name: judge_again
-- Has the verdicts of a factory given again after a decision.
SELECT pool.judge_again(%(dispute_id)s);

-- name: settled_of_years
-- What was settled of some KPIs for periods that begin on some days, the newest decision each.
SELECT DISTINCT ON (s.kpi, s.period_start, s.period_end)
    s.kpi, s.period_start, s.period_end, s.value, s.low, s.high, s.document, s.dispute_id,
    (SELECT m.file_sha256 FROM pool.dispute_step m
     WHERE m.dispute_id = s.dispute_id AND m.step = 'measure' ORDER BY m.version DESC LIMIT 1)
FROM pool.settled_value s
WHERE s.factory_id = %(factory_id)s AND s.kpi = ANY (%(kpis)s::text[])
  AND s.period_start = ANY (%(starts)s::date[])
ORDER BY s.kpi, s.period_start, s.period_end, s.dispute_id DESC;

-- name: list_verifiers
-- Who may be named to measure again.
SELECT account_id, name FROM pool.verifiers() ORDER BY name, account_id;

-- name: disputable_figures
-- The newest revisions of a factory's closed years, with when each was told to the enterprise.
SELECT f.figure_id, f.kpi, f.period_kind, f.period_start, f.period_end, f.unit, f.revision,
    f.point, coalesce(min(r.told_at), f.computed_at) AS told_at
FROM kpi.figure f
LEFT JOIN pool.report_figure r USING (figure_id)
WHERE f.factory_id = %(factory_id)s AND f.period_kind = 'rolling12' AND f.revision > 0
  AND NOT EXISTS (
    SELECT FROM kpi.figure n
    WHERE n.factory_id = f.factory_id AND n.kpi = f.kpi AND n.period_kind = f.period_kind
      AND n.period_start = f.period_start AND n.revision > f.revision)
GROUP BY f.figure_id
HAVING coalesce(min(r.told_at), f.computed_at) >= %(since)s
ORDER BY f.period_start DESC, f.kpi;

-- name: files_of_disputes
-- The names of the papers of a dispute, by hash.
SELECT DISTINCT f.sha256, f.name
FROM pool.dispute_step s
JOIN pool.file f ON f.factory_id = s.factory_id AND f.sha256 = s.file_sha256
WHERE s.dispute_id = %(dispute_id)s;

-- name: papers_of_factory
-- The newest files that people handed over for a factory as evidence.
SELECT f.sha256, f.name
FROM pool.file f
WHERE f.factory_id = %(factory_id)s AND (
    EXISTS (SELECT FROM pool.evidence_item i
            WHERE i.factory_id = f.factory_id AND i.file_sha256 = f.sha256)
    OR EXISTS (SELECT FROM pool.dispute_step s
               WHERE s.factory_id = f.factory_id AND s.file_sha256 = f.sha256))
ORDER BY f.at DESC, f.sha256
LIMIT 50;
