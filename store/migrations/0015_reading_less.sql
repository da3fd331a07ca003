-- A refresh reads what the touched periods need: figures by period, records by the day that they
-- count for, and verdicts that are to be given again.

-- Figures of some periods, whatever the history.
CREATE INDEX figure_period ON kpi.figure (factory_id, period_kind, period_start);

-- Verdicts of another policy than today's.
CREATE INDEX verdict_policy ON kpi.verdict (factory_id, policy_version);

-- A text that reads as a day, else null. Days as text sort as days do, and a cast to date would
-- neither be immutable nor forgive a 31 February.
CREATE FUNCTION telemetry.as_day(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN value END;

-- The local day in its body that a record counts for; '' where it counts by its time alone, null
-- where the body has none that can be read.
CREATE FUNCTION telemetry.counting_day(kind text, body jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN kind = 'order_line'
        THEN telemetry.as_day(coalesce(body #>> '{confirmed,0}', body ->> 'due'))
    WHEN kind = 'stock_balance' THEN telemetry.as_day(body ->> 'day')
    WHEN kind IN ('cogs', 'headcount', 'output_value')
        THEN telemetry.as_day((body ->> 'month') || '-01')
    WHEN kind = 'energy_invoice' THEN telemetry.as_day(body ->> 'first_day')
    WHEN kind = 'rd_project' AND body ->> 'released_on' IS NOT NULL
        THEN telemetry.as_day(body ->> 'released_on')
    ELSE '' END;

CREATE INDEX record_counting_day ON telemetry.record
    (factory_id, kind, (telemetry.counting_day(kind, body) COLLATE "C"));
-- A project that was given up counts for the day of that.
CREATE INDEX record_cancelled ON telemetry.record
    (factory_id, (telemetry.as_day(body ->> 'cancelled_on') COLLATE "C"))
    WHERE kind = 'rd_project';
-- Whether output values of a factory are at the prices of one year.
CREATE INDEX record_price_year ON telemetry.record (factory_id, (body ->> 'price_year'))
    WHERE kind = 'output_value';

-- Factories whose verdicts are to be given again though no figure changed: a promise or a report did.
CREATE TABLE kpi.verdict_mark (
    mark_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id int NOT NULL
);
CREATE INDEX ON kpi.verdict_mark (factory_id);
