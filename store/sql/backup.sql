-- name: export_snapshot
-- A name under which other sessions see the database exactly as this transaction does.
SELECT pg_export_snapshot();

-- name: backup_server
-- The versions of the server and of TimescaleDB, the newest migration, and the database's size.
SELECT current_setting('server_version_num')::int / 10000,
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),
    (SELECT max(name) FROM public.millpond_migration),
    pg_database_size(current_database());

-- name: backup_content
-- How much of each thing that nobody may lose there is, and where the audit's chain ends.
SELECT (SELECT count(*) FROM registry.factory),
    (SELECT count(*) FROM telemetry.batch),
    (SELECT coalesce(sum(row_count), 0)::bigint FROM telemetry.batch),
    (SELECT count(*) FROM telemetry.record),
    (SELECT count(*) FROM kpi.figure),
    (SELECT count(*) FROM audit.entry),
    (SELECT encode(sha256, 'hex') FROM audit.entry ORDER BY entry_id DESC LIMIT 1);

-- name: restore_target
-- What of a database and its server decides whether a backup can be restored there.
SELECT current_setting('server_version_num')::int / 10000,
    (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),
    (SELECT coalesce(array_agg(version::text ORDER BY version), '{}')
     FROM pg_available_extension_versions WHERE name = 'timescaledb'),
    (SELECT min(n.nspname || '.' || c.relname)
     FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
       AND NOT starts_with(n.nspname, 'pg_temp_') AND NOT starts_with(n.nspname, 'pg_toast_temp_')
       AND NOT EXISTS (SELECT FROM pg_depend d
           WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i'))
       AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_depend d ON d.objid = i.indrelid
           WHERE i.indexrelid = c.oid AND d.deptype = 'e')),
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);

-- name: create_app_role
-- Roles belong to the server and not to the database, so a backup brings none.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'millpond_app') THEN
        CREATE ROLE millpond_app NOLOGIN NOINHERIT;
    END IF;
    IF NOT pg_has_role(current_user, 'millpond_app', 'MEMBER') THEN
        EXECUTE format('GRANT millpond_app TO %I', current_user);
    END IF;
END $$;

-- name: begin_restore
-- Has TimescaleDB let its own tables be filled from a backup, in every later session.
SELECT timescaledb_pre_restore();

-- name: end_restore
-- Has TimescaleDB work as ever.
SELECT timescaledb_post_restore();

-- name: analyze_all
-- Statistics do not come with a backup; without them plans are poor for hours.
ANALYZE;
