-- name: list_regions
-- The counties and zones, in the order of their codes.
SELECT code, name_zh, name_en FROM registry.region ORDER BY code;

-- name: pool_standings
-- Each factory with its newest verdicts, as arrays of one order, and when it was last heard of.
SELECT f.factory_id, f.code, f.name_zh, f.name_en, e.name_zh, e.name_en, f.region_code, r.name_zh,
    r.name_en, f.kind, f.timezone, f.baseline_from, f.baseline_to, f.renovated_on,
    heard.received_at, v.period_start, v.period_end,
    coalesce(v.kpis, '{}'), coalesce(v.fulfilments, '{}'), coalesce(v.fulfilment_verdicts, '{}'),
    coalesce(v.consistency_verdicts, '{}')
FROM registry.factory f
JOIN registry.enterprise e USING (enterprise_id)
JOIN registry.region r ON r.code = f.region_code
LEFT JOIN LATERAL (
    SELECT max(b.received_at) AS received_at
    FROM registry.gateway g
    CROSS JOIN LATERAL (
        SELECT received_at FROM telemetry.batch
        WHERE gateway_id = g.gateway_id
        ORDER BY seq DESC LIMIT 1) b
    WHERE g.factory_id = f.factory_id
) heard ON true
LEFT JOIN LATERAL (
    SELECT min(w.period_start) AS period_start, max(w.period_end) AS period_end,
        array_agg(w.kpi ORDER BY w.kpi) AS kpis,
        array_agg(w.fulfilment ORDER BY w.kpi) AS fulfilments,
        array_agg(w.fulfilment_verdict ORDER BY w.kpi) AS fulfilment_verdicts,
        array_agg(w.consistency_verdict ORDER BY w.kpi) AS consistency_verdicts
    FROM kpi.verdict w
    WHERE w.factory_id = f.factory_id
      AND w.period_start = (SELECT max(period_start) FROM kpi.verdict WHERE factory_id = f.factory_id)
      AND (w.expected_value IS NOT NULL OR w.reported_value IS NOT NULL)
) v ON true
WHERE (%(factory)s::text IS NULL OR f.code = %(factory)s)
  AND (%(region)s::text IS NULL OR f.region_code = %(region)s)
ORDER BY f.code;

-- name: rolling_years
-- The rolling years of which a factory has a figure or a verdict, newest first.
SELECT period_start, max(period_end)
FROM (
    SELECT period_start, period_end FROM kpi.verdict WHERE factory_id = %(factory_id)s
    UNION
    SELECT period_start, period_end FROM kpi.figure
    WHERE factory_id = %(factory_id)s AND period_kind = 'rolling12' AND revision > 0) y
GROUP BY period_start
ORDER BY period_start DESC
LIMIT %(most)s;

-- name: newest_decided_year
-- The newest rolling year that a factory was judged on.
SELECT period_start, max(period_end) FROM kpi.verdict
WHERE factory_id = %(factory_id)s
GROUP BY period_start
ORDER BY period_start DESC
LIMIT 1;

-- name: comparisons
-- What each KPI promised, what was reported and what was verified for one rolling year.
-- The figure is the one that was judged; before any judgement it is the newest revision.
SELECT k.kpi,
    CASE WHEN v.kpi IS NULL THEN p.before_value ELSE v.before_value END,
    CASE WHEN v.kpi IS NULL THEN p.before_basis ELSE v.before_basis END,
    CASE WHEN v.kpi IS NULL THEN p.expected_value ELSE v.expected_value END,
    CASE WHEN v.kpi IS NULL THEN s.value ELSE v.reported_value END,
    f.figure_id, f.point, f.low, f.high, f.coverage, f.grade, f.reason, f.revision,
    f.method_version, f.coefficient_version, f.computed_at, f.inputs -> 'key_equipment',
    v.fulfilment, v.fulfilment_low, v.fulfilment_high, v.fulfilment_verdict,
    v.deviation, v.consistency_verdict, v.decided_at, v.policy_version, v.reasons
FROM (
    SELECT kpi FROM pool.promise WHERE factory_id = %(factory_id)s
    UNION SELECT kpi FROM pool.self_report
    WHERE factory_id = %(factory_id)s AND period_start = %(period_start)s
    UNION SELECT kpi FROM kpi.figure
    WHERE factory_id = %(factory_id)s AND period_kind = 'rolling12'
      AND period_start = %(period_start)s
    UNION SELECT kpi FROM kpi.verdict
    WHERE factory_id = %(factory_id)s AND period_start = %(period_start)s) k
LEFT JOIN pool.promise p ON p.factory_id = %(factory_id)s AND p.kpi = k.kpi
LEFT JOIN pool.self_report s ON s.factory_id = %(factory_id)s AND s.kpi = k.kpi
    AND s.period_start = %(period_start)s AND s.period_end = %(period_end)s
LEFT JOIN kpi.verdict v ON v.factory_id = %(factory_id)s AND v.kpi = k.kpi
    AND v.period_start = %(period_start)s
LEFT JOIN kpi.figure f ON f.figure_id = coalesce(v.figure_id, (
    SELECT n.figure_id FROM kpi.figure n
    WHERE n.factory_id = %(factory_id)s AND n.kpi = k.kpi AND n.period_kind = 'rolling12'
      AND n.period_start = %(period_start)s
    ORDER BY n.revision DESC LIMIT 1))
ORDER BY k.kpi;

-- name: live_tags
-- The newest row of each tag, with its asset and, for a state, the word for its number.
SELECT t.name, a.code, a.name_zh, a.name_en, t.role, t.unit, t.heartbeat_s, r.ts, r.value,
    r.status, m.state
FROM registry.tag t
JOIN registry.asset a ON a.asset_id = t.asset_id
LEFT JOIN LATERAL (
    SELECT ts, value, status FROM scoped.newest_measurement
    WHERE tag_id = t.tag_id
    ORDER BY ts DESC LIMIT 1) r ON true
LEFT JOIN registry.state_map m ON m.factory_id = t.factory_id AND m.name = t.state_map
    AND m.raw = r.value
WHERE t.factory_id = %(factory_id)s
ORDER BY a.code, t.name
LIMIT %(most)s;

-- name: newest_changes
-- The newest changes of a factory that are news: verdicts, and figures that were revised.
SELECT u.cursor, %(factory)s::text, u.kpi, u.what, u.period_kind, u.period_start, u.period_end,
    u.before, u.after, u.figure_id, u.changed_at
FROM pool.follow_up u
WHERE u.factory_id = %(factory_id)s AND (u.what <> 'figure' OR u.before IS NOT NULL)
ORDER BY u.cursor DESC
LIMIT %(most)s;

-- name: ping
-- Answers when the database does.
SELECT 1;
