-- name: dirty_assets
-- The assets with dirty hours that have ended.
SELECT DISTINCT asset_id FROM kpi.dirty_hour WHERE hour < %(before)s ORDER BY 1;

-- name: try_lock_asset
-- One worker at a time recomputes an asset; the lock ends with the transaction.
SELECT pg_try_advisory_xact_lock(1296649292, %(asset_id)s);

-- name: claim_dirty_hours
-- Takes the earliest dirty marks of one asset for the length of the transaction.
SELECT dirty_id, hour, hours
FROM kpi.dirty_hour
WHERE asset_id = %(asset_id)s AND hour < least(%(before)s, make_interval(hours => %(most_hours)s)
    + (SELECT min(hour) FROM kpi.dirty_hour WHERE asset_id = %(asset_id)s))
ORDER BY hour
LIMIT %(most)s
FOR UPDATE SKIP LOCKED;

-- name: delete_dirty_hours
-- Removes the marks whose hours were recomputed.
DELETE FROM kpi.dirty_hour WHERE dirty_id = ANY (%(dirty_ids)s);

-- name: keep_dirty_hours
-- Marks hours of an asset that had not ended when those before them were recomputed.
INSERT INTO kpi.dirty_hour (asset_id, hour, hours) VALUES (%(asset_id)s, %(hour)s, %(hours)s);

-- name: mark_recorded_hours
-- Marks the hours of a window from the first to the last row of each asset of some factories, to be
-- computed again. Between them every hour has a fact; beyond them none has.
INSERT INTO kpi.dirty_hour (asset_id, hour, hours)
SELECT s.asset_id, s.first,
    (extract(epoch FROM s.last - s.first) / 3600)::int + 1
FROM (
    SELECT t.asset_id, date_trunc('hour', min(f.ts)) AS first, date_trunc('hour', max(l.ts)) AS last
    FROM registry.tag t
    CROSS JOIN LATERAL (
        SELECT ts FROM telemetry.measurement m
        WHERE m.tag_id = t.tag_id AND m.ts >= %(start)s AND m.ts < %(end)s
        ORDER BY ts LIMIT 1) f
    CROSS JOIN LATERAL (
        SELECT ts FROM telemetry.measurement m
        WHERE m.tag_id = t.tag_id AND m.ts >= %(start)s AND m.ts < %(end)s
        ORDER BY ts DESC LIMIT 1) l
    WHERE t.factory_id = %(factory_id)s
    GROUP BY t.asset_id) s;

-- name: dirty_assets_of_factory
-- The assets of a factory with dirty hours that have ended.
SELECT DISTINCT d.asset_id
FROM kpi.dirty_hour d
JOIN registry.asset a USING (asset_id)
WHERE d.hour < %(before)s AND a.factory_id = %(factory_id)s
ORDER BY 1;

-- name: asset_factory
-- The factory of an asset.
SELECT f.factory_id, f.code FROM registry.asset a JOIN registry.factory f USING (factory_id)
WHERE a.asset_id = %(asset_id)s;

-- name: delete_facts
-- Makes room for the recomputed hours of an asset.
DELETE FROM kpi.fact_hour WHERE asset_id = %(asset_id)s AND hour >= %(start)s AND hour < %(end)s;

-- name: copy_facts
-- Adds recomputed hours.
COPY kpi.fact_hour (hour, asset_id, planned_s, planned_down_s, off_s, run_s, setup_s, stop_s, idle_s,
    unknown_s, known_s, uncounted_s, total, good, reject, ideal_total_s, ideal_total_low_s,
    ideal_total_high_s, ideal_good_s, ideal_good_low_s, ideal_good_high_s, ideal_lost_s,
    ideal_lost_low_s, ideal_lost_high_s, energy, energy_low, energy_high, run_doubt_s, rest_doubt_s, row_count, changes, flags, digest) FROM STDIN (FORMAT binary);

-- name: mark_dirty_months
-- Marks the local months of a window of a factory.
INSERT INTO kpi.dirty_month (factory_id, month)
SELECT %(factory_id)s, month::date
FROM generate_series(
    date_trunc('month', %(start)s::timestamptz AT TIME ZONE %(timezone)s),
    (%(end)s::timestamptz AT TIME ZONE %(timezone)s) - INTERVAL '1 microsecond',
    INTERVAL '1 month') AS month;

-- name: copy_day_facts
-- The facts of a factory added up by asset, local day and production day. They are added in the
-- order of the hours: in the order in which they lie on disk, a sum could differ in its last bit from
-- the one before, and a figure would get a revision for nothing. Hours from before lost units had
-- columns of their own tell them by what all and good units leave.
COPY (
    SELECT h.asset_id, (h.hour AT TIME ZONE %(timezone)s)::date - DATE '1970-01-01' AS day,
        width_bucket(h.hour, %(production)s::timestamptz[]) - 1 AS production_day,
        count(*)::float8 AS hours,
        sum(planned_s) AS planned_s, sum(run_s) AS run_s, sum(setup_s) AS setup_s,
        sum(stop_s) AS stop_s, sum(idle_s) AS idle_s, sum(unknown_s) AS unknown_s,
        sum(planned_down_s) AS planned_down_s,
        sum(known_s) AS known_s, sum(uncounted_s) AS uncounted_s,
        sum(run_doubt_s) AS run_doubt_s, sum(rest_doubt_s) AS rest_doubt_s,
        coalesce(sum(total), 0) AS total, coalesce(sum(good), 0) AS good,
        coalesce(sum(reject), 0) AS reject,
        coalesce(sum(ideal_total_s), 0) AS ideal_total_s,
        coalesce(sum(ideal_total_low_s), 0) AS ideal_total_low_s,
        coalesce(sum(ideal_total_high_s), 0) AS ideal_total_high_s,
        coalesce(sum(ideal_good_s), 0) AS ideal_good_s,
        coalesce(sum(ideal_good_low_s), 0) AS ideal_good_low_s,
        coalesce(sum(ideal_good_high_s), 0) AS ideal_good_high_s,
        coalesce(sum(coalesce(ideal_lost_s, ideal_total_s - ideal_good_s)), 0) AS ideal_lost_s,
        coalesce(sum(coalesce(ideal_lost_low_s, least(ideal_total_low_s - ideal_good_low_s,
            ideal_total_high_s - ideal_good_high_s))), 0) AS ideal_lost_low_s,
        coalesce(sum(coalesce(ideal_lost_high_s, greatest(ideal_total_low_s - ideal_good_low_s,
            ideal_total_high_s - ideal_good_high_s))), 0) AS ideal_lost_high_s,
        coalesce(sum(energy), 0) AS energy, coalesce(sum(energy_low), 0) AS energy_low,
        coalesce(sum(energy_high), 0) AS energy_high,
        count(energy)::float8 AS energy_hours,
        sum(changes)::float8 AS changes, sum(row_count)::float8 AS row_count,
        bit_or(flags) AS flags
    FROM (
        SELECT f.*
        FROM kpi.fact_hour f
        JOIN registry.asset a USING (asset_id)
        WHERE a.factory_id = %(factory_id)s AND f.hour >= %(start)s AND f.hour < %(end)s
        ORDER BY f.asset_id, f.hour) h
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
) TO STDOUT (FORMAT binary);

-- name: copy_flagged_facts
-- The hours of a factory that carry a flag, with what was counted and metered in them.
COPY (
    SELECT h.asset_id, h.hour, coalesce(h.ideal_total_s, 0), coalesce(h.ideal_good_s, 0),
        coalesce(h.ideal_lost_s, h.ideal_total_s - h.ideal_good_s, 0), coalesce(h.energy, 0)
    FROM kpi.fact_hour h
    JOIN registry.asset a USING (asset_id)
    WHERE a.factory_id = %(factory_id)s AND h.hour >= %(start)s AND h.hour < %(end)s
      AND h.flags & %(flag)s <> 0
    ORDER BY 1, 2
) TO STDOUT (FORMAT binary);
