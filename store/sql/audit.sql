-- name: append_entry
-- Has something noted when the transaction commits.
SELECT audit.append(%(account_id)s::int, %(actor)s, %(role)s, %(action)s, %(kind)s, %(key)s,
    %(factory_id)s::int, %(before)s::jsonb, %(after)s::jsonb, %(reason)s);

-- name: audit_chain
-- Some entries in their order: the bytes that each stands for, and its two hashes.
SELECT e.entry_id, audit.content(e), e.previous_sha256, e.sha256
FROM audit.entry e
WHERE e.entry_id > %(after)s
ORDER BY e.entry_id
LIMIT %(most)s;

-- name: entry_holds
-- Whether an entry has the hash that was noted down before.
SELECT EXISTS (SELECT FROM audit.entry
    WHERE entry_id = %(entry_id)s AND encode(sha256, 'hex') = %(sha256)s);

-- name: list_entries
-- What was done, newest first: all, or of one factory, thing or person.
SELECT e.entry_id, e.at, e.account_id, e.actor, e.role, e.action, e.kind, e.key, f.code, e.before,
    e.after, e.reason, encode(e.sha256, 'hex')
FROM audit.entry e
LEFT JOIN registry.factory f USING (factory_id)
WHERE (%(factory)s::text IS NULL OR f.code = %(factory)s)
  AND (%(kind)s::text IS NULL OR e.kind = %(kind)s)
  AND (%(key)s::text IS NULL OR e.key = %(key)s)
  AND (%(account_id)s::int IS NULL OR e.account_id = %(account_id)s)
  AND (%(action)s::text IS NULL OR e.action = %(action)s)
  AND (%(before)s::bigint IS NULL OR e.entry_id < %(before)s)
ORDER BY e.entry_id DESC
LIMIT %(most)s;
