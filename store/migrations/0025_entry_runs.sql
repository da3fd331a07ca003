-- Lists of the factories that a bureau has, as an officer hands them over on a page.

-- A trial judges each row of a list and stores nothing; an import takes in the list of its trial.
-- The machine does both: the application's role writes no factory.
CREATE TABLE pool.entry_run (
    run_id      int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trial_id    int  REFERENCES pool.entry_run,
    file_name   text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 200),
    file_sha256 text NOT NULL CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
    -- Of a trial alone, and for a while.
    content     bytea CHECK (octet_length(content) BETWEEN 1 AND 5242880),
    -- Faulty rows are left out; else nothing is stored while there is one.
    skip_faulty boolean NOT NULL DEFAULT false,
    state       text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'done', 'failed')),
    attempts    int  NOT NULL DEFAULT 0,
    not_before  timestamptz NOT NULL,
    taken_at    timestamptz,
    error       text,
    account_id  int  NOT NULL REFERENCES auth.account,
    actor       text NOT NULL,
    role        text NOT NULL,
    asked_at    timestamptz NOT NULL,
    report      jsonb,
    ended_at    timestamptz,
    CHECK (trial_id IS NULL OR content IS NULL),
    CHECK (trial_id IS NOT NULL OR NOT skip_faulty),
    CHECK ((state = 'done') = (report IS NOT NULL)),
    CHECK ((state IN ('done', 'failed')) = (ended_at IS NOT NULL)),
    CHECK ((state = 'failed') <= (error IS NOT NULL))
);
-- A list is taken in once.
CREATE UNIQUE INDEX entry_import ON pool.entry_run (trial_id) WHERE state <> 'failed';
CREATE INDEX entry_queue ON pool.entry_run (not_before, run_id) WHERE state IN ('queued', 'running');

-- City officers alone, each in their own name; what comes of it, the machine writes.
ALTER TABLE pool.entry_run ENABLE ROW LEVEL SECURITY;
CREATE POLICY reads ON pool.entry_run FOR SELECT USING ((SELECT auth.role()) = 'city_officer');
CREATE POLICY asks ON pool.entry_run FOR INSERT WITH CHECK (
    (SELECT auth.role()) = 'city_officer' AND account_id = (SELECT auth.account_id())
    AND state = 'queued' AND report IS NULL);
GRANT SELECT (run_id, trial_id, file_name, file_sha256, skip_faulty, state, attempts, error,
    account_id, actor, asked_at, report, ended_at), INSERT ON pool.entry_run TO millpond_app;
