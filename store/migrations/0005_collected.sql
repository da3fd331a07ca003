-- When the gateway received what a batch holds: the third time of a row, beside that of its source
-- and that of the database. A gateway cuts batches so that the span is at most a minute.
ALTER TABLE telemetry.batch ADD COLUMN collected_from timestamptz, ADD COLUMN collected_to timestamptz;
ALTER TABLE telemetry.batch ADD CONSTRAINT batch_collected CHECK (collected_from <= collected_to);

-- Every row with its three times. Gateways from before this column, and imports, say nothing of
-- when they received a row.
CREATE VIEW telemetry.reading AS
SELECT m.ts, t.factory_id, m.tag_id, t.name AS tag, m.value, m.status,
    b.collected_from AS received_from, b.collected_to AS received_to, b.received_at AS stored_at,
    m.batch_id
FROM telemetry.measurement m
JOIN registry.tag t USING (tag_id)
JOIN telemetry.batch b USING (batch_id);
