-- What no machine can tell: when equipment was retrofitted, by which document, and what a factory
-- declares of the rows that data do not reach.
ALTER TABLE registry.asset ADD COLUMN retrofitted_on date, ADD COLUMN retrofit_document text;

CREATE TABLE registry.declaration (
    factory_id int    NOT NULL REFERENCES registry.factory,
    kpi        text   NOT NULL,
    -- The value holds from this day until the next declaration of the KPI.
    since      date   NOT NULL,
    value      float8 NOT NULL,
    -- documented: a paper of somebody else shows it; declared: only the factory says so.
    basis      text   NOT NULL CHECK (basis IN ('documented', 'declared')),
    document   text   NOT NULL,
    PRIMARY KEY (factory_id, kpi, since)
);

-- What the data of one window say of one claim of the construction points, by one method.
CREATE TABLE kpi.evidence (
    evidence_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id   int    NOT NULL REFERENCES registry.factory,
    claim        text   NOT NULL,
    method       text   NOT NULL,
    window_start timestamptz NOT NULL,
    window_end   timestamptz NOT NULL CHECK (window_end > window_start),
    rule_version text   NOT NULL,
    verdict      text   NOT NULL CHECK (verdict IN ('proven', 'not_proven', 'not_computable')),
    -- Why it is not computable, in words.
    reason       text,
    numbers      jsonb  NOT NULL,
    -- The tags, record keys and hours that show it.
    links        jsonb  NOT NULL,
    expires_on   date   NOT NULL,
    computed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((verdict = 'not_computable') = (reason IS NOT NULL)),
    UNIQUE (factory_id, claim, method, window_end)
);
