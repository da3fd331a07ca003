-- name: feed_since
-- What happened after a cursor, oldest first, in the caller's scope.
SELECT h.cursor, f.code, h.kind, h.kpi, h.period_kind, h.period_start, h.period_end, h.before,
    h.after, h.figure_id, h.role, h.at
FROM pool.happened h
JOIN registry.factory f USING (factory_id)
WHERE h.cursor > %(cursor)s
  AND (%(factory)s::text IS NULL OR f.code = %(factory)s)
  AND (cardinality(%(kinds)s::text[]) = 0 OR h.kind = ANY (%(kinds)s))
ORDER BY h.cursor
LIMIT %(most)s;

-- name: feed_for_officer
-- A part of the feed as an officer sees it; nothing where the account is shut.
SELECT h.cursor, f.code, h.kind, h.kpi, h.period_kind, h.period_start, h.period_end, h.before,
    h.after, h.figure_id, h.role, h.at
FROM pool.happened h
JOIN registry.factory f USING (factory_id)
JOIN auth.account a ON a.account_id = %(account_id)s AND a.disabled_at IS NULL
WHERE h.cursor > %(cursor)s AND h.cursor <= %(through)s
  AND (cardinality(%(kinds)s::text[]) = 0 OR h.kind = ANY (%(kinds)s))
  AND (a.role IN ('city_officer', 'city_leader')
    OR a.role IN ('county_officer', 'county_leader') AND f.region_code = a.region_code)
ORDER BY h.cursor
LIMIT %(most)s;

-- name: feed_end
-- The newest cursor.
SELECT coalesce(max(cursor), 0) FROM pool.feed;
