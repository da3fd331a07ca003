-- What the plausibility rules found, and what the plan says that they are measured by.
CREATE TABLE kpi.finding (
    finding_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id   int    NOT NULL REFERENCES registry.factory,
    period_start date   NOT NULL,
    period_end   date   NOT NULL CHECK (period_end > period_start),
    rule         text   NOT NULL,
    rule_version text   NOT NULL,
    severity     text   NOT NULL CHECK (severity IN
        ('fail', 'warn', 'review', 'pass', 'not_applicable')),
    -- A tag, an asset, a record or the factory, by name.
    subject      text   NOT NULL,
    asset_id     int    REFERENCES registry.asset,
    tag_id       int    REFERENCES registry.tag,
    measured     float8,
    threshold    float8,
    unit         text   NOT NULL,
    -- Code of the sentence for people.
    message      text   NOT NULL,
    -- Spans of time, records or batches that show it; the first of shown_count.
    shown        jsonb  NOT NULL,
    shown_count  int    NOT NULL,
    found_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- The end of the hours that the check looked at.
    checked_until timestamptz NOT NULL,
    checked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    cleared_at   timestamptz,
    CHECK ((severity = 'not_applicable') = (measured IS NULL))
);
CREATE UNIQUE INDEX finding_current ON kpi.finding (factory_id, period_start, rule, severity, subject)
    WHERE cleared_at IS NULL;

-- Months that are to be checked again.
CREATE TABLE kpi.finding_mark (
    mark_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id int  NOT NULL,
    month      date NOT NULL
);
CREATE INDEX ON kpi.finding_mark (factory_id, month);

-- Whatever makes the figures of a month due makes its check due as well, whoever says so.
CREATE FUNCTION kpi.mark_findings_of_months() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kpi.finding_mark (factory_id, month)
    SELECT DISTINCT factory_id, month FROM added;
    RETURN NULL;
END $$;
CREATE TRIGGER mark_findings AFTER INSERT ON kpi.dirty_month
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION kpi.mark_findings_of_months();

CREATE FUNCTION kpi.mark_findings_of_records() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO kpi.finding_mark (factory_id, month)
    SELECT DISTINCT f.factory_id, date_trunc('month', r.at AT TIME ZONE f.timezone)::date
    FROM added
    JOIN telemetry.record r USING (record_id)
    JOIN registry.factory f ON f.factory_id = r.factory_id;
    RETURN NULL;
END $$;
CREATE TRIGGER mark_findings AFTER INSERT ON kpi.dirty_record
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION kpi.mark_findings_of_records();

-- Nameplate and papers of an asset; null where the plan says nothing.
CREATE TABLE registry.asset_limit (
    asset_id         int PRIMARY KEY REFERENCES registry.asset,
    idle_kw          float8 CHECK (idle_kw >= 0),
    working_kw       float8 CHECK (working_kw > 0),
    rated_kw         float8 CHECK (rated_kw > 0),
    min_cycle_s      float8 CHECK (min_cycle_s > 0),
    -- In percent, as meters carry it (0.5, 1.0 …).
    accuracy_class   float8 CHECK (accuracy_class > 0),
    calibrated_until date,
    loss_share       float8 CHECK (loss_share >= 0 AND loss_share < 1),
    retention_days   float8 CHECK (retention_days >= 0),
    address          text
);

-- How much of a material one unit of a product takes.
CREATE TABLE registry.bill (
    factory_id int    NOT NULL REFERENCES registry.factory,
    product    text   NOT NULL,
    material   text   NOT NULL,
    per_unit   float8 NOT NULL CHECK (per_unit > 0),
    PRIMARY KEY (factory_id, product, material)
);
