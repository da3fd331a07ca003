-- name: newest_figures
-- The newest revisions of some KPIs of the periods of one kind that begin on some days, each by one
-- step into the index: a range over all periods of a factory would grow with its history.
SELECT f.figure_id, f.factory_id, f.kpi, f.period_kind, f.period_start, f.period_end, f.revision,
    f.unit, f.point, f.low, f.high, f.coverage, f.grade, f.reason, f.method_version,
    f.coefficient_version, f.inputs, f.inputs_sha256, f.computed_at
FROM unnest(%(kpis)s::text[]) AS k (kpi)
CROSS JOIN unnest(%(starts)s::date[]) AS s (start)
CROSS JOIN LATERAL (
    SELECT g.* FROM kpi.figure g
    WHERE g.factory_id = %(factory_id)s AND g.kpi = k.kpi AND g.period_kind = %(period_kind)s
      AND g.period_start = s.start
    ORDER BY g.revision DESC LIMIT 1) f
ORDER BY f.kpi, f.period_start;

-- name: figures_of_periods
-- The newest revisions of all figures of the periods of one kind that begin on some days.
SELECT DISTINCT ON (f.kpi, f.period_start)
    f.figure_id, f.factory_id, f.kpi, f.period_kind, f.period_start, f.period_end, f.revision,
    f.unit, f.point, f.low, f.high, f.coverage, f.grade, f.reason, f.method_version,
    f.coefficient_version, f.inputs, f.inputs_sha256, f.computed_at
FROM unnest(%(starts)s::date[]) AS s (start)
CROSS JOIN LATERAL (
    SELECT g.* FROM kpi.figure g
    WHERE g.factory_id = %(factory_id)s AND g.period_kind = %(period_kind)s
      AND g.period_start = s.start
    OFFSET 0) f
ORDER BY f.kpi, f.period_start, f.revision DESC;

-- name: verdicts_of_years
-- The verdicts on some KPIs of the rolling years that begin on some days.
SELECT v.factory_id, v.kpi, v.period_start, v.period_end, v.figure_id, v.before_value,
    v.before_basis, v.expected_value, v.reported_value, v.fulfilment, v.fulfilment_low,
    v.fulfilment_high, v.fulfilment_verdict, v.deviation, v.consistency_verdict, v.policy_version,
    v.reasons, v.decided_at
FROM unnest(%(kpis)s::text[]) AS k (kpi)
CROSS JOIN unnest(%(starts)s::date[]) AS s (start)
CROSS JOIN LATERAL (
    SELECT w.* FROM kpi.verdict w
    WHERE w.factory_id = %(factory_id)s AND w.kpi = k.kpi AND w.period_start = s.start
    LIMIT 1) v;

-- name: reports_of_years
-- What a factory reported of some KPIs for periods that begin on some days.
SELECT r.kpi, r.period_start, r.period_end, r.value, r.reported_at
FROM unnest(%(kpis)s::text[]) AS k (kpi)
CROSS JOIN unnest(%(starts)s::date[]) AS s (start)
CROSS JOIN LATERAL (
    SELECT p.* FROM pool.self_report p
    WHERE p.factory_id = %(factory_id)s AND p.kpi = k.kpi AND p.period_start = s.start
    OFFSET 0) r
ORDER BY r.kpi, r.period_start;

-- name: kpis_with_promise
-- The KPIs of which the verdicts of a factory name a promise.
SELECT DISTINCT kpi FROM kpi.verdict
WHERE factory_id = %(factory_id)s AND expected_value IS NOT NULL;

-- name: has_other_policy
-- Whether a verdict of a factory was given by another policy. Policies are dated, so that one can
-- only be older or newer: two steps into the index.
SELECT EXISTS (
    SELECT FROM kpi.verdict WHERE factory_id = %(factory_id)s AND policy_version < %(version)s)
  OR EXISTS (
    SELECT FROM kpi.verdict WHERE factory_id = %(factory_id)s AND policy_version > %(version)s);

-- name: mark_verdicts
-- Has the verdicts of a factory given again though no figure changed.
INSERT INTO kpi.verdict_mark (factory_id) VALUES (%(factory_id)s);

-- name: take_verdict_marks
-- Takes the marks of a factory's verdicts.
DELETE FROM kpi.verdict_mark WHERE factory_id = %(factory_id)s RETURNING mark_id;
