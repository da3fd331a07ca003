-- Verdicts say which policy they were given by and why a word is missing; earlier ones are kept.
ALTER TABLE kpi.verdict
    -- '2026.0' was a rule in code: 3 % and 10 % for every KPI, doubt in favour of the factory.
    ADD COLUMN policy_version text NOT NULL DEFAULT '2026.0',
    -- A list of {about, code, text}: about is fulfilment or consistency.
    ADD COLUMN reasons jsonb NOT NULL DEFAULT '[]';

ALTER TABLE kpi.verdict DROP CONSTRAINT verdict_fulfilment_verdict_check;
ALTER TABLE kpi.verdict ADD CONSTRAINT verdict_fulfilment_verdict_check CHECK (
    fulfilment_verdict IN
        ('over', 'met', 'partly', 'missed', 'worse', 'unknown', 'pending', 'not_comparable'));

-- Verdicts that later ones took the place of; only ever added to.
CREATE TABLE kpi.verdict_past (LIKE kpi.verdict);
ALTER TABLE kpi.verdict_past
    ADD COLUMN past_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ADD COLUMN superseded_at timestamptz NOT NULL DEFAULT clock_timestamp();
CREATE INDEX ON kpi.verdict_past (factory_id, kpi, period_start);

-- What a year's figures rest on beside rows (devices, cycles, calendar, meters), as the plan said it
-- when the year was first judged. Later rows of a year under a changed plan do not change it.
CREATE TABLE kpi.verdict_basis (
    factory_id   int  NOT NULL REFERENCES registry.factory,
    period_start date NOT NULL,
    basis        jsonb NOT NULL,
    kept_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (factory_id, period_start)
);

-- Bases that were given up for a reason, as after a plan was corrected and recomputed.
CREATE TABLE kpi.verdict_basis_past (
    past_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id   int  NOT NULL REFERENCES registry.factory,
    period_start date NOT NULL,
    basis        jsonb NOT NULL,
    kept_at      timestamptz NOT NULL,
    actor        text NOT NULL,
    reason       text NOT NULL CHECK (reason <> ''),
    ended_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);
