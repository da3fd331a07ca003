-- name: latest_figures
-- The newest revision of each figure of a factory in a window of months.
SELECT DISTINCT ON (f.kpi, f.period_kind, f.period_start)
    f.figure_id, f.factory_id, f.kpi, f.period_kind, f.period_start, f.period_end, f.revision,
    f.unit, f.point, f.low, f.high, f.coverage, f.grade, f.reason, f.method_version,
    f.coefficient_version, f.inputs, f.inputs_sha256, f.computed_at
FROM kpi.figure f
WHERE f.factory_id = %(factory_id)s
  AND (%(kpi)s::text IS NULL OR f.kpi = %(kpi)s)
  AND (%(period_kind)s::text IS NULL OR f.period_kind = %(period_kind)s)
  AND (%(since)s::date IS NULL OR f.period_end > %(since)s)
  AND (%(until)s::date IS NULL OR f.period_start < %(until)s)
ORDER BY f.kpi, f.period_kind, f.period_start, f.revision DESC;

-- name: figure_revisions
-- All revisions of one figure, oldest first.
SELECT figure_id, factory_id, kpi, period_kind, period_start, period_end, revision, unit, point, low,
    high, coverage, grade, reason, method_version, coefficient_version, inputs, inputs_sha256,
    computed_at
FROM kpi.figure
WHERE factory_id = %(factory_id)s AND kpi = %(kpi)s AND period_kind = %(period_kind)s
  AND period_start = %(period_start)s
ORDER BY revision;

-- name: upsert_figure
-- Adds a revision; only revision 0, that of an open period, may be written again.
INSERT INTO kpi.figure (factory_id, kpi, period_kind, period_start, period_end, revision, unit,
    point, low, high, coverage, grade, reason, method_version, coefficient_version, inputs,
    inputs_sha256)
VALUES (%(factory_id)s, %(kpi)s, %(period_kind)s, %(period_start)s, %(period_end)s, %(revision)s,
    %(unit)s, %(point)s, %(low)s, %(high)s, %(coverage)s, %(grade)s, %(reason)s, %(method_version)s,
    %(coefficient_version)s, %(inputs)s, %(inputs_sha256)s)
ON CONFLICT (factory_id, kpi, period_kind, period_start, revision) DO UPDATE
SET period_end = excluded.period_end, point = excluded.point, low = excluded.low,
    high = excluded.high, coverage = excluded.coverage, grade = excluded.grade,
    reason = excluded.reason, method_version = excluded.method_version,
    coefficient_version = excluded.coefficient_version, inputs = excluded.inputs,
    inputs_sha256 = excluded.inputs_sha256, computed_at = clock_timestamp()
WHERE kpi.figure.revision = 0
RETURNING figure_id, computed_at;

-- name: due_months
-- The months whose figures are due though nothing new came: those that ended since the newest one
-- that is closed, else since the factory's first figure, and the running one where its figures do
-- not go up to a time. Months before the newest closed one have figures: they are formed in a row.
-- Each figure is one step into the index; a join would read all months of the factory.
SELECT m.month::date
FROM registry.factory f
CROSS JOIN LATERAL (
    SELECT coalesce(
        (SELECT g.period_start + INTERVAL '1 month' FROM kpi.figure g
         WHERE g.factory_id = f.factory_id AND g.kpi = %(kpi)s AND g.period_kind = 'month'
           AND g.revision > 0
         ORDER BY g.period_start DESC LIMIT 1),
        (SELECT min(g.period_start)::timestamp FROM kpi.figure g
         WHERE g.factory_id = f.factory_id AND g.kpi = %(kpi)s
           AND g.period_kind = 'month')) AS first) known
CROSS JOIN LATERAL (
    SELECT date_trunc('month', %(until)s::timestamptz AT TIME ZONE f.timezone) AS running) r
CROSS JOIN LATERAL generate_series(known.first, r.running, INTERVAL '1 month') AS m (month)
WHERE f.factory_id = %(factory_id)s
  AND NOT coalesce(
    (SELECT g.revision > 0
        OR m.month = r.running AND (g.inputs ->> 'until')::timestamptz >= %(until)s
     FROM kpi.figure g
     WHERE g.factory_id = f.factory_id AND g.kpi = %(kpi)s AND g.period_kind = 'month'
       AND g.period_start = m.month::date
     ORDER BY g.revision DESC LIMIT 1), false)
ORDER BY 1;

-- name: first_figure_month
-- The first month of which a factory has a figure of a KPI.
SELECT min(period_start) FROM kpi.figure
WHERE factory_id = %(factory_id)s AND kpi = %(kpi)s AND period_kind = 'month';

-- name: list_promises
-- What the application of a factory promised.
SELECT kpi, before_value, before_basis, expected_value
FROM pool.promise
WHERE factory_id = %(factory_id)s
ORDER BY kpi;

-- name: list_self_reports
-- What a factory reported.
SELECT kpi, period_start, period_end, value, reported_at
FROM pool.self_report
WHERE factory_id = %(factory_id)s
ORDER BY kpi, period_start;

-- name: get_verdict
-- The verdicts on one rolling year.
SELECT factory_id, kpi, period_start, period_end, figure_id, before_value, before_basis,
    expected_value, reported_value, fulfilment, fulfilment_low, fulfilment_high,
    fulfilment_verdict, deviation, consistency_verdict, policy_version, reasons, decided_at
FROM kpi.verdict
WHERE factory_id = %(factory_id)s AND kpi = %(kpi)s AND period_start = %(period_start)s;

-- name: upsert_verdict
-- Puts the verdicts on one rolling year in the place of earlier ones.
INSERT INTO kpi.verdict (factory_id, kpi, period_start, period_end, figure_id, before_value,
    before_basis, expected_value, reported_value, fulfilment, fulfilment_low, fulfilment_high,
    fulfilment_verdict, deviation, consistency_verdict, policy_version, reasons)
VALUES (%(factory_id)s, %(kpi)s, %(period_start)s, %(period_end)s, %(figure_id)s, %(before_value)s,
    %(before_basis)s, %(expected_value)s, %(reported_value)s, %(fulfilment)s, %(fulfilment_low)s,
    %(fulfilment_high)s, %(fulfilment_verdict)s, %(deviation)s, %(consistency_verdict)s,
    %(policy_version)s, %(reasons)s)
ON CONFLICT (factory_id, kpi, period_start) DO UPDATE
SET period_end = excluded.period_end, figure_id = excluded.figure_id,
    before_value = excluded.before_value, before_basis = excluded.before_basis,
    expected_value = excluded.expected_value, reported_value = excluded.reported_value,
    fulfilment = excluded.fulfilment, fulfilment_low = excluded.fulfilment_low,
    fulfilment_high = excluded.fulfilment_high,
    fulfilment_verdict = excluded.fulfilment_verdict, deviation = excluded.deviation,
    consistency_verdict = excluded.consistency_verdict, policy_version = excluded.policy_version,
    reasons = excluded.reasons, decided_at = clock_timestamp();

-- name: keep_past_verdict
-- Keeps the verdicts on one rolling year before later ones take their place.
INSERT INTO kpi.verdict_past (factory_id, kpi, period_start, period_end, figure_id, before_value,
    before_basis, expected_value, reported_value, fulfilment, fulfilment_low, fulfilment_high,
    fulfilment_verdict, deviation, consistency_verdict, policy_version, reasons, decided_at)
SELECT factory_id, kpi, period_start, period_end, figure_id, before_value,
    before_basis, expected_value, reported_value, fulfilment, fulfilment_low, fulfilment_high,
    fulfilment_verdict, deviation, consistency_verdict, policy_version, reasons, decided_at
FROM kpi.verdict
WHERE factory_id = %(factory_id)s AND kpi = %(kpi)s AND period_start = %(period_start)s;

-- name: past_verdicts
-- The verdicts on one rolling year that later ones took the place of, oldest first.
SELECT factory_id, kpi, period_start, period_end, figure_id, before_value,
    before_basis, expected_value, reported_value, fulfilment, fulfilment_low, fulfilment_high,
    fulfilment_verdict, deviation, consistency_verdict, policy_version, reasons, decided_at
FROM kpi.verdict_past
WHERE factory_id = %(factory_id)s AND kpi = %(kpi)s AND period_start = %(period_start)s
ORDER BY past_id;

-- name: list_verdicts
-- The verdicts of a factory on one rolling year, or on the newest one that was decided.
SELECT v.factory_id, v.kpi, v.period_start, v.period_end, v.figure_id, v.before_value,
    v.before_basis, v.expected_value, v.reported_value, v.fulfilment, v.fulfilment_low,
    v.fulfilment_high, v.fulfilment_verdict, v.deviation, v.consistency_verdict, v.policy_version,
    v.reasons, v.decided_at
FROM kpi.verdict v
WHERE v.factory_id = %(factory_id)s
  AND v.period_start = coalesce(%(period_start)s::date,
      (SELECT max(period_start) FROM kpi.verdict WHERE factory_id = %(factory_id)s))
ORDER BY v.kpi;

-- name: newest_verdicts
-- The newest verdicts of all factories.
SELECT DISTINCT ON (factory_id, kpi) factory_id, kpi, period_start, period_end, figure_id,
    before_value, before_basis, expected_value, reported_value, fulfilment, fulfilment_low,
    fulfilment_high, fulfilment_verdict, deviation, consistency_verdict, policy_version, reasons,
    decided_at
FROM kpi.verdict
ORDER BY factory_id, kpi, period_start DESC;

-- name: lock_factory
-- Figures and verdicts of a factory are compared with the stored ones by one worker at a time;
-- the job that formed them holds this lock already.
SELECT pg_advisory_xact_lock(1296649293, %(factory_id)s);

-- name: lock_follow_up
-- Changes are published one transaction at a time, so that a cursor never passes a later one.
SELECT pg_advisory_xact_lock(1296649294);

-- name: insert_follow_up
-- Publishes a change.
INSERT INTO pool.follow_up (factory_id, kpi, what, period_kind, period_start, period_end, before,
    after, figure_id)
VALUES (%(factory_id)s, %(kpi)s, %(what)s, %(period_kind)s, %(period_start)s, %(period_end)s,
    %(before)s, %(after)s, %(figure_id)s);
