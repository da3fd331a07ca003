-- name: delete_energy_lists
-- Empties what a factory's plan says of its energy, which the new plan brings whole.
WITH a AS (DELETE FROM registry.energy_stock WHERE factory_id = %(factory_id)s),
     b AS (DELETE FROM registry.energy_method WHERE factory_id = %(factory_id)s)
DELETE FROM registry.meter_exchange x USING registry.asset s
WHERE s.asset_id = x.asset_id AND s.factory_id = %(factory_id)s;

-- name: insert_meter_exchange
-- A meter or its transformers were exchanged.
INSERT INTO registry.meter_exchange (asset_id, at, old_final, new_initial, ratio, document)
SELECT asset_id, %(at)s, %(old_final)s, %(new_initial)s, %(ratio)s, %(document)s
FROM registry.asset
WHERE factory_id = %(factory_id)s AND code = %(asset)s;

-- name: insert_energy_stock
-- Fuel in stock at the start of a day.
INSERT INTO registry.energy_stock (factory_id, carrier, day, quantity, source)
VALUES (%(factory_id)s, %(carrier)s, %(day)s, %(quantity)s, %(source)s);

-- name: insert_energy_method
-- Which equivalent value of electricity a factory's figures rest on.
INSERT INTO registry.energy_method (factory_id, equivalent)
VALUES (%(factory_id)s, %(equivalent)s);

-- name: list_meters
-- The registers of a factory's meters.
SELECT m.asset_id, m.register, m.origin, m.above
FROM registry.meter m
JOIN registry.asset a USING (asset_id)
WHERE a.factory_id = %(factory_id)s
ORDER BY m.asset_id;

-- name: list_meter_exchanges
-- The exchanges of a factory's meters, oldest first.
SELECT x.asset_id, x.at, x.old_final, x.new_initial, x.ratio
FROM registry.meter_exchange x
JOIN registry.asset a USING (asset_id)
WHERE a.factory_id = %(factory_id)s
ORDER BY x.asset_id, x.at;

-- name: list_energy_stocks
-- The fuel that a factory had in stock, oldest first.
SELECT carrier, day, quantity, source
FROM registry.energy_stock
WHERE factory_id = %(factory_id)s
ORDER BY carrier, day;

-- name: get_energy_method
-- Which equivalent value of electricity a factory's figures rest on.
SELECT equivalent FROM registry.energy_method WHERE factory_id = %(factory_id)s;

-- name: mark_exchanged_hours
-- Marks the hours of a meter from the reading before a time up to its last reading: an exchange
-- changes what everything after it is multiplied with.
INSERT INTO kpi.dirty_hour (asset_id, hour, hours)
SELECT %(asset_id)s, s.first, (extract(epoch FROM s.last - s.first) / 3600)::int + 1
FROM (
    SELECT date_trunc('hour', coalesce(max(m.ts) FILTER (WHERE m.ts < %(at)s), min(m.ts)),
            'UTC') AS first,
        date_trunc('hour', max(m.ts), 'UTC') AS last
    FROM telemetry.measurement m
    JOIN registry.tag t USING (tag_id)
    WHERE t.asset_id = %(asset_id)s AND t.role = 'energy') s
WHERE s.first IS NOT NULL;
