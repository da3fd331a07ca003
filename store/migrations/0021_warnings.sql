-- What the machine proposes to people beside the warnings that it sets itself: a rule that holds and
-- the step that it speaks for, kept with the numbers like a warning and ended when its cause is gone.
CREATE TABLE pool.proposal (
    proposal_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id    int  NOT NULL REFERENCES registry.factory,
    rule          text NOT NULL,
    subject       text NOT NULL DEFAULT '',
    -- Steps of the lifecycle that are to be decided on.
    steps         text[] NOT NULL,
    since         date NOT NULL,
    numbers       jsonb NOT NULL,
    policy_id     text NOT NULL REFERENCES pool.policy_version,
    made_at       timestamptz NOT NULL,
    ended_at      timestamptz,
    ended_by      jsonb,
    CHECK ((ended_at IS NULL) = (ended_by IS NULL))
);
CREATE UNIQUE INDEX proposal_open ON pool.proposal (factory_id, rule, subject)
    WHERE ended_at IS NULL;
CREATE INDEX ON pool.proposal (factory_id, proposal_id);
CALL auth.protect('pool.proposal');

-- The history of a factory's warnings, newest first.
CREATE INDEX ON pool.warning (factory_id, warning_id);

-- Verdicts of rolling years by the quarter that they end with, and findings that stand.
CREATE INDEX verdict_end ON kpi.verdict (factory_id, period_end);
CREATE INDEX finding_standing ON kpi.finding (factory_id, rule)
    WHERE severity = 'fail' AND cleared_at IS NULL;
