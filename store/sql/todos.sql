-- name: hold_event_reader
-- How far a reader of the events came, held until the end of the transaction.
INSERT INTO pool.event_reader (name, cursor) VALUES (%(name)s, 0)
ON CONFLICT (name) DO UPDATE SET cursor = pool.event_reader.cursor
RETURNING cursor;

-- name: advance_event_reader
-- Notes how far a reader of the events came.
UPDATE pool.event_reader SET cursor = %(cursor)s WHERE name = %(name)s;

-- name: events_for_todos
-- What happened after a cursor, oldest first, with the factory's number.
SELECT cursor, factory_id, kind, at, payload FROM pool.event
WHERE cursor > %(cursor)s
ORDER BY cursor
LIMIT %(most)s;

-- name: open_todo
-- Opens a to-do, or gives one that waits another deadline; new tells which.
INSERT INTO pool.todo (factory_id, role, kind, object, names, due, due_estimated, opened_at,
    raised_from)
VALUES (%(factory_id)s, %(role)s, %(kind)s, %(object)s, %(names)s, %(due)s, %(due_estimated)s,
    %(at)s, %(raised_from)s)
ON CONFLICT (factory_id, kind, object, role) WHERE closed_at IS NULL
DO UPDATE SET due = excluded.due, due_estimated = excluded.due_estimated, names = excluded.names
WHERE excluded.raised_from IS NULL
RETURNING todo_id, xmax = 0 AS new;

-- name: close_todos
-- Closes what was done, at every level; an empty object means all of that kind.
UPDATE pool.todo SET closed_at = %(at)s
WHERE factory_id = %(factory_id)s AND kind = %(kind)s AND closed_at IS NULL
  AND (%(object)s::text IS NULL OR object = %(object)s);

-- name: todos_to_notice
-- To-dos with a deadline in a range of days of which a step was not said yet.
SELECT t.todo_id, t.factory_id, t.role, t.kind, t.object, t.names, t.due, t.due_estimated
FROM pool.todo t
WHERE t.closed_at IS NULL AND t.due BETWEEN %(first)s AND %(last)s
  AND (%(opened_before)s::timestamptz IS NULL OR t.opened_at < %(opened_before)s)
  AND NOT EXISTS (
      SELECT FROM pool.todo_notice n
      WHERE n.todo_id = t.todo_id AND n.step = %(step)s AND n.due = t.due)
ORDER BY t.todo_id
LIMIT %(most)s
FOR UPDATE OF t SKIP LOCKED;

-- name: insert_todo_notice
-- Notes that a step was said of a to-do's deadline.
INSERT INTO pool.todo_notice (todo_id, factory_id, step, due, at)
VALUES (%(todo_id)s, %(factory_id)s, %(step)s, %(due)s, %(at)s)
ON CONFLICT DO NOTHING;

-- name: list_todos
-- What waits for a role, at one factory or all: by deadline, those without one last.
SELECT t.todo_id, f.code, f.name_zh, f.name_en, f.region_code, r.name_zh, r.name_en, t.role, t.kind,
    t.object, t.names, t.due, t.due_estimated, t.opened_at, t.raised_from IS NOT NULL
FROM pool.todo t
JOIN registry.factory f USING (factory_id)
JOIN registry.region r ON r.code = f.region_code
WHERE t.closed_at IS NULL
  AND (%(role)s::text IS NULL OR t.role = %(role)s)
  AND (%(factory)s::text IS NULL OR f.code = %(factory)s)
  AND (%(after_id)s::bigint IS NULL OR (coalesce(t.due, 'infinity'::date), t.todo_id)
      > (coalesce(%(after_due)s::date, 'infinity'::date), %(after_id)s))
ORDER BY coalesce(t.due, 'infinity'::date), t.todo_id
LIMIT %(most)s;

-- name: count_todos
-- How much waits for the caller: all, overdue, due in the days to come, and opened since a time.
SELECT count(*), count(*) FILTER (WHERE due < %(today)s),
    count(*) FILTER (WHERE due BETWEEN %(today)s AND %(soon)s),
    count(*) FILTER (WHERE opened_at >= %(since)s)
FROM pool.todo
WHERE closed_at IS NULL AND (%(role)s::text IS NULL OR role = %(role)s);
