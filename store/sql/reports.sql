-- name: members_to_report
-- The stays that run, with when each entered the pool.
SELECT m.membership_id, m.factory_id, t.at
FROM pool.membership m
JOIN pool.transition t ON t.membership_id = m.membership_id AND t.version = 1
WHERE m.left_on IS NULL AND (%(factory_id)s::int IS NULL OR m.factory_id = %(factory_id)s)
ORDER BY m.factory_id;

-- name: reports_opened
-- The quarters and years of stays that run of which there is a report.
SELECT membership_id, kind, period_start FROM pool.report
JOIN pool.membership m USING (membership_id)
WHERE m.left_on IS NULL AND kind IN ('Q', 'Y');

-- name: promised_kpis
-- The KPIs that a factory promised.
SELECT kpi FROM pool.promise WHERE factory_id = %(factory_id)s ORDER BY kpi;

-- name: insert_report
-- Opens a report; one of the same quarter or year stays as it is.
INSERT INTO pool.report (membership_id, factory_id, kind, period_start, period_end, state, version,
    due_on, due_estimated, opened_at, kpis)
VALUES (%(membership_id)s, %(factory_id)s, %(kind)s, %(period_start)s, %(period_end)s, %(state)s, 1,
    %(due_on)s, %(due_estimated)s, %(at)s, %(kpis)s)
ON CONFLICT (membership_id, kind, period_start) WHERE kind IN ('Q', 'Y') DO NOTHING
RETURNING report_id;

-- name: prefill_reports
-- Tells the newest figures of the year that ends with each report, each revision once.
INSERT INTO pool.report_figure (report_id, factory_id, figure_id, kpi, revision, unit, point, low,
    high, grade, reason, told_at)
SELECT r.report_id, r.factory_id, f.figure_id, f.kpi, f.revision, f.unit, f.point, f.low, f.high,
    f.grade, f.reason, %(at)s
FROM pool.report r
CROSS JOIN unnest(r.kpis) AS k (kpi)
CROSS JOIN LATERAL (
    SELECT g.* FROM kpi.figure g
    WHERE g.factory_id = r.factory_id AND g.kpi = k.kpi AND g.period_kind = 'rolling12'
      AND g.period_start = (r.period_end - INTERVAL '12 months')::date
      AND g.period_end = r.period_end AND g.revision > 0
    ORDER BY g.revision DESC LIMIT 1) f
WHERE r.report_id = ANY (%(reports)s)
ON CONFLICT (report_id, figure_id) DO NOTHING;

-- name: reports_to_prefill
-- The reports of quarters and years that an enterprise in the pool still works on.
SELECT r.report_id FROM pool.report r
JOIN pool.membership m USING (membership_id)
WHERE m.left_on IS NULL AND r.kind IN ('Q', 'Y') AND r.submitted_at IS NULL
  AND r.state <> 'to_approve'
ORDER BY r.report_id;

-- name: reports_late
-- The reports of stays that run that were due before a day and are not with the county.
SELECT r.report_id FROM pool.report r
JOIN pool.membership m USING (membership_id)
WHERE m.left_on IS NULL AND r.submitted_at IS NULL AND r.due_on < %(day)s
  AND r.overdue_since IS NULL
ORDER BY r.report_id;

-- name: read_report
-- One report with its factory.
SELECT r.report_id, r.membership_id, r.factory_id, f.code, f.name_zh, f.name_en, f.region_code,
    f.kind, r.kind, r.period_start, r.period_end, r.state, r.version, r.due_on, r.due_estimated,
    r.overdue_since, r.opened_at, r.filled_id, r.filled_by, r.submitted_at, r.kpis
FROM pool.report r
JOIN registry.factory f USING (factory_id)
WHERE r.report_id = %(report_id)s;

-- name: lock_report
-- Holds a report until the end of the transaction and says its version.
SELECT version FROM pool.report WHERE report_id = %(report_id)s FOR UPDATE;

-- name: list_reports
-- Reports in the scope, the newest first.
SELECT r.report_id, r.membership_id, r.factory_id, f.code, f.name_zh, f.name_en, f.region_code,
    f.kind, r.kind, r.period_start, r.period_end, r.state, r.version, r.due_on, r.due_estimated,
    r.overdue_since, r.opened_at, r.filled_id, r.filled_by, r.submitted_at, r.kpis
FROM pool.report r
JOIN registry.factory f USING (factory_id)
WHERE (%(factory)s::text IS NULL OR f.code = %(factory)s)
  AND (%(state)s::text IS NULL OR r.state = %(state)s)
  AND (%(kind)s::text IS NULL OR r.kind = %(kind)s)
  AND (%(before)s::bigint IS NULL OR r.report_id < %(before)s)
ORDER BY r.report_id DESC
LIMIT %(most)s;

-- name: move_report
-- Brings a report to its next version; nothing where it has another one by now.
UPDATE pool.report
SET state = %(state)s, version = version + 1, due_on = %(due_on)s,
    due_estimated = %(due_estimated)s, overdue_since = %(overdue_since)s,
    filled_id = %(filled_id)s, filled_by = %(filled_by)s, submitted_at = %(submitted_at)s
WHERE report_id = %(report_id)s AND version = %(version)s
RETURNING version;

-- name: insert_report_step
-- Keeps a step of a report.
INSERT INTO pool.report_step (report_id, factory_id, version, step, from_state, to_state, at,
    account_id, actor, role, comment, items, due_on, policy_id)
VALUES (%(report_id)s, %(factory_id)s, %(version)s, %(step)s, %(from_state)s, %(to_state)s, %(at)s,
    %(account_id)s, %(actor)s, %(role)s, %(comment)s, %(items)s, %(due_on)s, %(policy_id)s);

-- name: report_steps
-- The steps of a report, oldest first.
SELECT version, step, from_state, to_state, at, account_id, actor, role, comment, items, due_on
FROM pool.report_step
WHERE report_id = %(report_id)s
ORDER BY version;

-- name: report_figures
-- The newest figure of each KPI that a report was filled in with.
SELECT DISTINCT ON (kpi) figure_id, kpi, revision, unit, point, low, high, grade, reason, told_at
FROM pool.report_figure
WHERE report_id = %(report_id)s
ORDER BY kpi, revision DESC;

-- name: insert_answers
-- Keeps answers of one person at once; the newest of an item counts.
INSERT INTO pool.report_answer (report_id, factory_id, item, stance, value, figure_id, note,
    account_id, actor, role, at)
SELECT %(report_id)s, %(factory_id)s, a.item, a.stance, a.value, a.figure_id, a.note,
    %(account_id)s, %(actor)s, %(role)s, %(at)s
FROM unnest(%(items)s::text[], %(stances)s::text[], %(values)s::jsonb[], %(figures)s::bigint[],
    %(notes)s::text[]) AS a (item, stance, value, figure_id, note);

-- name: report_answers
-- The newest answer to each item of a report.
SELECT DISTINCT ON (item) item, stance, value, figure_id, note, account_id, actor, at
FROM pool.report_answer
WHERE report_id = %(report_id)s
ORDER BY item, answer_id DESC;

-- name: answers_ever
-- Every answer to an item of a report, oldest first.
SELECT item, stance, value, figure_id, note, account_id, actor, at
FROM pool.report_answer
WHERE report_id = %(report_id)s AND item = %(item)s
ORDER BY answer_id;

-- name: last_answers
-- What a factory answered last to each item in earlier reports that it submitted.
SELECT DISTINCT ON (a.item) a.item, a.value
FROM pool.report_answer a
JOIN pool.report r USING (report_id)
WHERE a.factory_id = %(factory_id)s AND r.report_id < %(report_id)s
  AND r.submitted_at IS NOT NULL
ORDER BY a.item, a.answer_id DESC;

-- name: take_report
-- Makes what a submitted report says what the enterprise reported.
SELECT pool.take_report(%(report_id)s);

-- name: told_at
-- When the enterprise was told a figure by a report, first.
SELECT min(told_at) FROM pool.report_figure WHERE figure_id = %(figure_id)s;
