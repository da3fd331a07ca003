-- What an audit needs beside the rows: the content of each batch as its gateway signed it, and the
-- periods whose figures are settled.

-- The rows of a batch that were there before with the same value, as one array a column; no value
-- reads as NaN. Batches from before this table say only how many they were.
CREATE TABLE telemetry.absorbed_rows (
    batch_id bigint PRIMARY KEY REFERENCES telemetry.batch,
    tag_ids  int[]         NOT NULL,
    times    timestamptz[] NOT NULL,
    numbers  float8[]      NOT NULL,
    statuses int[]         NOT NULL
);

-- The canonical bytes of a batch's records: a repeated record makes no version, and jsonb keeps the
-- meaning of a number but not the bytes that were signed.
CREATE TABLE telemetry.signed_records (
    batch_id bigint PRIMARY KEY REFERENCES telemetry.batch,
    content  bytea NOT NULL
);

-- Batches that brought records are found without reading the others.
CREATE INDEX ON telemetry.record (batch_id);

-- A settled period: its figures stay as they are until somebody says why not. One lock at a time.
CREATE TABLE kpi.period_lock (
    lock_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id   int  NOT NULL REFERENCES registry.factory,
    period_kind  text NOT NULL,
    period_start date NOT NULL,
    period_end   date NOT NULL CHECK (period_end > period_start),
    locked_by    text NOT NULL,
    locked_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    unlocked_by  text,
    unlocked_at  timestamptz,
    reason       text,
    CHECK ((unlocked_at IS NULL) = (unlocked_by IS NULL)),
    CHECK ((unlocked_at IS NULL) = (reason IS NULL))
);
CREATE UNIQUE INDEX ON kpi.period_lock (factory_id, period_kind, period_start)
    WHERE unlocked_at IS NULL;

-- What a settled figure would be by now: it stands beside the figure and waits for a decision.
CREATE TABLE kpi.pending_figure (
    factory_id          int    NOT NULL REFERENCES registry.factory,
    kpi                 text   NOT NULL,
    period_kind         text   NOT NULL,
    period_start        date   NOT NULL,
    period_end          date   NOT NULL,
    unit                text   NOT NULL,
    point               float8,
    low                 float8,
    high                float8,
    coverage            float8 NOT NULL,
    grade               text   NOT NULL,
    reason              text,
    method_version      text   NOT NULL,
    coefficient_version text   NOT NULL,
    inputs              jsonb  NOT NULL,
    inputs_sha256       bytea  NOT NULL,
    computed_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (factory_id, kpi, period_kind, period_start)
);

-- No job, no version of Millpond and no hand changes a settled figure in passing.
CREATE FUNCTION kpi.keep_locked_figure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM kpi.period_lock l
        WHERE l.factory_id = OLD.factory_id AND l.period_kind = OLD.period_kind
          AND l.period_start = OLD.period_start AND l.unlocked_at IS NULL) THEN
        RAISE EXCEPTION 'figure % is locked; unlock its period with a reason first', OLD.figure_id;
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER keep_locked BEFORE UPDATE OR DELETE ON kpi.figure
    FOR EACH ROW EXECUTE FUNCTION kpi.keep_locked_figure();
