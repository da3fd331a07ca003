-- Raw rows are not kept for ever. Before they are dropped, everything is worked out from them once
-- more; what was formed of them is final from then on, and sealed.

CREATE TABLE kpi.final_span (
    final_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id   int    NOT NULL REFERENCES registry.factory,
    -- Local days whose hours are final with this span: none before the first span has a start.
    final_from   date,
    final_until  date   NOT NULL CHECK (final_until > final_from),
    -- Rows before it were dropped; those between it and the end of the span are read beside later ones.
    rows_from    timestamptz NOT NULL,
    -- The columns that the seal goes over, and the hash of their facts.
    columns      text[] NOT NULL,
    fact_count   bigint NOT NULL,
    facts_sha256 bytea  NOT NULL CHECK (length(facts_sha256) = 32),
    sealed_by    text   NOT NULL,
    sealed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (factory_id, final_until)
);
CALL auth.protect('kpi.final_span');

-- A seal that could be changed would hold nothing.
CREATE FUNCTION kpi.keep_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what is final stays so: its rows are gone';
END $$;
REVOKE ALL ON FUNCTION kpi.keep_seal() FROM PUBLIC;
CREATE TRIGGER keep BEFORE UPDATE OR DELETE OR TRUNCATE ON kpi.final_span
    FOR EACH STATEMENT EXECUTE FUNCTION kpi.keep_seal();
