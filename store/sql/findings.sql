-- name: copy_hour_facts
-- The hour facts of a factory by asset and hour; no value reads as NaN.
COPY (
    SELECT h.asset_id, h.hour, h.planned_s, h.planned_down_s, h.off_s, h.run_s, h.setup_s, h.stop_s,
        h.idle_s, h.unknown_s, h.known_s, h.uncounted_s,
        coalesce(h.total, 'NaN'), coalesce(h.good, 'NaN'), coalesce(h.reject, 'NaN'),
        coalesce(h.ideal_total_s, 'NaN'), coalesce(h.ideal_total_low_s, 'NaN'),
        coalesce(h.ideal_total_high_s, 'NaN'), coalesce(h.ideal_good_s, 'NaN'),
        coalesce(h.ideal_good_low_s, 'NaN'), coalesce(h.ideal_good_high_s, 'NaN'),
        coalesce(h.ideal_lost_s, 'NaN'), coalesce(h.ideal_lost_low_s, 'NaN'),
        coalesce(h.ideal_lost_high_s, 'NaN'),
        coalesce(h.energy, 'NaN'), coalesce(h.energy_low, 'NaN'), coalesce(h.energy_high, 'NaN'),
        h.run_doubt_s, h.rest_doubt_s, h.row_count, h.changes, h.flags
    FROM kpi.fact_hour h
    JOIN registry.asset a USING (asset_id)
    WHERE a.factory_id = %(factory_id)s AND h.hour >= %(start)s AND h.hour < %(end)s
    ORDER BY 1, 2
) TO STDOUT (FORMAT binary);

-- name: list_asset_limits
-- What a factory's plan says of nameplates and papers.
SELECT l.asset_id, l.idle_kw, l.working_kw, l.rated_kw, l.min_cycle_s, l.accuracy_class,
    l.calibrated_until, l.loss_share, l.retention_days
FROM registry.asset_limit l
JOIN registry.asset a USING (asset_id)
WHERE a.factory_id = %(factory_id)s
ORDER BY 1;

-- name: list_bills
-- A factory's bills of material.
SELECT product, material, per_unit FROM registry.bill
WHERE factory_id = %(factory_id)s
ORDER BY 1, 2;

-- name: delivered_batches
-- The batches of a factory that hold rows of a window.
SELECT g.code, b.seq, b.imported, b.row_count, b.first_ts, b.last_ts, b.received_at, b.clock_skew_s,
    b.collected_to
FROM telemetry.batch b
JOIN registry.gateway g USING (gateway_id)
WHERE g.factory_id = %(factory_id)s AND b.first_ts < %(end)s AND b.last_ts >= %(start)s
ORDER BY g.code, b.seq;

-- name: record_edits
-- The later versions of records of a window, with when each arrived; an import tells of no edit.
SELECT r.kind, r.key, r.version, r.at, b.received_at
FROM telemetry.record r
JOIN telemetry.batch b USING (batch_id)
WHERE r.factory_id = %(factory_id)s AND r.at >= %(start)s AND r.at < %(end)s AND r.version > 1
  AND NOT b.imported
ORDER BY r.kind, r.key, r.version;

-- name: baseline_sums
-- What each asset of a factory that was heard did in its baseline.
SELECT a.asset_id, a.in_oee, sum(h.planned_s), sum(h.planned_down_s), sum(h.known_s)
FROM kpi.fact_hour h
JOIN registry.asset a USING (asset_id)
WHERE a.factory_id = %(factory_id)s AND h.hour >= %(start)s AND h.hour < %(end)s
GROUP BY 1, 2
HAVING sum(h.known_s) > 0
ORDER BY 1;

-- name: mark_findings
-- Marks months to be checked.
INSERT INTO kpi.finding_mark (factory_id, month)
SELECT %(factory_id)s, unnest(%(months)s::date[]);

-- name: marked_findings
-- The months that are to be checked; what was looked at up to a time waits for the next hour.
SELECT DISTINCT m.factory_id, m.month
FROM kpi.finding_mark m
WHERE (%(factory_id)s::int IS NULL OR m.factory_id = %(factory_id)s)
  AND NOT EXISTS (
    SELECT FROM kpi.finding f
    WHERE f.factory_id = m.factory_id AND f.period_start = m.month AND f.cleared_at IS NULL
      AND f.checked_until >= %(until)s)
ORDER BY 2 DESC, 1;

-- name: take_findings_mark
-- Takes the marks of a month; those that another worker holds stay.
DELETE FROM kpi.finding_mark
WHERE mark_id IN (
    SELECT mark_id FROM kpi.finding_mark
    WHERE factory_id = %(factory_id)s AND month = %(month)s
    FOR UPDATE SKIP LOCKED)
RETURNING mark_id;

-- name: clear_findings
-- Clears what a check of a period did not find any more.
UPDATE kpi.finding SET cleared_at = clock_timestamp()
WHERE factory_id = %(factory_id)s AND period_start = %(period_start)s AND cleared_at IS NULL
  AND NOT rule || ' ' || severity || ' ' || subject = ANY (%(still)s);

-- name: upsert_finding
-- Stores a finding; one that was there keeps the time when it was found.
INSERT INTO kpi.finding (factory_id, period_start, period_end, rule, rule_version, severity, subject,
    asset_id, tag_id, measured, threshold, unit, message, shown, shown_count, checked_until)
VALUES (%(factory_id)s, %(period_start)s, %(period_end)s, %(rule)s, %(rule_version)s, %(severity)s,
    %(subject)s, %(asset_id)s, %(tag_id)s, %(measured)s, %(threshold)s, %(unit)s, %(message)s,
    %(shown)s, %(shown_count)s, %(checked_until)s)
ON CONFLICT (factory_id, period_start, rule, severity, subject) WHERE cleared_at IS NULL DO UPDATE
SET period_end = excluded.period_end, rule_version = excluded.rule_version,
    asset_id = excluded.asset_id, tag_id = excluded.tag_id, measured = excluded.measured,
    threshold = excluded.threshold, unit = excluded.unit, message = excluded.message,
    shown = excluded.shown, shown_count = excluded.shown_count, checked_until = excluded.checked_until,
    checked_at = clock_timestamp();

-- name: list_findings
-- The findings of a factory in some periods.
SELECT rule, rule_version, severity, subject, asset_id, tag_id, measured, threshold, unit, message,
    shown, shown_count, finding_id, period_start, period_end, found_at, cleared_at
FROM kpi.finding
WHERE factory_id = %(factory_id)s
  AND (%(since)s::date IS NULL OR period_end > %(since)s)
  AND (%(until)s::date IS NULL OR period_start < %(until)s)
  AND (%(month)s::date IS NULL OR period_start = %(month)s)
  AND (%(rule)s::text IS NULL OR rule = %(rule)s)
  AND (%(severity)s::text IS NULL OR severity = %(severity)s)
  AND (%(cleared)s OR cleared_at IS NULL)
ORDER BY period_start DESC, rule, subject, finding_id
LIMIT %(most)s;

-- name: asset_names
-- What the machines and meters of a factory are called, in both languages.
SELECT asset_id, name_zh, name_en FROM registry.asset
WHERE factory_id = %(factory_id)s
ORDER BY asset_id;

-- name: delete_limits
-- Empties what a factory's plan says of nameplates, papers and bills.
WITH a AS (DELETE FROM registry.bill WHERE factory_id = %(factory_id)s)
DELETE FROM registry.asset_limit l USING registry.asset s
WHERE s.asset_id = l.asset_id AND s.factory_id = %(factory_id)s;

-- name: insert_asset_limit
-- What the plan says of one asset's nameplate and papers.
INSERT INTO registry.asset_limit (asset_id, idle_kw, working_kw, rated_kw, min_cycle_s,
    accuracy_class, calibrated_until, loss_share, retention_days, address)
SELECT asset_id, %(idle_kw)s, %(working_kw)s, %(rated_kw)s, %(min_cycle_s)s, %(accuracy_class)s,
    %(calibrated_until)s::date, %(loss_share)s, %(retention_days)s, %(address)s
FROM registry.asset
WHERE factory_id = %(factory_id)s AND code = %(code)s;

-- name: insert_bill
-- How much of a material one unit of a product takes.
INSERT INTO registry.bill (factory_id, product, material, per_unit)
VALUES (%(factory_id)s, %(product)s, %(material)s, %(per_unit)s);

-- name: mark_checked_months
-- Marks the months of a factory that were checked, since its plan may say something else now.
INSERT INTO kpi.finding_mark (factory_id, month)
SELECT DISTINCT factory_id, period_start FROM kpi.finding WHERE factory_id = %(factory_id)s;
