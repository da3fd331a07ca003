-- name: act_as_caller
-- Takes on the application's role and a caller's key until the transaction ends.
SELECT set_config('role', 'millpond_app', true), set_config('millpond.key', %(key)s::text, true);

-- name: factory_exists
-- Whether a factory has this code, in or out of scope.
SELECT EXISTS (SELECT FROM registry.factory WHERE code = %(code)s);

-- name: factory_of_numbered
-- The code of the factory that something with a number of its own belongs to, in or out of scope.
SELECT f.code
FROM (
    SELECT factory_id FROM pool.ticket WHERE %(kind)s = 'ticket' AND ticket_id = %(number)s::bigint
    UNION ALL
    SELECT factory_id FROM pool.report WHERE %(kind)s = 'report' AND report_id = %(number)s::bigint
    UNION ALL
    SELECT factory_id FROM pool.dispute
    WHERE %(kind)s = 'dispute' AND dispute_id = %(number)s::bigint
    UNION ALL
    SELECT factory_id FROM pool.document
    WHERE %(kind)s = 'document' AND document_id = %(number)s::bigint
    UNION ALL
    SELECT factory_id FROM pool.evidence_item
    WHERE %(kind)s = 'evidence' AND item_id = %(number)s::bigint
) AS numbered
JOIN registry.factory f USING (factory_id);
