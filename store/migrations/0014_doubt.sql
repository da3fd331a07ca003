-- Planned seconds in a state that was held over a row which was due and did not come: of those in
-- run, that the machine may not have run, and of the others that it may have. Hours from before
-- these columns say none until they are computed again, which the marks below ask for as far back
-- as rows are stored.
ALTER TABLE kpi.fact_hour
    ADD COLUMN run_doubt_s  float8 NOT NULL DEFAULT 0 CHECK (run_doubt_s >= 0),
    ADD COLUMN rest_doubt_s float8 NOT NULL DEFAULT 0 CHECK (rest_doubt_s >= 0);

INSERT INTO kpi.dirty_hour (asset_id, hour, hours)
SELECT h.asset_id, min(h.hour), (extract(epoch FROM max(h.hour) - min(h.hour)) / 3600)::int + 1
FROM registry.tag t
CROSS JOIN LATERAL (
    SELECT date_trunc('hour', m.ts) AS hour
    FROM telemetry.measurement m
    WHERE m.tag_id = t.tag_id
    ORDER BY m.ts LIMIT 1) first
JOIN kpi.fact_hour h ON h.asset_id = t.asset_id AND h.hour >= first.hour
WHERE t.role = 'state'
GROUP BY h.asset_id;

-- Each computation of facts asks which batches of a gateway are missing.
CREATE INDEX ON telemetry.finding (gateway_id, rule);
