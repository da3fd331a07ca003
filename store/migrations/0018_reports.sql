-- Self-reports of enterprises and disputes about verified figures. An answer is never changed: the
-- enterprise gives another one, and officers return a report with a reason for each item.

-- What an enterprise reported stays when a monitoring plan does not name it.
ALTER TABLE pool.self_report
    ADD COLUMN origin text NOT NULL DEFAULT 'plan' CHECK (origin IN ('plan', 'report'));

CREATE TABLE pool.report (
    report_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    membership_id int  NOT NULL REFERENCES pool.membership,
    factory_id    int  NOT NULL REFERENCES registry.factory,
    -- Quarter, year, material change, accident.
    kind          text NOT NULL CHECK (kind IN ('Q', 'Y', 'CHG', 'ACC')),
    -- Half-open local dates; of a change or an accident the day that it happened on.
    period_start  date NOT NULL,
    period_end    date NOT NULL CHECK (period_end > period_start),
    state         text NOT NULL,
    version       int  NOT NULL CHECK (version >= 1),
    due_on        date NOT NULL,
    due_estimated boolean NOT NULL DEFAULT false,
    -- Since when it is late; kept while it is filled in, ended by handing it over to the county.
    overdue_since date,
    opened_at     timestamptz NOT NULL,
    -- Who handed it over to the second person.
    filled_id     int  REFERENCES auth.account,
    filled_by     text,
    submitted_at  timestamptz,
    kpis          text[] NOT NULL
);
CREATE UNIQUE INDEX report_period ON pool.report (membership_id, kind, period_start)
    WHERE kind IN ('Q', 'Y');
CREATE INDEX ON pool.report (factory_id, report_id);
CREATE INDEX ON pool.report (due_on) WHERE submitted_at IS NULL;

-- What the machine filled in: the newest verified figure of each KPI, and those it was before.
CREATE TABLE pool.report_figure (
    report_id  bigint NOT NULL REFERENCES pool.report,
    factory_id int    NOT NULL REFERENCES registry.factory,
    figure_id  bigint NOT NULL REFERENCES kpi.figure,
    kpi        text   NOT NULL,
    revision   int    NOT NULL,
    unit       text   NOT NULL,
    point      float8,
    low        float8,
    high       float8,
    grade      text   NOT NULL,
    reason     text,
    told_at    timestamptz NOT NULL,
    PRIMARY KEY (report_id, figure_id)
);
CREATE INDEX ON pool.report_figure (figure_id);

CREATE TABLE pool.report_answer (
    answer_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    report_id  bigint NOT NULL REFERENCES pool.report,
    factory_id int    NOT NULL REFERENCES registry.factory,
    item       text   NOT NULL CHECK (item <> ''),
    stance     text   NOT NULL CHECK (stance IN ('confirmed', 'disputed', 'given')),
    value      jsonb,
    -- The figure that was confirmed or disputed.
    figure_id  bigint REFERENCES kpi.figure,
    note       text   NOT NULL,
    account_id int    REFERENCES auth.account,
    actor      text   NOT NULL,
    role       text   NOT NULL,
    at         timestamptz NOT NULL,
    CHECK ((stance = 'given') = (figure_id IS NULL))
);
CREATE INDEX ON pool.report_answer (report_id, item, answer_id);

CREATE TABLE pool.report_step (
    step_no    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    report_id  bigint NOT NULL REFERENCES pool.report,
    factory_id int    NOT NULL REFERENCES registry.factory,
    version    int    NOT NULL,
    step       text   NOT NULL,
    from_state text,
    to_state   text   NOT NULL,
    at         timestamptz NOT NULL,
    account_id int    REFERENCES auth.account,
    actor      text   NOT NULL,
    role       text   NOT NULL,
    comment    text   NOT NULL,
    -- Why each of some items was returned.
    items      jsonb  NOT NULL,
    due_on     date   NOT NULL,
    policy_id  text   NOT NULL REFERENCES pool.policy_version,
    UNIQUE (report_id, version)
);

CREATE TABLE pool.dispute (
    dispute_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id    int    NOT NULL REFERENCES registry.factory,
    figure_id     bigint NOT NULL REFERENCES kpi.figure,
    kpi           text   NOT NULL,
    period_kind   text   NOT NULL,
    period_start  date   NOT NULL,
    period_end    date   NOT NULL,
    state         text   NOT NULL,
    version       int    NOT NULL CHECK (version >= 1),
    -- What the enterprise says instead, in the figure's unit.
    claimed       float8 NOT NULL,
    raised_on     date   NOT NULL,
    due_on        date   NOT NULL,
    rerun_asked_at  timestamptz,
    -- The newest figure after the re-run; the disputed one where it came out the same.
    rerun_figure_id bigint REFERENCES kpi.figure,
    rerun_at        timestamptz,
    -- Who measures again, if somebody was named.
    assigned_id     int REFERENCES auth.account,
    closed_at       timestamptz
);
CREATE UNIQUE INDEX dispute_open ON pool.dispute (factory_id, kpi, period_kind, period_start)
    WHERE closed_at IS NULL;

CREATE TABLE pool.dispute_step (
    step_no     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dispute_id  bigint NOT NULL REFERENCES pool.dispute,
    factory_id  int    NOT NULL REFERENCES registry.factory,
    version     int    NOT NULL,
    step        text   NOT NULL,
    from_state  text,
    to_state    text   NOT NULL,
    at          timestamptz NOT NULL,
    account_id  int    REFERENCES auth.account,
    actor       text   NOT NULL,
    role        text   NOT NULL,
    comment     text   NOT NULL,
    data        jsonb  NOT NULL,
    file_sha256 text,
    policy_id   text   NOT NULL REFERENCES pool.policy_version,
    UNIQUE (dispute_id, version),
    FOREIGN KEY (factory_id, file_sha256) REFERENCES pool.file (factory_id, sha256)
);

-- What counts as verified for the verdicts on a period since a dispute was decided; figures stay.
CREATE TABLE pool.settled_value (
    factory_id   int    NOT NULL REFERENCES registry.factory,
    kpi          text   NOT NULL,
    period_start date   NOT NULL,
    period_end   date   NOT NULL,
    value        float8 NOT NULL,
    low          float8 NOT NULL CHECK (low <= value),
    high         float8 NOT NULL CHECK (high >= value),
    document     text   NOT NULL CHECK (document <> ''),
    dispute_id   bigint NOT NULL UNIQUE REFERENCES pool.dispute,
    account_id   int    REFERENCES auth.account,
    actor        text   NOT NULL,
    at           timestamptz NOT NULL
);
CREATE INDEX ON pool.settled_value (factory_id, kpi, period_start, dispute_id);

CREATE FUNCTION pool.report_has_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pool.report_step s
        WHERE s.report_id = NEW.report_id AND s.version = NEW.version AND s.to_state = NEW.state)
    THEN
        RAISE EXCEPTION 'report % has no step to %', NEW.report_id, NEW.state;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER has_step AFTER INSERT OR UPDATE ON pool.report
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pool.report_has_step();

CREATE FUNCTION pool.dispute_has_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pool.dispute_step s
        WHERE s.dispute_id = NEW.dispute_id AND s.version = NEW.version
          AND s.to_state = NEW.state) THEN
        RAISE EXCEPTION 'dispute % has no step to %', NEW.dispute_id, NEW.state;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER has_step AFTER INSERT OR UPDATE ON pool.dispute
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pool.dispute_has_step();

CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON pool.report_figure
    FOR EACH ROW EXECUTE FUNCTION pool.keep();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON pool.report_answer
    FOR EACH ROW EXECUTE FUNCTION pool.keep();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON pool.report_step
    FOR EACH ROW EXECUTE FUNCTION pool.keep();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON pool.dispute_step
    FOR EACH ROW EXECUTE FUNCTION pool.keep();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON pool.settled_value
    FOR EACH ROW EXECUTE FUNCTION pool.keep();

CALL auth.protect('pool.report');
CALL auth.protect('pool.report_figure');
CALL auth.protect('pool.report_answer');
CALL auth.protect('pool.report_step');
CALL auth.protect('pool.dispute');
CALL auth.protect('pool.dispute_step');
CALL auth.protect('pool.settled_value');

-- The enterprise alone answers, and only while its report is being filled in.
CREATE POLICY enterprise ON pool.report_answer AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted())
    OR account_id = (SELECT auth.account_id()) AND (SELECT auth.role()) = 'ent_filler'
        AND EXISTS (SELECT FROM pool.report r
                    WHERE r.report_id = report_answer.report_id
                      AND r.factory_id = report_answer.factory_id AND r.state = 'filling'));
-- A quarter and a year are opened by the system; what happened the enterprise reports itself.
CREATE POLICY enterprise ON pool.report AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted())
    OR (SELECT auth.role()) = 'ent_filler' AND kind IN ('CHG', 'ACC'));
CREATE POLICY moves ON pool.report AS RESTRICTIVE FOR UPDATE USING (
    (SELECT auth.is_trusted()) OR (SELECT auth.role()) IN
        ('ent_filler', 'ent_approver', 'county_officer', 'city_officer', 'city_leader'));
-- Nobody takes a step of another side, nor in another's name.
CREATE POLICY own ON pool.report_step AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted())
    OR account_id = (SELECT auth.account_id()) AND CASE (SELECT auth.role())
        WHEN 'ent_filler' THEN to_state IN ('filling', 'to_approve')
        WHEN 'ent_approver' THEN to_state IN ('filling', 'submitted')
        WHEN 'county_officer' THEN to_state IN ('county_returned', 'county_passed')
        WHEN 'city_officer' THEN to_state IN ('city_returned', 'locked')
        WHEN 'city_leader' THEN to_state = 'city_returned'
        ELSE false END);
CREATE POLICY enterprise ON pool.dispute AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted()) OR (SELECT auth.role()) IN ('ent_filler', 'ent_approver'));
CREATE POLICY own ON pool.dispute_step AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted())
    OR account_id = (SELECT auth.account_id()) AND CASE step
        WHEN 'raise' THEN (SELECT auth.role()) IN ('ent_filler', 'ent_approver')
        WHEN 'withdraw' THEN (SELECT auth.role()) IN ('ent_filler', 'ent_approver')
        WHEN 'measure' THEN (SELECT auth.role()) IN ('county_officer', 'verifier')
        WHEN 'accept' THEN (SELECT auth.role()) IN ('city_officer', 'city_leader')
        WHEN 'reject' THEN (SELECT auth.role()) IN ('city_officer', 'city_leader')
        ELSE (SELECT auth.role()) IN ('county_officer', 'city_officer') END);
CREATE POLICY city ON pool.settled_value AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted())
    OR account_id = (SELECT auth.account_id())
        AND (SELECT auth.role()) IN ('city_officer', 'city_leader'));

GRANT INSERT ON pool.report, pool.report_answer, pool.report_step, pool.dispute,
    pool.dispute_step, pool.settled_value TO millpond_app;
GRANT UPDATE (state, version, due_on, due_estimated, overdue_since, filled_id, filled_by,
    submitted_at) ON pool.report TO millpond_app;
GRANT UPDATE (state, version, rerun_asked_at, assigned_id, closed_at) ON pool.dispute
    TO millpond_app;

-- What a report says of its KPIs becomes what the enterprise reported, and is judged again; the
-- application's role writes neither by itself.
CREATE FUNCTION pool.take_report(wanted bigint) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found pool.report;
    taken int;
BEGIN
    SELECT r.* INTO found FROM pool.report r
    WHERE r.report_id = wanted AND r.state = 'submitted' AND r.kind IN ('Q', 'Y')
      AND (auth.sees_all() OR r.factory_id = ANY (auth.factories()));
    IF found.report_id IS NULL THEN
        RAISE EXCEPTION 'report % is not submitted', wanted;
    END IF;
    INSERT INTO pool.self_report (factory_id, kpi, period_start, period_end, value, reported_at,
        origin)
    SELECT found.factory_id, substr(a.item, 5), found.period_end - INTERVAL '12 months',
        found.period_end, (a.value #>> '{}')::float8, found.submitted_at, 'report'
    FROM (
        SELECT DISTINCT ON (b.item) b.item, b.value FROM pool.report_answer b
        WHERE b.report_id = wanted AND b.item LIKE 'kpi.%'
        ORDER BY b.item, b.answer_id DESC) a
    WHERE jsonb_typeof(a.value) = 'number'
    ON CONFLICT (factory_id, kpi, period_start, period_end) DO UPDATE
    SET value = excluded.value, reported_at = excluded.reported_at, origin = excluded.origin;
    GET DIAGNOSTICS taken = ROW_COUNT;
    INSERT INTO kpi.verdict_mark (factory_id) VALUES (found.factory_id);
    RETURN taken;
END $$;

-- Has the verdicts of a factory given again once a dispute about it was decided.
CREATE FUNCTION pool.judge_again(wanted bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO kpi.verdict_mark (factory_id)
    SELECT d.factory_id FROM pool.dispute d
    WHERE d.dispute_id = wanted AND d.closed_at IS NOT NULL
      AND (auth.sees_all() OR d.factory_id = ANY (auth.factories()));
END $$;

REVOKE ALL ON FUNCTION pool.take_report(bigint), pool.judge_again(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool.take_report(bigint), pool.judge_again(bigint) TO millpond_app;
