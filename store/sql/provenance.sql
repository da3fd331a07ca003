-- name: figure_by_id
-- One stored figure.
SELECT figure_id, factory_id, kpi, period_kind, period_start, period_end, revision, unit, point, low,
    high, coverage, grade, reason, method_version, coefficient_version, inputs, inputs_sha256,
    computed_at
FROM kpi.figure
WHERE figure_id = %(figure_id)s;

-- name: factory_code
-- The code of a factory.
SELECT code FROM registry.factory WHERE factory_id = %(factory_id)s;

-- name: provenance_ledger
-- A page of a factory's ledger, each batch with the hash of the one before it, in the order in which
-- they came: all of them, or some by their number.
SELECT b.batch_id, g.code, b.seq, b.config_version, b.imported, b.row_count, b.record_count,
    b.first_ts, b.last_ts, b.sha256, b.prev_sha256, b.signature, b.received_at, b.collected_from,
    b.collected_to, coalesce(a.row_count, 0), before.sha256
FROM telemetry.batch b
JOIN registry.gateway g USING (gateway_id)
LEFT JOIN telemetry.absorbed a USING (batch_id)
LEFT JOIN telemetry.batch before ON before.gateway_id = b.gateway_id AND before.seq = b.seq - 1
WHERE g.factory_id = %(factory_id)s
  AND (%(batch_ids)s::bigint[] IS NULL OR b.batch_id = ANY (%(batch_ids)s))
  AND b.batch_id > %(after)s
ORDER BY b.batch_id
LIMIT %(most)s;

-- name: count_batches
-- How many batches a factory has sent.
SELECT count(*) FROM telemetry.batch b JOIN registry.gateway g USING (gateway_id)
WHERE g.factory_id = %(factory_id)s;

-- name: gateway_keys
-- The keys of a factory's gateways: the one that holds, and when each was enrolled.
SELECT g.code, g.public_key, g.revoked_at, e.detail ->> 'public_key', e.actor, e.at
FROM registry.gateway g
LEFT JOIN registry.gateway_event e
    ON e.gateway_code = g.code AND e.action = 'enrolled' AND e.detail ? 'public_key'
WHERE g.factory_id = %(factory_id)s
ORDER BY g.code, e.event_id;

-- name: rows_by_batch
-- How many rows of some assets in a window each batch brought, and how many of them lie outside of
-- the time that the ledger gives for the batch, or belong to none.
SELECT m.batch_id, count(*),
    count(*) FILTER (WHERE b.batch_id IS NULL OR m.ts < b.first_ts OR m.ts > b.last_ts)
FROM scoped.measurement m
LEFT JOIN telemetry.batch b USING (batch_id)
WHERE m.tag_id = ANY (ARRAY(SELECT tag_id FROM registry.tag WHERE asset_id = ANY (%(asset_ids)s)))
  AND m.ts >= %(start)s AND m.ts < %(end)s
GROUP BY m.batch_id;

-- name: copy_batch_rows
-- The rows of some batches as they are stored, and where they were kept out, as they were offered.
COPY (
    SELECT batch_id, tag_id, ts, coalesce(value, 'NaN'), status
    FROM (
        SELECT batch_id, tag_id, ts, value, status
        FROM telemetry.measurement
        WHERE batch_id = ANY (%(batch_ids)s) AND ts >= %(start)s AND ts <= %(end)s
          AND tag_id IN (SELECT tag_id FROM registry.tag WHERE factory_id = %(factory_id)s)
        UNION ALL
        SELECT batch_id, tag_id, ts, offered_value, offered_status
        FROM telemetry.conflict
        WHERE batch_id = ANY (%(batch_ids)s)
        UNION ALL
        SELECT a.batch_id, u.tag_id, u.ts, u.number, u.status
        FROM telemetry.absorbed_rows a
        CROSS JOIN LATERAL unnest(a.tag_ids, a.times, a.numbers, a.statuses)
            AS u (tag_id, ts, number, status)
        WHERE a.batch_id = ANY (%(batch_ids)s)) AS content
    ORDER BY batch_id, tag_id, ts
) TO STDOUT (FORMAT binary);

-- name: list_signed_records
-- The records of some batches as they were signed.
SELECT batch_id, content FROM telemetry.signed_records WHERE batch_id = ANY (%(batch_ids)s);

-- name: records_of_batches
-- The versions that some batches brought.
SELECT batch_id, kind, key, version, at, body
FROM telemetry.record
WHERE batch_id = ANY (%(batch_ids)s)
ORDER BY batch_id, record_id;

-- name: record_versions
-- All versions of a factory's records of some kinds, each with the batch that brought it.
SELECT r.kind, r.key, r.version, r.at, r.body, r.batch_id, g.code, b.seq, b.received_at
FROM telemetry.record r
JOIN telemetry.batch b USING (batch_id)
JOIN registry.gateway g USING (gateway_id)
WHERE r.factory_id = %(factory_id)s AND r.kind = ANY (%(kinds)s)
  AND r.at >= %(start)s AND r.at < %(end)s
ORDER BY r.kind, r.key, r.version;

-- name: copy_stored_facts
-- The facts of an asset in a window; what it does not have reads as NaN.
COPY (
    SELECT hour, planned_s, planned_down_s, off_s, run_s, setup_s, stop_s, idle_s, unknown_s,
        known_s, uncounted_s, coalesce(total, 'NaN'), coalesce(good, 'NaN'), coalesce(reject, 'NaN'),
        coalesce(ideal_total_s, 'NaN'), coalesce(ideal_total_low_s, 'NaN'),
        coalesce(ideal_total_high_s, 'NaN'), coalesce(ideal_good_s, 'NaN'),
        coalesce(ideal_good_low_s, 'NaN'), coalesce(ideal_good_high_s, 'NaN'),
        coalesce(ideal_lost_s, 'NaN'), coalesce(ideal_lost_low_s, 'NaN'),
        coalesce(ideal_lost_high_s, 'NaN'),
        coalesce(energy, 'NaN'), coalesce(energy_low, 'NaN'), coalesce(energy_high, 'NaN'),
        run_doubt_s, rest_doubt_s, row_count, changes, flags, digest
    FROM scoped.fact_hour
    WHERE asset_id = %(asset_id)s AND hour >= %(start)s AND hour < %(end)s
    ORDER BY hour
) TO STDOUT (FORMAT binary);

-- name: waiting_hours
-- The marks of an asset's hours that wait for the fact job.
SELECT hour, hours
FROM kpi.dirty_hour
WHERE asset_id = %(asset_id)s AND hour < %(before)s
ORDER BY hour;

-- name: waits_for_figures
-- Whether hours, records or months of a factory wait for the jobs.
SELECT EXISTS (SELECT FROM kpi.dirty_month WHERE factory_id = %(factory_id)s)
    OR EXISTS (SELECT FROM kpi.dirty_record JOIN telemetry.record r USING (record_id)
               WHERE r.factory_id = %(factory_id)s)
    OR EXISTS (SELECT FROM kpi.dirty_hour JOIN registry.asset a USING (asset_id)
               WHERE a.factory_id = %(factory_id)s AND hour < %(before)s);

-- name: known_until
-- Up to when a factory has rows, by its ledger, or facts.
SELECT greatest(
    (SELECT max(b.last_ts) FROM telemetry.batch b JOIN registry.gateway g USING (gateway_id)
     WHERE g.factory_id = %(factory_id)s),
    (SELECT max(h.hour) FROM kpi.fact_hour h JOIN registry.asset a USING (asset_id)
     WHERE a.factory_id = %(factory_id)s));

-- name: records_gone
-- Which of some offered records no version of the factory says any more.
SELECT o.value ->> 0, o.value ->> 1
FROM jsonb_array_elements(%(records)s::jsonb) AS o (value)
WHERE NOT EXISTS (
    SELECT FROM telemetry.record r
    WHERE r.factory_id = %(factory_id)s AND r.kind = o.value ->> 0 AND r.key = o.value ->> 1
      AND r.body = o.value -> 2);

-- name: figures_of_factory
-- All figures of a factory with all their revisions.
SELECT figure_id, factory_id, kpi, period_kind, period_start, period_end, revision, unit, point, low,
    high, coverage, grade, reason, method_version, coefficient_version, inputs, inputs_sha256,
    computed_at
FROM kpi.figure
WHERE factory_id = %(factory_id)s
ORDER BY period_start, period_kind, kpi, revision;

-- name: announced_figures
-- What the follow-up feed said of each closed figure of a factory when it was published, beside the
-- figure; no feed entry or no figure where one of them is missing. Entries of earlier days say less.
SELECT coalesce(f.figure_id, u.figure_id), coalesce(f.kpi, u.kpi),
    coalesce(f.period_kind, u.period_kind), coalesce(f.period_start, u.period_start),
    coalesce(f.period_end, u.period_end), u.after, s.shown
FROM (SELECT * FROM kpi.figure WHERE factory_id = %(factory_id)s AND revision > 0) f
FULL JOIN (SELECT * FROM pool.follow_up WHERE factory_id = %(factory_id)s AND what = 'figure') u
    USING (figure_id)
CROSS JOIN LATERAL (SELECT jsonb_build_object(
    'point', f.point, 'low', f.low, 'high', f.high, 'unit', f.unit, 'coverage', f.coverage,
    'grade', f.grade, 'reason', f.reason, 'method_version', f.method_version,
    'coefficient_version', f.coefficient_version,
    'formed_at', to_char(f.computed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    ) AS shown) s
WHERE f.figure_id IS NULL OR u.figure_id IS NULL OR NOT s.shown @> u.after;

-- name: announced_words
-- By KPI, rolling year and kind of verdict: the words that the follow-up feed told in turn, and those
-- that the verdicts of a factory had in turn, the replaced ones first.
WITH told AS (
    SELECT kpi, period_start, what, array_agg(after ->> 'verdict' ORDER BY cursor) AS words
    FROM pool.follow_up
    WHERE factory_id = %(factory_id)s AND what <> 'figure'
    GROUP BY kpi, period_start, what),
stored AS (
    SELECT kpi, period_start, past_id, fulfilment_verdict, consistency_verdict
    FROM kpi.verdict_past WHERE factory_id = %(factory_id)s
    UNION ALL
    SELECT kpi, period_start, NULL, fulfilment_verdict, consistency_verdict
    FROM kpi.verdict WHERE factory_id = %(factory_id)s),
in_turn AS (
    SELECT kpi, period_start, w.what, past_id, w.word, lag(w.word) OVER (
        PARTITION BY kpi, period_start, w.what ORDER BY past_id NULLS LAST) AS before
    FROM stored
    CROSS JOIN LATERAL (VALUES ('fulfilment', fulfilment_verdict),
                               ('consistency', consistency_verdict)) AS w (what, word)),
given AS (
    SELECT kpi, period_start, what, array_agg(word ORDER BY past_id NULLS LAST)
        FILTER (WHERE word IS DISTINCT FROM before) AS words
    FROM in_turn
    GROUP BY kpi, period_start, what)
SELECT kpi, period_start, what, coalesce(told.words, '{}'), coalesce(given.words, '{}')
FROM told FULL JOIN given USING (kpi, period_start, what)
WHERE told.words IS DISTINCT FROM given.words
ORDER BY kpi, period_start, what;

-- name: verdicts_with_figures
-- The verdicts of a factory, each with the figure that it was given on, or what a dispute settled,
-- and with the bounds of what was measured before.
SELECT v.kpi, v.period_start, v.period_end, v.before_value, v.expected_value, v.reported_value,
    v.fulfilment, v.fulfilment_low, v.fulfilment_high, v.fulfilment_verdict, v.deviation,
    v.consistency_verdict, v.policy_version, f.unit,
    coalesce(s.value, f.point), coalesce(s.low, f.low), coalesce(s.high, f.high),
    CASE WHEN s.value IS NULL THEN f.coverage ELSE 1 END, b.low, b.high, b.coverage
FROM kpi.verdict v
JOIN registry.factory y USING (factory_id)
LEFT JOIN LATERAL (
    SELECT value, low, high FROM pool.settled_value t
    WHERE t.factory_id = v.factory_id AND t.kpi = v.kpi AND t.period_start = v.period_start
      AND t.period_end = v.period_end
    ORDER BY t.dispute_id DESC LIMIT 1) s ON true
LEFT JOIN LATERAL (
    SELECT coalesce(t.low, g.low) AS low, coalesce(t.high, g.high) AS high,
        CASE WHEN t.value IS NULL THEN g.coverage ELSE 1 END AS coverage
    FROM kpi.figure g
    LEFT JOIN pool.settled_value t ON t.factory_id = g.factory_id AND t.kpi = g.kpi
        AND t.period_start = g.period_start AND t.period_end = g.period_end
    WHERE g.factory_id = v.factory_id AND g.kpi = v.kpi AND g.period_kind = 'rolling12'
      AND g.period_start = y.baseline_from AND g.period_end = y.baseline_to
      AND v.before_basis = 'measured'
    ORDER BY g.revision DESC, t.dispute_id DESC NULLS LAST LIMIT 1) b ON true
JOIN kpi.figure f USING (figure_id)
WHERE v.factory_id = %(factory_id)s
ORDER BY v.kpi, v.period_start;
