-- Who may see and do what: accounts, sessions, row-level security for the application's own role,
-- and the record of what was done.

-- The role that the application takes on for every caller: it owns nothing and passes no policy.
-- Roles belong to the server, so another database may have made it, even at this moment.
DO $$
DECLARE
    was text := current_setting('role');
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'millpond_app') THEN
        BEGIN
            CREATE ROLE millpond_app NOLOGIN NOINHERIT;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL;
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION '% may not create roles: have an administrator of the server run CREATE ROLE millpond_app NOLOGIN; GRANT millpond_app TO %; then migrate again', current_user, quote_ident(current_user);
        END;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'millpond_app' AND (rolsuper OR rolbypassrls)) THEN
        RAISE EXCEPTION 'the role millpond_app passes by row-level security: have an administrator of the server run ALTER ROLE millpond_app NOSUPERUSER NOBYPASSRLS; then migrate again';
    END IF;
    BEGIN
        PERFORM set_config('role', 'millpond_app', true), set_config('role', was, true);
    EXCEPTION WHEN insufficient_privilege THEN
        BEGIN
            EXECUTE format('GRANT millpond_app TO %I', current_user);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION '% may not act as millpond_app: have an administrator of the server run GRANT millpond_app TO %; then migrate again', current_user, quote_ident(current_user);
        END;
    END;
END $$;

CREATE SCHEMA auth;

-- One account is one person in one role.
CREATE TABLE auth.account (
    account_id    int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    login         text NOT NULL UNIQUE CHECK (login = lower(login) AND login <> ''),
    name          text NOT NULL CHECK (name <> ''),
    role          text NOT NULL CHECK (role IN ('ent_filler', 'ent_approver', 'ent_engineer',
                      'county_officer', 'county_leader', 'city_officer', 'city_leader', 'expert',
                      'verifier', 'sysadmin', 'secadmin', 'auditor')),
    -- The county or zone of a county role.
    region_code   text REFERENCES registry.region,
    email         text,
    -- Argon2id; none where the person comes by the bureau's own provider alone.
    password_hash text,
    password_at   timestamptz,
    -- True while the password is one that somebody else chose.
    must_change   boolean NOT NULL DEFAULT true,
    -- Base 32; it counts once the person has shown a code of it.
    totp_secret   text,
    totp_since    timestamptz,
    -- The last time step that a code was taken of, so that none is taken twice.
    totp_step     bigint NOT NULL DEFAULT 0,
    -- Who the person is to the bureau's provider (issuer and subject).
    provider_key  text UNIQUE,
    failures      int  NOT NULL DEFAULT 0,
    locked_until  timestamptz,
    disabled_at   timestamptz,
    made_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by       text NOT NULL,
    version       int  NOT NULL DEFAULT 1,
    CHECK ((role IN ('county_officer', 'county_leader')) = (region_code IS NOT NULL)),
    CHECK (totp_since IS NULL OR totp_secret IS NOT NULL)
);

-- The factories of an enterprise's people, and those assigned to experts and verifiers.
CREATE TABLE auth.account_factory (
    account_id int NOT NULL REFERENCES auth.account,
    factory_id int NOT NULL REFERENCES registry.factory,
    since      timestamptz NOT NULL DEFAULT clock_timestamp(),
    until      timestamptz CHECK (until >= since),
    PRIMARY KEY (account_id, factory_id, since)
);
CREATE INDEX ON auth.account_factory (factory_id);

CREATE TABLE auth.password_past (
    account_id    int  NOT NULL REFERENCES auth.account,
    password_hash text NOT NULL,
    ended_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON auth.password_past (account_id, ended_at);

-- For whoever lost the device that makes the codes; each opens once.
CREATE TABLE auth.recovery_code (
    account_id  int  NOT NULL REFERENCES auth.account,
    code_sha256 text NOT NULL,
    used_at     timestamptz,
    PRIMARY KEY (account_id, code_sha256)
);

-- Addresses from which wrong passwords came.
CREATE TABLE auth.address (
    address      text PRIMARY KEY,
    failures     int  NOT NULL,
    failed_at    timestamptz NOT NULL,
    locked_until timestamptz
);

-- Of the secret in the browser's cookie only the hash is kept.
CREATE TABLE auth.session (
    session_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_sha256 text NOT NULL UNIQUE CHECK (key_sha256 ~ '^[0-9a-f]{64}$'),
    account_id int  NOT NULL REFERENCES auth.account,
    -- Only an open session sees anything; the others lack a code or a password of one's own.
    stage      text NOT NULL CHECK (stage IN ('open', 'code', 'device', 'password')),
    made_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    idle_s     int  NOT NULL CHECK (idle_s > 0),
    expires_at timestamptz NOT NULL,
    address    text NOT NULL,
    ended_at   timestamptz,
    ended_why  text,
    CHECK ((ended_at IS NULL) = (ended_why IS NULL))
);
CREATE INDEX ON auth.session (account_id) WHERE ended_at IS NULL;

-- For the bureau's other systems: what an account may do, or a part of it.
CREATE TABLE auth.token (
    token_id    int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key_sha256  text NOT NULL UNIQUE CHECK (key_sha256 ~ '^[0-9a-f]{64}$'),
    account_id  int  NOT NULL REFERENCES auth.account,
    name        text NOT NULL CHECK (name <> ''),
    permissions text[] NOT NULL CHECK (permissions <> '{}'),
    made_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by     text NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,
    ended_at    timestamptz
);
CREATE INDEX ON auth.token (account_id);

-- A log-in at the bureau's provider that has begun and not come back.
CREATE TABLE auth.provider_login (
    state_sha256 text PRIMARY KEY,
    nonce        text NOT NULL,
    verifier     text NOT NULL,
    expires_at   timestamptz NOT NULL
);

-- True for who owns all of this (jobs, migrations, commands) and for nobody else: the role that a
-- connection has taken on, or else the one that it logged in with, whatever definer runs this.
CREATE FUNCTION auth.is_trusted() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT pg_has_role(
        CASE current_setting('role') WHEN 'none' THEN session_user
        ELSE current_setting('role')::name END, nspowner, 'USAGE')
    FROM pg_namespace WHERE nspname = 'auth'
$$;

-- Whose key the transaction carries: that of a living session or token.
CREATE FUNCTION auth.account_id() RETURNS int
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.account_id
    FROM (
        SELECT account_id FROM auth.session
        WHERE key_sha256 = current_setting('millpond.key', true) AND stage = 'open'
          AND ended_at IS NULL AND now() < expires_at
          AND now() < seen_at + make_interval(secs => idle_s)
        UNION ALL
        SELECT account_id FROM auth.token
        WHERE key_sha256 = current_setting('millpond.key', true)
          AND ended_at IS NULL AND now() < expires_at) AS k
    JOIN auth.account a USING (account_id)
    WHERE a.disabled_at IS NULL
$$;

CREATE FUNCTION auth.role() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT role FROM auth.account WHERE account_id = auth.account_id()
$$;

-- True where no factory is out of scope.
CREATE FUNCTION auth.sees_all() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT auth.is_trusted() OR coalesce(auth.role() IN ('city_officer', 'city_leader'), false)
$$;

-- The factories of a caller who does not see all.
CREATE FUNCTION auth.factories() RETURNS int[]
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT coalesce(array_agg(factory_id), '{}')
    FROM (
        SELECT f.factory_id
        FROM auth.account a
        JOIN registry.factory f ON f.region_code = a.region_code
        WHERE a.account_id = auth.account_id()
        UNION ALL
        SELECT x.factory_id
        FROM auth.account a
        JOIN auth.account_factory x USING (account_id)
        WHERE a.account_id = auth.account_id()
          AND a.role IN ('ent_filler', 'ent_approver', 'ent_engineer', 'expert', 'verifier')
          AND x.since <= now() AND (x.until IS NULL OR now() < x.until)) AS s
$$;

-- Keeps a table with the column factory_id to the caller's scope, and lets the application read it.
-- A later migration calls this for each such table that it adds; rights to write it grants itself.
CREATE PROCEDURE auth.protect(protected regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', protected);
    EXECUTE format('CREATE POLICY scope ON %s USING ((SELECT auth.sees_all())
        OR factory_id = ANY ((SELECT auth.factories())::int[]))', protected);
    EXECUTE format('GRANT SELECT ON %s TO millpond_app', protected);
END $$;

-- The same for a table without that column, through a table that is kept to the scope itself.
CREATE PROCEDURE auth.protect_by(protected regclass, key text, parent regclass, parent_key text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', protected);
    EXECUTE format('CREATE POLICY scope ON %s USING ((SELECT auth.sees_all())
        OR %I IN (SELECT p.%I FROM %s AS p))', protected, key, parent_key, parent);
    EXECUTE format('GRANT SELECT ON %s TO millpond_app', protected);
END $$;

REVOKE ALL ON ALL ROUTINES IN SCHEMA auth FROM PUBLIC;
GRANT USAGE ON SCHEMA auth, registry, telemetry, kpi, pool TO millpond_app;
GRANT EXECUTE ON FUNCTION auth.is_trusted(), auth.account_id(), auth.role(), auth.sees_all(),
    auth.factories() TO millpond_app;

GRANT SELECT ON registry.region TO millpond_app;
CALL auth.protect('registry.factory');
CALL auth.protect('registry.asset');
CALL auth.protect('registry.state_map');
CALL auth.protect('registry.tag');
CALL auth.protect('registry.energy_factor');
CALL auth.protect('registry.shift');
CALL auth.protect('registry.holiday');
CALL auth.protect('registry.planned_stop');
CALL auth.protect('registry.gateway');
CALL auth.protect('registry.bill');
CALL auth.protect('registry.line');
CALL auth.protect('registry.energy_stock');
CALL auth.protect('registry.energy_method');
CALL auth.protect('registry.declaration');
CALL auth.protect_by('registry.enterprise', 'enterprise_id', 'registry.factory', 'enterprise_id');
CALL auth.protect_by('registry.ideal_cycle', 'asset_id', 'registry.asset', 'asset_id');
CALL auth.protect_by('registry.meter', 'asset_id', 'registry.asset', 'asset_id');
CALL auth.protect_by('registry.meter_exchange', 'asset_id', 'registry.asset', 'asset_id');
CALL auth.protect_by('registry.asset_limit', 'asset_id', 'registry.asset', 'asset_id');
CALL auth.protect_by('registry.gateway_event', 'gateway_code', 'registry.gateway', 'code');

CALL auth.protect('kpi.figure');
CALL auth.protect('kpi.verdict');
CALL auth.protect('kpi.verdict_past');
CALL auth.protect('kpi.verdict_basis');
CALL auth.protect('kpi.verdict_basis_past');
CALL auth.protect('kpi.finding');
CALL auth.protect('kpi.evidence');
CALL auth.protect('kpi.period_lock');
CALL auth.protect('kpi.pending_figure');

CALL auth.protect('pool.promise');
CALL auth.protect('pool.self_report');
CALL auth.protect('pool.follow_up');

-- Ordinary tables of what arrived; the application's role only reads, so that COPY stays possible
-- for who owns them.
CALL auth.protect('telemetry.record');
CALL auth.protect_by('telemetry.batch', 'gateway_id', 'registry.gateway', 'gateway_id');
CALL auth.protect_by('telemetry.absorbed', 'batch_id', 'telemetry.batch', 'batch_id');
CALL auth.protect_by('telemetry.quarantine', 'gateway_id', 'registry.gateway', 'gateway_id');
CALL auth.protect_by('telemetry.finding', 'gateway_id', 'registry.gateway', 'gateway_id');

-- Hypertables cannot be kept by policies: a right on one is a right on each of its chunks, which no
-- policy guards. People reach their rows through these views alone.
CREATE SCHEMA scoped;
GRANT USAGE ON SCHEMA scoped TO millpond_app;

CREATE VIEW scoped.measurement WITH (security_barrier) AS
SELECT ts, tag_id, value, status, batch_id
FROM telemetry.measurement
WHERE (SELECT auth.sees_all()) OR tag_id IN (
    SELECT tag_id FROM registry.tag WHERE factory_id = ANY ((SELECT auth.factories())::int[]));

-- The same in an order of time: nothing but an order of its own lets a reader stop after the first
-- rows, since a barrier keeps the reader's order from the index.
CREATE VIEW scoped.newest_measurement WITH (security_barrier) AS
SELECT ts, tag_id, value, status, batch_id
FROM telemetry.measurement
WHERE (SELECT auth.sees_all()) OR tag_id IN (
    SELECT tag_id FROM registry.tag WHERE factory_id = ANY ((SELECT auth.factories())::int[]))
ORDER BY ts DESC;

CREATE VIEW scoped.oldest_measurement WITH (security_barrier) AS
SELECT ts, tag_id, value, status, batch_id
FROM telemetry.measurement
WHERE (SELECT auth.sees_all()) OR tag_id IN (
    SELECT tag_id FROM registry.tag WHERE factory_id = ANY ((SELECT auth.factories())::int[]))
ORDER BY ts;

CREATE VIEW scoped.fact_hour WITH (security_barrier) AS
SELECT * FROM kpi.fact_hour
WHERE (SELECT auth.sees_all()) OR asset_id IN (
    SELECT asset_id FROM registry.asset WHERE factory_id = ANY ((SELECT auth.factories())::int[]));

GRANT SELECT ON ALL TABLES IN SCHEMA scoped TO millpond_app;

-- Who did what, when, to what, and what it was before and after. Entries outlive what they name.
CREATE SCHEMA audit;

CREATE TABLE audit.entry (
    entry_id        bigint PRIMARY KEY,
    at              timestamptz NOT NULL,
    account_id      int,
    actor           text  NOT NULL,
    role            text  NOT NULL,
    action          text  NOT NULL CHECK (action <> ''),
    kind            text  NOT NULL,
    key             text  NOT NULL,
    factory_id      int,
    before          jsonb,
    after           jsonb,
    reason          text,
    previous_sha256 bytea NOT NULL CHECK (length(previous_sha256) = 32),
    sha256          bytea NOT NULL CHECK (length(sha256) = 32)
);
CREATE INDEX ON audit.entry (factory_id, entry_id);
CREATE INDEX ON audit.entry (kind, key);
CREATE INDEX ON audit.entry (account_id, entry_id);

-- What a transaction wants to have noted; it is chained when the transaction commits.
CREATE TABLE audit.note (
    note_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    account_id int,
    actor      text NOT NULL,
    role       text NOT NULL,
    action     text NOT NULL CHECK (action <> ''),
    kind       text NOT NULL,
    key        text NOT NULL,
    factory_id int,
    before     jsonb,
    after      jsonb,
    reason     text
);

-- What the hash of an entry is formed from, beside the hash of the entry before it.
CREATE FUNCTION audit.content(e audit.entry) RETURNS bytea LANGUAGE sql STABLE
RETURN convert_to(jsonb_build_array(e.entry_id, (extract(epoch FROM e.at) * 1000000)::bigint,
    e.account_id, e.actor, e.role, e.action, e.kind, e.key, e.factory_id, e.before, e.after,
    e.reason)::text, 'UTF8');

-- Runs at the end of the transaction: the lock that puts entries in one row is taken after every
-- other lock and held for the commit alone.
CREATE FUNCTION audit.chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    n audit.note;
    e audit.entry;
BEGIN
    DELETE FROM audit.note WHERE note_id = NEW.note_id RETURNING * INTO n;
    IF n.note_id IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM pg_advisory_xact_lock(x'41554449'::int);  -- "AUDI"
    SELECT entry_id, sha256 INTO e.entry_id, e.previous_sha256
    FROM audit.entry ORDER BY entry_id DESC LIMIT 1;
    e.entry_id := coalesce(e.entry_id, 0) + 1;
    e.previous_sha256 := coalesce(e.previous_sha256, decode(repeat('00', 32), 'hex'));
    e.at := n.at;
    e.account_id := n.account_id;
    e.actor := n.actor;
    e.role := n.role;
    e.action := n.action;
    e.kind := n.kind;
    e.key := n.key;
    e.factory_id := n.factory_id;
    e.before := n.before;
    e.after := n.after;
    e.reason := n.reason;
    e.sha256 := sha256(e.previous_sha256 || audit.content(e));
    INSERT INTO audit.entry SELECT (e).*;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER chain AFTER INSERT ON audit.note
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit.chain();

CREATE FUNCTION audit.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of the audit are never changed or removed';
END $$;
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit.keep();

-- Who acts for a caller notes what that caller did and nobody else, and only within the scope.
CREATE FUNCTION audit.append(account_id int, actor text, role text, action text, kind text, key text,
    factory_id int, before jsonb, after jsonb, reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF NOT auth.is_trusted() THEN
        SELECT a.account_id, a.name, a.role INTO account_id, actor, role
        FROM auth.account a WHERE a.account_id = auth.account_id();
        IF account_id IS NULL THEN
            RAISE EXCEPTION 'nobody is logged in' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF NOT (auth.sees_all() OR factory_id IS NULL OR factory_id = ANY (auth.factories())) THEN
            RAISE EXCEPTION 'the factory is out of scope' USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    INSERT INTO audit.note (account_id, actor, role, action, kind, key, factory_id, before, after,
        reason)
    VALUES (account_id, actor, role, action, kind, key, factory_id, before, after, reason);
END $$;

-- Auditors read all of it, officers and enterprises what is about the factories of their scope.
ALTER TABLE audit.entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY scope ON audit.entry FOR SELECT USING (
    (SELECT auth.is_trusted()) OR (SELECT auth.role()) = 'auditor'
    OR factory_id IS NOT NULL AND (SELECT auth.sees_all())
    OR factory_id = ANY ((SELECT auth.factories())::int[]));

REVOKE ALL ON ALL ROUTINES IN SCHEMA audit FROM PUBLIC;
GRANT USAGE ON SCHEMA audit TO millpond_app;
GRANT SELECT ON audit.entry TO millpond_app;
GRANT EXECUTE ON FUNCTION audit.append(int, text, text, text, text, text, int, jsonb, jsonb, text)
    TO millpond_app;
