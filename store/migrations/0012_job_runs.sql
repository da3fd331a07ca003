-- What the jobs did, and what they are going to try again.
CREATE TABLE kpi.job_run (
    run_id     int  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Without an end the run goes on, or was cut short: its worker holds a lock while it lives.
    ended_at   timestamptz,
    outcome    text CHECK (outcome IN ('done', 'failed')),
    error      text,
    -- Pieces of work: done, failed, and those left alone until their next try.
    counts     jsonb NOT NULL DEFAULT '{}',
    CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CHECK ((outcome = 'failed') = (error IS NOT NULL))
);
CREATE INDEX ON kpi.job_run (started_at);

-- Pieces of work, such as one asset, that failed at their last try.
CREATE TABLE kpi.job_retry (
    name         text NOT NULL,
    piece        text NOT NULL,
    failures     int  NOT NULL CHECK (failures > 0),
    error        text NOT NULL,
    failed_since timestamptz NOT NULL DEFAULT clock_timestamp(),
    next_try_at  timestamptz NOT NULL,
    PRIMARY KEY (name, piece)
);
