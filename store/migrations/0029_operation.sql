-- What the system administrator sees of the running of it, and what may be tried again: states,
-- times and lengths, never what is in a message, a batch or a figure.

CREATE FUNCTION auth.operates() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT auth.is_trusted() OR coalesce(auth.role() = 'sysadmin', false)
$$;
REVOKE ALL ON FUNCTION auth.operates() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION auth.operates() TO millpond_app;

-- Its views run as their owner, past the scope of factories, and each asks for the office first.
CREATE SCHEMA operation;
GRANT USAGE ON SCHEMA operation TO millpond_app;

-- Letters on their way; a server's refusal repeats the address, so that it is masked there too.
CREATE VIEW operation.delivery WITH (security_barrier) AS
SELECT d.delivery_id, d.channel, m.template AS kind, d.state, d.attempts, m.sent_at, d.next_try_at,
    regexp_replace(d.error, '[^ <>"'']+@[^ <>"'']+|\+?[0-9]{5,}', '***', 'g') AS error, d.ended_at,
    CASE d.channel
        WHEN 'email' THEN regexp_replace(a.email, '^(.).*(@.*)$', '\1***\2')
        ELSE regexp_replace(c.phone, '^(.*)(..)$', '***\2') END AS address
FROM pool.delivery d
JOIN pool.message m USING (message_id)
JOIN auth.account a USING (account_id)
LEFT JOIN auth.contact c USING (account_id)
WHERE (SELECT auth.operates());

-- Each job with its newest run; one without an end whose worker is gone was cut short.
CREATE VIEW operation.job WITH (security_barrier) AS
SELECT r.name, r.started_at, r.ended_at,
    coalesce(r.outcome, CASE WHEN EXISTS (
        SELECT FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.classid = 1296649295 AND l.objid = r.run_id
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
        THEN 'running' ELSE 'cut short' END) AS outcome,
    left(r.error, 300) AS error,
    (SELECT max(d.ended_at) FROM kpi.job_run d WHERE d.name = r.name AND d.outcome = 'done') AS done_at,
    (SELECT count(*) FROM kpi.job_run d WHERE d.name = r.name AND d.outcome = 'failed'
        AND d.started_at > now() - INTERVAL '1 day') AS failed_in_day
FROM kpi.job_run r
WHERE r.run_id IN (SELECT max(run_id) FROM kpi.job_run GROUP BY name) AND (SELECT auth.operates());

-- Pieces of the jobs' work that failed at their last try.
CREATE VIEW operation.retry WITH (security_barrier) AS
SELECT name, piece, failures, left(error, 300) AS error, failed_since, next_try_at
FROM kpi.job_retry WHERE (SELECT auth.operates());

-- Gateways with when they were last heard of.
CREATE VIEW operation.gateway WITH (security_barrier) AS
SELECT g.code, f.code AS factory, g.revoked_at, b.seq, b.received_at, b.clock_skew_s
FROM registry.gateway g
JOIN registry.factory f USING (factory_id)
LEFT JOIN LATERAL (
    SELECT n.seq, n.received_at, n.clock_skew_s FROM telemetry.batch n
    WHERE n.gateway_id = g.gateway_id ORDER BY n.seq DESC LIMIT 1) b ON true
WHERE (SELECT auth.operates());

-- What waits in each queue since when, and what was given up in the last seven days.
CREATE VIEW operation.queue WITH (security_barrier) AS
SELECT q.name, q.waiting, q.oldest, q.failed
FROM (
    SELECT 'documents', count(*) FILTER (WHERE state IN ('queued', 'running')),
        min(asked_at) FILTER (WHERE state IN ('queued', 'running')),
        count(*) FILTER (WHERE state = 'failed' AND asked_at > now() - INTERVAL '7 days')
    FROM pool.document
    UNION ALL
    SELECT 'entries', count(*) FILTER (WHERE state IN ('queued', 'running')),
        min(asked_at) FILTER (WHERE state IN ('queued', 'running')),
        count(*) FILTER (WHERE state = 'failed' AND asked_at > now() - INTERVAL '7 days')
    FROM pool.entry_run
    UNION ALL
    SELECT 'letters', count(*) FILTER (WHERE d.state = 'queued'),
        min(m.sent_at) FILTER (WHERE d.state = 'queued'),
        count(*) FILTER (WHERE d.state = 'failed' AND d.ended_at > now() - INTERVAL '7 days')
    FROM pool.delivery d JOIN pool.message m USING (message_id)
    UNION ALL
    SELECT 'webhooks', count(*) FILTER (WHERE w.attempts > 0), NULL,
        (SELECT count(*) FROM pool.dead_letter
         WHERE delivered_at IS NULL AND died_at > now() - INTERVAL '7 days')
    FROM pool.webhook w WHERE w.ended_at IS NULL
) AS q (name, waiting, oldest, failed)
WHERE (SELECT auth.operates());

-- The database itself.
CREATE VIEW operation.database WITH (security_barrier) AS
SELECT pg_database_size(current_database()) AS bytes, current_setting('server_version') AS server,
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescaledb,
    pg_postmaster_start_time() AS started_at,
    (SELECT max(name) FROM public.millpond_migration) AS migration,
    (SELECT count(*) FROM public.millpond_migration) AS migrations,
    (SELECT max(applied_at) FROM public.millpond_migration) AS migrated_at
WHERE (SELECT auth.operates());

GRANT SELECT ON ALL TABLES IN SCHEMA operation TO millpond_app;

-- Gives one letter that failed for good another round of tries.
CREATE FUNCTION operation.retry_delivery(wanted bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT auth.operates() THEN
        RAISE insufficient_privilege USING MESSAGE = 'only the system administrator tries letters again';
    END IF;
    UPDATE pool.delivery SET state = 'queued', attempts = 0, next_try_at = now(), ended_at = NULL
    WHERE delivery_id = wanted AND state = 'failed';
    RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION operation.retry_delivery(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION operation.retry_delivery(bigint) TO millpond_app;

-- A subscription that is paused keeps its place; a trial delivery shows whether a receiver answers.
ALTER TABLE pool.webhook ADD COLUMN paused_at timestamptz, ADD COLUMN trial_at timestamptz,
    ADD COLUMN tried_at timestamptz, ADD COLUMN trial_fault text;
GRANT SELECT (paused_at, trial_at, tried_at, trial_fault), UPDATE (paused_at, trial_at)
    ON pool.webhook TO millpond_app;
