-- What a job has to look at because time goes by, though nothing new came. Without it each turn asks
-- the figures and the evidence of every factory whether a period of it has ended.
CREATE TABLE kpi.due (
    job        text        NOT NULL CHECK (job IN ('figures', 'evidence')),
    factory_id int         NOT NULL REFERENCES registry.factory ON DELETE CASCADE,
    due_at     timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (job, factory_id)
);
CREATE INDEX due_next ON kpi.due (job, due_at);
ALTER TABLE kpi.due ENABLE ROW LEVEL SECURITY;

-- A factory's months end, each after the other, from its first figure on.
CREATE FUNCTION kpi.figures_come_due() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO kpi.due (job, factory_id) SELECT DISTINCT 'figures', factory_id FROM added
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER come_due AFTER INSERT ON kpi.figure
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION kpi.figures_come_due();

-- Its claims are judged once a day from the beginning.
CREATE FUNCTION kpi.evidence_comes_due() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO kpi.due (job, factory_id) SELECT 'evidence', factory_id FROM added
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER come_due AFTER INSERT ON registry.factory
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION kpi.evidence_comes_due();

INSERT INTO kpi.due (job, factory_id) SELECT 'evidence', factory_id FROM registry.factory;
INSERT INTO kpi.due (job, factory_id) SELECT DISTINCT 'figures', factory_id FROM kpi.figure;
