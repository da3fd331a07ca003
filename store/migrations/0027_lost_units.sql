-- Ideal seconds of the units that were not good, with bounds of their own: what is open in a register
-- is not open alike in all, in good and in lost units. Hours from before these columns tell lost units
-- by what the other two leave, until they are computed again, which the marks below ask for as far
-- back as rows are stored; resets and cuts leave less open than before.
ALTER TABLE kpi.fact_hour
    ADD COLUMN ideal_lost_s      float8,
    ADD COLUMN ideal_lost_low_s  float8,
    ADD COLUMN ideal_lost_high_s float8;

CREATE OR REPLACE VIEW scoped.fact_hour WITH (security_barrier) AS
SELECT * FROM kpi.fact_hour
WHERE (SELECT auth.sees_all()) OR asset_id IN (
    SELECT asset_id FROM registry.asset WHERE factory_id = ANY ((SELECT auth.factories())::int[]));

INSERT INTO kpi.dirty_hour (asset_id, hour, hours)
SELECT h.asset_id, min(h.hour), (extract(epoch FROM max(h.hour) - min(h.hour)) / 3600)::int + 1
FROM (
    SELECT t.asset_id, min(date_trunc('hour', first.ts)) AS hour
    FROM registry.tag t
    CROSS JOIN LATERAL (
        SELECT m.ts FROM telemetry.measurement m
        WHERE m.tag_id = t.tag_id
        ORDER BY m.ts LIMIT 1) first
    WHERE t.role IN ('total_count', 'good_count')
    GROUP BY t.asset_id) counted
JOIN kpi.fact_hour h ON h.asset_id = counted.asset_id AND h.hour >= counted.hour
GROUP BY h.asset_id;
