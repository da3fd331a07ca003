-- A value of a report that is taken back by a correction is no longer what the enterprise reported.
CREATE OR REPLACE FUNCTION pool.take_report(wanted bigint) RETURNS int
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
    DELETE FROM pool.self_report s
    USING (
        SELECT DISTINCT ON (b.item) b.item, b.value FROM pool.report_answer b
        WHERE b.report_id = wanted AND b.item LIKE 'kpi.%'
        ORDER BY b.item, b.answer_id DESC) a
    WHERE s.factory_id = found.factory_id AND s.kpi = substr(a.item, 5) AND s.origin = 'report'
      AND s.period_start = found.period_end - INTERVAL '12 months'
      AND s.period_end = found.period_end AND jsonb_typeof(a.value) IS DISTINCT FROM 'number'
      -- What another report said of the same year stays.
      AND s.reported_at IN (
        SELECT t.at FROM pool.report_step t WHERE t.report_id = wanted AND t.step = 'submit');
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
