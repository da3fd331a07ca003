-- What was computed: dirty marks, hour facts, figures and verdicts.
CREATE SCHEMA kpi;

-- Appended by ingest in the batch's transaction, removed by the job that recomputed the hour.
-- No unique key: ingest never waits for a job.
CREATE TABLE kpi.dirty_hour (
    dirty_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asset_id int NOT NULL,
    hour     timestamptz NOT NULL
);
CREATE INDEX ON kpi.dirty_hour (asset_id, hour);

-- Record versions whose months are to be found; kpi knows which month a record counts for.
CREATE TABLE kpi.dirty_record (
    record_id bigint PRIMARY KEY REFERENCES telemetry.record
);

-- Local months whose figures are to be formed again.
CREATE TABLE kpi.dirty_month (
    dirty_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id int  NOT NULL,
    month      date NOT NULL
);
CREATE INDEX ON kpi.dirty_month (factory_id, month);

-- Additive sums of one asset and hour. Planned busy time is split by state; the hour is split by calendar.
CREATE TABLE kpi.fact_hour (
    hour               timestamptz NOT NULL,
    asset_id           int    NOT NULL,
    planned_s          float8 NOT NULL,
    planned_down_s     float8 NOT NULL,
    off_s              float8 NOT NULL,
    run_s              float8 NOT NULL,
    setup_s            float8 NOT NULL,
    stop_s             float8 NOT NULL,
    idle_s             float8 NOT NULL,
    unknown_s          float8 NOT NULL,
    -- Seconds of the whole hour in which the asset was heard of, planned or not.
    known_s            float8 NOT NULL,
    -- Planned seconds that no pair of count samples spans; 0 where the asset has no count.
    uncounted_s        float8 NOT NULL,
    total              float8,
    good               float8,
    reject             float8,
    ideal_total_s      float8,
    ideal_total_low_s  float8,
    ideal_total_high_s float8,
    ideal_good_s       float8,
    ideal_good_low_s   float8,
    ideal_good_high_s  float8,
    -- In the carrier's unit at the primary side; meters only.
    energy             float8,
    energy_low         float8,
    energy_high        float8,
    row_count          int    NOT NULL,
    changes            int    NOT NULL,
    flags              int    NOT NULL,
    -- Order-free fingerprint of the rows under the fact.
    digest             bigint NOT NULL,
    CHECK (abs(planned_s + planned_down_s + off_s - 3600) < 0.001),
    CHECK (abs(run_s + setup_s + stop_s + idle_s + unknown_s - planned_s) < 0.001)
);
SELECT create_hypertable('kpi.fact_hour', by_range('hour', INTERVAL '180 days'),
                         create_default_indexes => false);
CREATE UNIQUE INDEX fact_hour_asset_hour ON kpi.fact_hour (asset_id, hour);

CREATE TABLE kpi.figure (
    figure_id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id          int    NOT NULL REFERENCES registry.factory,
    kpi                 text   NOT NULL,
    period_kind         text   NOT NULL CHECK (period_kind IN ('month', 'rolling12')),
    period_start        date   NOT NULL,
    period_end          date   NOT NULL CHECK (period_end > period_start),
    -- 0 while the period is open; each change of a closed period adds the next revision.
    revision            int    NOT NULL CHECK (revision >= 0),
    unit                text   NOT NULL,
    point               float8,
    low                 float8,
    high                float8,
    coverage            float8 NOT NULL CHECK (coverage BETWEEN 0 AND 1),
    grade               text   NOT NULL CHECK (grade IN ('A', 'B', 'C', 'D')),
    -- Why there is no point, in words.
    reason              text,
    method_version      text   NOT NULL,
    coefficient_version text   NOT NULL,
    -- The sums that the point was formed from.
    inputs              jsonb  NOT NULL,
    inputs_sha256       bytea  NOT NULL,
    computed_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((point IS NULL) = (reason IS NOT NULL)),
    CHECK (low <= point AND point <= high),
    UNIQUE (factory_id, kpi, period_kind, period_start, revision)
);

CREATE SCHEMA pool;

-- What the application promised: before and after renovation, in the figure's unit.
CREATE TABLE pool.promise (
    factory_id     int    NOT NULL REFERENCES registry.factory,
    kpi            text   NOT NULL,
    before_value   float8,
    before_basis   text   NOT NULL CHECK (before_basis IN ('measured', 'documented', 'declared')),
    expected_value float8 NOT NULL,
    PRIMARY KEY (factory_id, kpi)
);

CREATE TABLE pool.self_report (
    factory_id   int    NOT NULL REFERENCES registry.factory,
    kpi          text   NOT NULL,
    period_start date   NOT NULL,
    period_end   date   NOT NULL CHECK (period_end > period_start),
    value        float8 NOT NULL,
    reported_at  timestamptz NOT NULL,
    PRIMARY KEY (factory_id, kpi, period_start, period_end)
);

-- The two verdicts on the latest revision of one rolling year.
CREATE TABLE kpi.verdict (
    factory_id        int   NOT NULL REFERENCES registry.factory,
    kpi               text  NOT NULL,
    period_start      date  NOT NULL,
    period_end        date  NOT NULL,
    figure_id         bigint NOT NULL REFERENCES kpi.figure,
    before_value      float8,
    before_basis      text,
    expected_value    float8,
    reported_value    float8,
    -- (verified - before) / (expected - before): 0 is before, 1 is as promised.
    fulfilment        float8,
    fulfilment_low    float8,
    fulfilment_high   float8,
    fulfilment_verdict  text NOT NULL CHECK (fulfilment_verdict IN
        ('over', 'met', 'partly', 'missed', 'worse', 'unknown', 'pending')),
    -- (reported - verified) / |verified|.
    deviation         float8,
    consistency_verdict text NOT NULL CHECK (consistency_verdict IN ('same', 'off', 'false', 'unknown')),
    decided_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (factory_id, kpi, period_start)
);

-- The feed: what changed for which factory, in the order of its cursor.
CREATE TABLE pool.follow_up (
    cursor       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id   int   NOT NULL REFERENCES registry.factory,
    kpi          text  NOT NULL,
    what         text  NOT NULL CHECK (what IN ('figure', 'fulfilment', 'consistency')),
    period_kind  text  NOT NULL,
    period_start date  NOT NULL,
    period_end   date  NOT NULL,
    before       jsonb,
    after        jsonb NOT NULL,
    figure_id    bigint NOT NULL REFERENCES kpi.figure,
    changed_at   timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON pool.follow_up (factory_id, cursor);
