-- name: list_items
-- The evidence of a stay that was not withdrawn, oldest first.
SELECT i.item_id, i.stage, i.kind, i.happened_on, i.data, i.note, i.people, i.accounts,
    i.account_id, i.actor, i.role, i.at, i.file_sha256, f.name
FROM pool.evidence_item i
LEFT JOIN pool.file f ON f.factory_id = i.factory_id AND f.sha256 = i.file_sha256
WHERE i.membership_id = %(membership_id)s AND i.withdraws IS NULL
  AND NOT EXISTS (SELECT FROM pool.evidence_item w WHERE w.withdraws = i.item_id)
ORDER BY i.item_id;

-- name: insert_item
-- Keeps a piece of evidence.
INSERT INTO pool.evidence_item (membership_id, factory_id, stage, kind, happened_on, data, note,
    people, accounts, account_id, actor, role, at, file_sha256, withdraws)
VALUES (%(membership_id)s, %(factory_id)s, %(stage)s, %(kind)s, %(happened_on)s, %(data)s,
    %(note)s, %(people)s, %(accounts)s, %(account_id)s, %(actor)s, %(role)s, %(at)s,
    %(file_sha256)s, %(withdraws)s)
RETURNING item_id;

-- name: insert_file
-- Keeps a file; one that is there already stays as it is.
INSERT INTO pool.file (factory_id, sha256, name, media_type, content, account_id, actor, at)
VALUES (%(factory_id)s, %(sha256)s, %(name)s, %(media_type)s, %(content)s, %(account_id)s,
    %(actor)s, %(at)s)
ON CONFLICT (factory_id, sha256) DO NOTHING;

-- name: read_file
-- A file of a factory.
SELECT name, media_type, content FROM pool.file
WHERE factory_id = %(factory_id)s AND sha256 = %(sha256)s;
