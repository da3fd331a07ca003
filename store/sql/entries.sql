-- name: entry_factories
-- Each factory as an entry list knows it, with its newest stay in the pool and its promises.
SELECT f.factory_id, f.code, f.name_zh, f.name_en, f.kind, f.region_code, f.baseline_from,
    f.baseline_to, f.renovated_on, f.enterprise_id, e.name_zh, e.name_en, e.credit_code,
    EXISTS (SELECT FROM registry.asset a WHERE a.factory_id = f.factory_id),
    m.membership_id, m.entered_on, m.left_on,
    coalesce(p.kpis, '{}'), coalesce(p.before_values, '{}'), coalesce(p.bases, '{}'),
    coalesce(p.expected, '{}')
FROM registry.factory f
JOIN registry.enterprise e USING (enterprise_id)
LEFT JOIN LATERAL (
    SELECT membership_id, entered_on, left_on FROM pool.membership n
    WHERE n.factory_id = f.factory_id
    ORDER BY n.membership_id DESC LIMIT 1) m ON true
LEFT JOIN LATERAL (
    SELECT array_agg(kpi ORDER BY kpi) AS kpis, array_agg(before_value ORDER BY kpi) AS before_values,
        array_agg(before_basis ORDER BY kpi) AS bases, array_agg(expected_value ORDER BY kpi) AS expected
    FROM pool.promise q WHERE q.factory_id = f.factory_id) p ON true
ORDER BY f.code;

-- name: entry_enterprises
-- Each enterprise by its names.
SELECT enterprise_id, name_zh, name_en, credit_code FROM registry.enterprise ORDER BY enterprise_id;

-- name: ended_stays
-- Stays in the pool that ended, of every enterprise, newest first.
SELECT f.enterprise_id, f.code, m.state, m.left_on
FROM pool.membership m
JOIN registry.factory f USING (factory_id)
WHERE m.left_on IS NOT NULL
ORDER BY m.left_on DESC, m.membership_id DESC;

-- name: lock_entry_lists
-- One entry list is taken at a time.
SELECT pg_advisory_xact_lock(1296649297);

-- name: upsert_entry_promise
-- What an entry list says was promised for one KPI.
INSERT INTO pool.promise (factory_id, kpi, before_value, before_basis, expected_value, origin)
VALUES (%(factory_id)s, %(kpi)s, %(before)s, %(basis)s, %(expected)s, 'entry')
ON CONFLICT (factory_id, kpi) DO UPDATE
SET before_value = excluded.before_value, before_basis = excluded.before_basis,
    expected_value = excluded.expected_value, origin = 'entry';
