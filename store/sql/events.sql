-- name: insert_event
-- Says that something happened; it gets its cursor when the transaction commits.
INSERT INTO pool.event (factory_id, kind, at, account_id, actor, role, payload)
VALUES (%(factory_id)s, %(kind)s, %(at)s, %(account_id)s, %(actor)s, %(role)s, %(payload)s);

-- name: events_since
-- What happened after a cursor, oldest first.
SELECT e.cursor, f.code, e.kind, e.at, e.account_id, e.actor, e.role, e.payload
FROM pool.event e
JOIN registry.factory f USING (factory_id)
WHERE e.cursor > %(cursor)s
  AND (%(factory)s::text IS NULL OR f.code = %(factory)s)
ORDER BY e.cursor
LIMIT %(most)s;
