-- name: insert_ticket
-- An enterprise asks for help.
INSERT INTO pool.ticket (factory_id, subject, level, state, version, account_id, actor, opened_at,
    changed_at, due, due_estimated, report_id, item)
VALUES (%(factory_id)s, %(subject)s, %(level)s, 'open', 1, %(account_id)s, %(actor)s, %(at)s,
    %(at)s, %(due)s, %(due_estimated)s, %(report_id)s, %(item)s)
RETURNING ticket_id;

-- name: insert_ticket_entry
-- Keeps what was said to a ticket.
INSERT INTO pool.ticket_entry (ticket_id, factory_id, act, text, account_id, actor, role, at)
VALUES (%(ticket_id)s, %(factory_id)s, %(act)s, %(text)s, %(account_id)s, %(actor)s, %(role)s,
    %(at)s);

-- name: move_ticket
-- Brings a ticket to its next version; nothing where it has another by now.
UPDATE pool.ticket SET state = %(state)s, version = version + 1, changed_at = %(at)s,
    due = %(due)s, due_estimated = %(due_estimated)s
WHERE ticket_id = %(ticket_id)s AND version = %(version)s
RETURNING version;

-- name: read_ticket
-- One ticket.
SELECT t.ticket_id, t.factory_id, f.code, f.name_zh, f.name_en, t.subject, t.level, t.state,
    t.version, t.account_id, t.actor, t.opened_at, t.changed_at, t.due, t.due_estimated,
    t.report_id
FROM pool.ticket t
JOIN registry.factory f USING (factory_id)
WHERE t.ticket_id = %(ticket_id)s;

-- name: ticket_of_source
-- The ticket of an item of a report.
SELECT t.ticket_id, t.factory_id, f.code, f.name_zh, f.name_en, t.subject, t.level, t.state,
    t.version, t.account_id, t.actor, t.opened_at, t.changed_at, t.due, t.due_estimated,
    t.report_id
FROM pool.ticket t
JOIN registry.factory f USING (factory_id)
WHERE t.report_id = %(report_id)s AND t.item = %(item)s;

-- name: list_tickets
-- Tickets in the scope, newest first.
SELECT t.ticket_id, t.factory_id, f.code, f.name_zh, f.name_en, t.subject, t.level, t.state,
    t.version, t.account_id, t.actor, t.opened_at, t.changed_at, t.due, t.due_estimated,
    t.report_id
FROM pool.ticket t
JOIN registry.factory f USING (factory_id)
WHERE (%(state)s::text IS NULL OR t.state = %(state)s)
  AND (%(factory)s::text IS NULL OR f.code = %(factory)s)
  AND (%(before)s::bigint IS NULL OR t.ticket_id < %(before)s)
ORDER BY t.ticket_id DESC
LIMIT %(most)s;

-- name: list_ticket_entries
-- What was said to a ticket, oldest first.
SELECT act, text, account_id, actor, role, at FROM pool.ticket_entry
WHERE ticket_id = %(ticket_id)s
ORDER BY entry_id;
