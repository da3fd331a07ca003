-- name: mark_asset_hours
-- Marks the hours of some assets in a window, from the first that has a fact or a row to the last.
-- Each edge is one step into an index.
INSERT INTO kpi.dirty_hour (asset_id, hour, hours)
SELECT s.asset_id, s.first, (extract(epoch FROM s.last - s.first) / 3600)::int + 1
FROM (
    SELECT a.asset_id, date_trunc('hour', min(e.first)) AS first,
        date_trunc('hour', max(e.last)) AS last
    FROM unnest(%(asset_ids)s::int[]) AS a (asset_id)
    CROSS JOIN LATERAL (
        SELECT
            (SELECT h.hour FROM kpi.fact_hour h
             WHERE h.asset_id = a.asset_id AND h.hour >= %(start)s AND h.hour < %(end)s
             ORDER BY h.hour LIMIT 1) AS first,
            (SELECT h.hour FROM kpi.fact_hour h
             WHERE h.asset_id = a.asset_id AND h.hour >= %(start)s AND h.hour < %(end)s
             ORDER BY h.hour DESC LIMIT 1) AS last
        UNION ALL
        SELECT
            (SELECT m.ts FROM telemetry.measurement m
             WHERE m.tag_id = t.tag_id AND m.ts >= %(start)s AND m.ts < %(end)s
             ORDER BY m.ts LIMIT 1),
            (SELECT m.ts FROM telemetry.measurement m
             WHERE m.tag_id = t.tag_id AND m.ts >= %(start)s AND m.ts < %(end)s
             ORDER BY m.ts DESC LIMIT 1)
        FROM registry.tag t WHERE t.asset_id = a.asset_id) e
    GROUP BY a.asset_id) s
WHERE s.first IS NOT NULL;

-- name: mark_formed_months_between
-- Marks the months of [first, end) of a factory that have figures: what they are formed with has
-- changed.
INSERT INTO kpi.dirty_month (factory_id, month)
SELECT DISTINCT factory_id, period_start
FROM kpi.figure
WHERE factory_id = %(factory_id)s AND period_kind = 'month'
  AND period_start >= %(first)s AND period_start < %(end)s;

-- name: has_factory
-- Whether a plan of this code was loaded before.
SELECT EXISTS (SELECT FROM registry.factory WHERE code = %(code)s);
