-- Membership of the pool: where each factory stands, how it came there, what that rests on, and the
-- policy that it was decided under.

-- What an entry list promised stays when a monitoring plan does not name it.
ALTER TABLE pool.promise
    ADD COLUMN origin text NOT NULL DEFAULT 'plan' CHECK (origin IN ('plan', 'entry'));

-- A factory's stay in the pool; one that comes back has another.
CREATE TABLE pool.membership (
    membership_id int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id    int  NOT NULL REFERENCES registry.factory,
    state         text NOT NULL,
    -- Rises with every step; stage is the version at which the state was entered.
    version       int  NOT NULL CHECK (version >= 1),
    stage         int  NOT NULL CHECK (stage BETWEEN 1 AND version),
    since         timestamptz NOT NULL,
    entered_on    date NOT NULL,
    -- The last day of the term that runs; estimated where a calendar of its year is not known.
    deadline           date,
    deadline_estimated boolean NOT NULL DEFAULT false,
    extensions    int  NOT NULL DEFAULT 0 CHECK (extensions >= 0),
    reviewed_on   date,
    left_on       date CHECK (left_on >= entered_on),
    lifecycle_id  text NOT NULL
);
CREATE UNIQUE INDEX membership_current ON pool.membership (factory_id) WHERE left_on IS NULL;
CREATE INDEX ON pool.membership (state, deadline) WHERE left_on IS NULL;

-- Every value of a policy that something was decided under.
CREATE TABLE pool.policy_version (
    policy_id  text  PRIMARY KEY,
    values     jsonb NOT NULL,
    first_used timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How a membership moved: rows are only added.
CREATE TABLE pool.transition (
    transition_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    membership_id int  NOT NULL REFERENCES pool.membership,
    factory_id    int  NOT NULL REFERENCES registry.factory,
    -- The version that the membership has by it.
    version       int  NOT NULL,
    transition_id text NOT NULL,
    -- Null where the factory entered.
    from_state    text,
    to_state      text NOT NULL,
    at            timestamptz NOT NULL,
    account_id    int  REFERENCES auth.account,
    actor         text NOT NULL,
    role          text NOT NULL,
    comment       text NOT NULL,
    request_id    bigint,
    deadline      date,
    lifecycle_id  text NOT NULL,
    policy_id     text NOT NULL REFERENCES pool.policy_version,
    situation     jsonb NOT NULL,
    documents     text[] NOT NULL,
    UNIQUE (membership_id, version)
);
CREATE INDEX ON pool.transition (factory_id, transition_no);

-- A step that a second person confirms.
CREATE TABLE pool.request (
    request_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    membership_id int  NOT NULL REFERENCES pool.membership,
    factory_id    int  NOT NULL REFERENCES registry.factory,
    transition_id text NOT NULL,
    -- The membership's version when it was asked for.
    version       int  NOT NULL,
    account_id    int  REFERENCES auth.account,
    actor         text NOT NULL,
    role          text NOT NULL,
    comment       text NOT NULL,
    at            timestamptz NOT NULL,
    outcome       text CHECK (outcome IN ('confirmed', 'declined', 'withdrawn', 'overtaken')),
    decided_id    int  REFERENCES auth.account,
    decided_by    text,
    decided_at    timestamptz,
    answer        text,
    CHECK ((outcome IS NULL) = (decided_at IS NULL)),
    CHECK (outcome <> 'confirmed' OR decided_id IS DISTINCT FROM account_id)
);
CREATE UNIQUE INDEX request_open ON pool.request (membership_id) WHERE outcome IS NULL;

-- Scans and papers, by what they hold.
CREATE TABLE pool.file (
    factory_id int   NOT NULL REFERENCES registry.factory,
    sha256     text  NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    name       text  NOT NULL CHECK (name <> ''),
    media_type text  NOT NULL CHECK (media_type IN ('application/pdf', 'image/png', 'image/jpeg',
        'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
        'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')),
    content    bytea NOT NULL CHECK (length(content) BETWEEN 1 AND 20971520),
    account_id int   REFERENCES auth.account,
    actor      text  NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (factory_id, sha256),
    CHECK (sha256 = encode(sha256(content), 'hex'))
);

-- What people found, said and did, and by whom it was made. An item is never changed: another one
-- withdraws it.
CREATE TABLE pool.evidence_item (
    item_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    membership_id int  NOT NULL REFERENCES pool.membership,
    factory_id    int  NOT NULL REFERENCES registry.factory,
    -- The stage of the membership in which it was recorded.
    stage         int  NOT NULL,
    kind          text NOT NULL,
    happened_on   date NOT NULL,
    data          jsonb NOT NULL,
    note          text NOT NULL,
    -- Names of those who were there; accounts are those of them who have one, and the author.
    people        text[] NOT NULL,
    accounts      int[]  NOT NULL,
    account_id    int  REFERENCES auth.account,
    actor         text NOT NULL,
    role          text NOT NULL,
    at            timestamptz NOT NULL,
    file_sha256   text,
    withdraws     bigint UNIQUE REFERENCES pool.evidence_item,
    FOREIGN KEY (factory_id, file_sha256) REFERENCES pool.file (factory_id, sha256)
);
CREATE INDEX ON pool.evidence_item (membership_id, item_id);

-- What the machine warned of, with the numbers that fired it and those by which it was cleared.
CREATE TABLE pool.warning (
    warning_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id    int  NOT NULL REFERENCES registry.factory,
    rule          text NOT NULL,
    -- A KPI, a report or a gateway where a rule speaks of several; else empty.
    subject       text NOT NULL DEFAULT '',
    since         date NOT NULL,
    numbers       jsonb NOT NULL,
    policy_id     text NOT NULL REFERENCES pool.policy_version,
    fired_at      timestamptz NOT NULL,
    cleared_at    timestamptz,
    cleared_by    jsonb,
    CHECK ((cleared_at IS NULL) = (cleared_by IS NULL))
);
CREATE UNIQUE INDEX warning_open ON pool.warning (factory_id, rule, subject)
    WHERE cleared_at IS NULL;

-- Values that the bureau sets: proposed by one, confirmed by another, holding from a day on.
CREATE TABLE pool.policy_value (
    value_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key          text  NOT NULL,
    value        jsonb NOT NULL,
    valid_from   date  NOT NULL,
    -- The document that says so.
    source       text  NOT NULL CHECK (source <> ''),
    account_id   int   REFERENCES auth.account,
    actor        text  NOT NULL,
    proposed_at  timestamptz NOT NULL,
    outcome      text  CHECK (outcome IN ('confirmed', 'declined')),
    decided_id   int   REFERENCES auth.account,
    decided_by   text,
    decided_at   timestamptz,
    answer       text,
    CHECK ((outcome IS NULL) = (decided_at IS NULL)),
    -- Without accounts, as on the command line, two names say that they are two.
    CHECK (outcome <> 'confirmed' OR decided_id IS DISTINCT FROM account_id
        OR (decided_id IS NULL AND decided_by <> actor))
);
CREATE INDEX ON pool.policy_value (key, valid_from);

-- What happened, for letters, messages, to-dos, the feed and other systems. The cursor is given at
-- the end of the transaction, so that none appears behind one that was read.
CREATE SEQUENCE pool.event_cursor;
CREATE TABLE pool.event (
    event_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cursor        bigint UNIQUE,
    factory_id    int  NOT NULL REFERENCES registry.factory,
    kind          text NOT NULL CHECK (kind <> ''),
    at            timestamptz NOT NULL,
    account_id    int  REFERENCES auth.account,
    actor         text NOT NULL,
    role          text NOT NULL,
    payload       jsonb NOT NULL
);
CREATE INDEX ON pool.event (factory_id, cursor);

CREATE FUNCTION pool.publish() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The lock of the audit's chain: a transaction waits for one of both only.
    PERFORM pg_advisory_xact_lock(x'41554449'::int);
    UPDATE pool.event SET cursor = nextval('pool.event_cursor') WHERE event_id = NEW.event_id;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER publish AFTER INSERT ON pool.event
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pool.publish();

-- The answer to a request that carried an Idempotency-Key, given again when it is repeated.
CREATE TABLE pool.answered (
    account_id  int   NOT NULL REFERENCES auth.account,
    key         text  NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    fingerprint text  NOT NULL,
    status      int   NOT NULL,
    etag        text,
    body        jsonb NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, key)
);

-- Nothing that happened is changed afterwards, by whomever.
CREATE FUNCTION pool.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are only added', TG_TABLE_NAME;
END $$;
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON pool.transition
    FOR EACH ROW EXECUTE FUNCTION pool.keep();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON pool.evidence_item
    FOR EACH ROW EXECUTE FUNCTION pool.keep();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON pool.policy_version
    FOR EACH ROW EXECUTE FUNCTION pool.keep();

-- No membership is where no step led.
CREATE FUNCTION pool.has_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pool.transition t
        WHERE t.membership_id = NEW.membership_id AND t.version = NEW.version
          AND t.to_state = NEW.state) THEN
        RAISE EXCEPTION 'membership % has no step to %', NEW.membership_id, NEW.state;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER has_step AFTER INSERT OR UPDATE ON pool.membership
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pool.has_step();

CALL auth.protect('pool.membership');
CALL auth.protect('pool.transition');
CALL auth.protect('pool.request');
CALL auth.protect('pool.file');
CALL auth.protect('pool.evidence_item');
CALL auth.protect('pool.warning');
CALL auth.protect('pool.event');

-- Officers alone move a membership; nobody writes in another's name.
CREATE POLICY officers ON pool.membership AS RESTRICTIVE FOR UPDATE USING (
    (SELECT auth.is_trusted()) OR (SELECT auth.role()) IN
        ('county_officer', 'county_leader', 'city_officer', 'city_leader'));
CREATE POLICY officers ON pool.transition AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted()) OR account_id = (SELECT auth.account_id()) AND (SELECT auth.role()) IN
        ('county_officer', 'county_leader', 'city_officer', 'city_leader'));
CREATE POLICY own ON pool.request AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted()) OR account_id = (SELECT auth.account_id()) AND outcome IS NULL);
CREATE POLICY decides ON pool.request AS RESTRICTIVE FOR UPDATE
    USING (true)
    WITH CHECK ((SELECT auth.is_trusted()) OR decided_id = (SELECT auth.account_id()));
CREATE POLICY own ON pool.file AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted()) OR account_id = (SELECT auth.account_id()));
CREATE POLICY own ON pool.evidence_item AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted()) OR account_id = (SELECT auth.account_id()));
CREATE POLICY own ON pool.event AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted()) OR account_id = (SELECT auth.account_id()));

GRANT UPDATE (state, version, stage, since, deadline, deadline_estimated, extensions, reviewed_on,
    left_on, lifecycle_id) ON pool.membership TO millpond_app;
GRANT INSERT ON pool.transition, pool.request, pool.file, pool.evidence_item, pool.event
    TO millpond_app;
GRANT UPDATE (outcome, decided_id, decided_by, decided_at, answer) ON pool.request TO millpond_app;

-- The policy is the same for all: every caller reads it, city people write it.
ALTER TABLE pool.policy_value ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON pool.policy_value FOR SELECT USING ((SELECT auth.is_trusted())
    OR (SELECT auth.account_id()) IS NOT NULL);
CREATE POLICY proposes ON pool.policy_value FOR INSERT WITH CHECK (
    account_id = (SELECT auth.account_id()) AND outcome IS NULL
    AND (SELECT auth.role()) IN ('city_officer', 'city_leader'));
CREATE POLICY decides ON pool.policy_value FOR UPDATE
    USING (outcome IS NULL AND (SELECT auth.role()) IN ('city_officer', 'city_leader'))
    WITH CHECK (decided_id = (SELECT auth.account_id()) AND decided_id <> account_id);
GRANT SELECT, INSERT ON pool.policy_value TO millpond_app;
GRANT UPDATE (outcome, decided_id, decided_by, decided_at, answer) ON pool.policy_value
    TO millpond_app;

ALTER TABLE pool.policy_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON pool.policy_version USING ((SELECT auth.account_id()) IS NOT NULL);
GRANT SELECT, INSERT ON pool.policy_version TO millpond_app;

ALTER TABLE pool.answered ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON pool.answered USING (account_id = (SELECT auth.account_id()));
GRANT SELECT, INSERT ON pool.answered TO millpond_app;
