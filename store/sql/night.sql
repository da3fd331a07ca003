-- name: night_members
-- The stays that run, behind a factory's number: what the rules see of each, and when what the
-- machine warned of was last dealt with by a rectification or a review that was passed.
SELECT m.membership_id, m.factory_id, f.code, m.state, m.version, m.stage, m.entered_on,
    m.reviewed_on, m.deadline,
    (SELECT max(t.at) FROM pool.transition t
     WHERE t.membership_id = m.membership_id AND t.transition_id = ANY (%(handling)s)
       AND t.at <= %(now)s)
FROM pool.membership m
JOIN registry.factory f USING (factory_id)
WHERE m.left_on IS NULL AND m.factory_id > %(after)s
  AND (%(factories)s::int[] IS NULL OR m.factory_id = ANY (%(factories)s))
ORDER BY m.factory_id
LIMIT %(most)s;

-- name: night_days
-- Seconds that the assets of each factory were heard of, by local day of a window. Assets that
-- nothing is collected of, or of which only the link is, are left out.
SELECT a.factory_id, h.day, sum(h.known_s)
FROM registry.asset a
JOIN registry.factory f USING (factory_id)
CROSS JOIN LATERAL (
    SELECT (x.hour AT TIME ZONE f.timezone)::date AS day, sum(x.known_s) AS known_s
    FROM kpi.fact_hour x
    WHERE x.asset_id = a.asset_id
      AND x.hour >= %(first)s::timestamp AT TIME ZONE f.timezone
      AND x.hour < %(end)s::timestamp AT TIME ZONE f.timezone
    GROUP BY 1) h
WHERE a.factory_id = ANY (%(factories)s) AND EXISTS (
    SELECT FROM registry.tag t
    WHERE t.asset_id = a.asset_id AND t.role NOT IN ('link', 'process'))
GROUP BY 1, 2
ORDER BY 1, 2;

-- name: night_assets
-- How many assets of each factory something is collected of.
SELECT a.factory_id, count(*)
FROM registry.asset a
WHERE a.factory_id = ANY (%(factories)s) AND EXISTS (
    SELECT FROM registry.tag t
    WHERE t.asset_id = a.asset_id AND t.role NOT IN ('link', 'process'))
GROUP BY 1;

-- name: night_gateways
-- The newest batch of each gateway that may send, up to a time.
SELECT g.factory_id, g.code, b.batch_id, b.seq, b.received_at,
    (b.received_at AT TIME ZONE f.timezone)::date
FROM registry.gateway g
JOIN registry.factory f USING (factory_id)
CROSS JOIN LATERAL (
    SELECT batch_id, seq, received_at FROM telemetry.batch
    WHERE gateway_id = g.gateway_id AND received_at <= %(now)s
    ORDER BY seq DESC LIMIT 1) b
WHERE g.factory_id = ANY (%(factories)s) AND (g.revoked_at IS NULL OR g.revoked_at > %(now)s)
ORDER BY 1, 2;

-- name: night_notices
-- Stops of whole factories that people gave notice of: first and last local day, the day on which
-- the notice was given, and where it stands. A stop that was reported ends with its resumption.
SELECT p.factory_id, (p.starts_at AT TIME ZONE f.timezone)::date,
    ((p.ends_at - INTERVAL '1 microsecond') AT TIME ZONE f.timezone)::date,
    (p.filed_at AT TIME ZONE f.timezone)::date, 'planned_stop ' || p.planned_stop_id
FROM registry.planned_stop p
JOIN registry.factory f USING (factory_id)
WHERE p.factory_id = ANY (%(factories)s) AND p.asset_id IS NULL AND p.filed_at <= %(now)s
UNION ALL
SELECT i.factory_id, i.happened_on, coalesce(r.happened_on - 1, DATE '9999-12-31'),
    (i.at AT TIME ZONE f.timezone)::date, 'evidence ' || i.item_id
FROM pool.evidence_item i
JOIN registry.factory f USING (factory_id)
LEFT JOIN LATERAL (
    SELECT happened_on FROM pool.evidence_item n
    WHERE n.membership_id = i.membership_id AND n.kind = 'resumption' AND n.item_id > i.item_id
      AND n.at <= %(now)s
      AND NOT EXISTS (SELECT FROM pool.evidence_item w WHERE w.withdraws = n.item_id)
    ORDER BY n.item_id LIMIT 1) r ON true
WHERE i.factory_id = ANY (%(factories)s) AND i.kind = 'change_report' AND i.withdraws IS NULL
  AND i.at <= %(now)s AND NOT EXISTS (SELECT FROM pool.evidence_item w WHERE w.withdraws = i.item_id)
ORDER BY 1, 2;

-- name: night_quarters
-- Verdicts on the rolling years that end with a quarter of a window of days, oldest first.
SELECT v.factory_id, v.kpi, v.period_end, v.figure_id, v.fulfilment_verdict, v.before_value, g.point
FROM kpi.verdict v
JOIN kpi.figure g USING (figure_id)
WHERE v.factory_id = ANY (%(factories)s)
  AND v.period_end > %(first)s AND v.period_end <= %(last)s
  AND extract(month FROM v.period_end) IN (1, 4, 7, 10)
ORDER BY 1, 2, 3;

-- name: night_reports
-- The newest judged self-report of each KPI.
SELECT DISTINCT ON (v.factory_id, v.kpi) v.factory_id, v.kpi, v.period_start, v.period_end,
    v.figure_id, v.consistency_verdict, v.reported_value, g.point, v.deviation, s.reported_at,
    (s.reported_at AT TIME ZONE f.timezone)::date
FROM kpi.verdict v
JOIN kpi.figure g USING (figure_id)
JOIN registry.factory f ON f.factory_id = v.factory_id
JOIN pool.self_report s ON s.factory_id = v.factory_id AND s.kpi = v.kpi
    AND s.period_start = v.period_start AND s.period_end = v.period_end
WHERE v.factory_id = ANY (%(factories)s) AND v.reported_value IS NOT NULL
  AND v.period_end <= %(last)s AND s.reported_at <= %(now)s
ORDER BY v.factory_id, v.kpi, v.period_start DESC;

-- name: night_findings
-- Failed checks of some rules that stand, by factory and rule; of their numbers the first few.
SELECT n.factory_id, n.rule, count(*), (array_agg(n.finding_id ORDER BY n.finding_id))[1:20],
    min(n.period_start), max(n.period_end), min(n.found_at)
FROM kpi.finding n
JOIN pool.membership m ON m.factory_id = n.factory_id AND m.left_on IS NULL
WHERE n.factory_id = ANY (%(factories)s) AND n.rule = ANY (%(rules)s) AND n.severity = 'fail'
  AND n.cleared_at IS NULL AND n.found_at <= %(now)s AND n.period_end > m.entered_on
  AND NOT EXISTS (
      SELECT FROM pool.transition t
      WHERE t.membership_id = m.membership_id AND t.transition_id = ANY (%(handling)s)
        AND t.at > n.found_at AND t.at <= %(now)s)
GROUP BY 1, 2
ORDER BY 1, 2;

-- name: night_accidents
-- Accidents of the stay that runs: on record and not withdrawn, or reported by the enterprise.
SELECT i.factory_id, 'evidence ' || i.item_id, i.happened_on, i.at
FROM pool.evidence_item i
JOIN pool.membership m USING (membership_id)
WHERE i.factory_id = ANY (%(factories)s) AND m.left_on IS NULL AND i.kind = 'accident'
  AND i.at <= %(now)s
  AND NOT EXISTS (SELECT FROM pool.evidence_item w WHERE w.withdraws = i.item_id)
UNION ALL
SELECT r.factory_id, 'report ' || r.report_id, r.period_start, r.submitted_at
FROM pool.report r
JOIN pool.membership m USING (membership_id)
WHERE r.factory_id = ANY (%(factories)s) AND m.left_on IS NULL AND r.kind = 'ACC'
  AND r.submitted_at <= %(now)s
ORDER BY 1, 2;

-- name: night_late
-- Reports of the stay that runs that were due before a day and are not with the county.
SELECT r.factory_id, r.report_id, r.kind, r.period_start, r.period_end, r.due_on
FROM pool.report r
JOIN pool.membership m USING (membership_id)
WHERE r.factory_id = ANY (%(factories)s) AND m.left_on IS NULL AND r.submitted_at IS NULL
  AND r.due_on < %(end)s AND r.opened_at <= %(now)s
ORDER BY 1, 2;

-- name: night_open
-- Warnings and proposals that are open; a proposal has steps.
SELECT factory_id, rule, subject, NULL::text[] FROM pool.warning
WHERE factory_id = ANY (%(factories)s) AND cleared_at IS NULL
UNION ALL
SELECT factory_id, rule, subject, steps FROM pool.proposal
WHERE factory_id = ANY (%(factories)s) AND ended_at IS NULL
ORDER BY 1, 2, 3;

-- name: left_with_open
-- Factories that left the pool while something of the machine's was open.
SELECT DISTINCT o.factory_id
FROM (SELECT factory_id FROM pool.warning WHERE cleared_at IS NULL
      UNION SELECT factory_id FROM pool.proposal WHERE ended_at IS NULL) o
WHERE NOT EXISTS (
    SELECT FROM pool.membership m WHERE m.factory_id = o.factory_id AND m.left_on IS NULL)
ORDER BY 1;

-- name: try_lock_night
-- One night's run at a time; the lock ends with the connection or its release.
SELECT pg_try_advisory_lock(1296649296);

-- name: unlock_night
-- The night's run has ended.
SELECT pg_advisory_unlock(1296649296);
