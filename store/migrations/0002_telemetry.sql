-- What arrived: the batch ledger, its rows and its records.
CREATE SCHEMA telemetry;

CREATE TABLE telemetry.batch (
    batch_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway_id     int    NOT NULL REFERENCES registry.gateway,
    seq            bigint NOT NULL CHECK (seq > 0),
    config_version text   NOT NULL,
    imported       boolean NOT NULL,
    row_count      int    NOT NULL,
    record_count   int    NOT NULL,
    first_ts       timestamptz,
    last_ts        timestamptz,
    sha256         bytea  NOT NULL CHECK (length(sha256) = 32),
    prev_sha256    bytea  NOT NULL CHECK (length(prev_sha256) = 32),
    signature      bytea  NOT NULL CHECK (length(signature) = 64),
    received_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    clock_skew_s   float8,
    UNIQUE (gateway_id, seq)
);

-- status is an OPC UA StatusCode, its 32 bits read as a signed integer; a bad row has no value.
CREATE TABLE telemetry.measurement (
    ts       timestamptz NOT NULL,
    tag_id   int    NOT NULL,
    value    float8,
    status   int    NOT NULL,
    batch_id bigint NOT NULL
);
SELECT create_hypertable('telemetry.measurement', by_range('ts', INTERVAL '30 days'),
                         create_default_indexes => false);
CREATE UNIQUE INDEX measurement_tag_ts ON telemetry.measurement (tag_id, ts);

-- A row offered again with another value: the first stays, the other is kept here.
CREATE TABLE telemetry.conflict (
    tag_id         int    NOT NULL,
    ts             timestamptz NOT NULL,
    kept_value     float8,
    kept_status    int    NOT NULL,
    kept_batch_id  bigint NOT NULL,
    offered_value  float8,
    offered_status int    NOT NULL,
    batch_id       bigint NOT NULL REFERENCES telemetry.batch
);

-- How many rows of a batch were there before with the same value.
CREATE TABLE telemetry.absorbed (
    batch_id bigint PRIMARY KEY REFERENCES telemetry.batch,
    row_count int NOT NULL
);

-- Append-only versions by natural key; at is the business date that the record counts for.
CREATE TABLE telemetry.record (
    record_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id int    NOT NULL REFERENCES registry.factory,
    kind       text   NOT NULL,
    key        text   NOT NULL,
    version    int    NOT NULL,
    at         timestamptz NOT NULL,
    body       jsonb  NOT NULL,
    batch_id   bigint NOT NULL REFERENCES telemetry.batch,
    UNIQUE (factory_id, kind, key, version)
);
CREATE INDEX ON telemetry.record (factory_id, kind, at);

-- What could not be taken, with the reason, for an operator to see.
CREATE TABLE telemetry.quarantine (
    quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway_id    int  NOT NULL REFERENCES registry.gateway,
    source        text NOT NULL,
    reason        text NOT NULL,
    payload       text NOT NULL,
    seen_at       timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Something about a gateway that a person must see, such as a sequence number used twice.
CREATE TABLE telemetry.finding (
    finding_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway_id int   NOT NULL REFERENCES registry.gateway,
    rule       text  NOT NULL,
    detail     jsonb NOT NULL,
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
