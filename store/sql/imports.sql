-- name: stored_rows
-- How many rows the database has of some tags of a gateway's factory in a window, where any.
SELECT t.name, count(*), min(m.ts), max(m.ts)
FROM registry.gateway g
JOIN registry.tag t USING (factory_id)
JOIN telemetry.measurement m USING (tag_id)
WHERE g.code = %(gateway)s AND t.name = ANY (%(tags)s)
  AND m.ts >= %(first)s::timestamptz AND m.ts <= %(last)s::timestamptz
GROUP BY t.name
ORDER BY t.name;

-- name: refused_entries
-- What the gateways of a factory could not take, newest first.
SELECT q.quarantine_id, g.code, q.source, q.reason, q.payload, q.seen_at
FROM telemetry.quarantine q
JOIN registry.gateway g USING (gateway_id)
WHERE g.factory_id = %(factory_id)s AND q.quarantine_id < %(before)s::bigint
ORDER BY q.quarantine_id DESC
LIMIT %(most)s;
