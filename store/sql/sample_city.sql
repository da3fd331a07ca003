-- name: city_factories
-- Factories whose code begins so, in the order of their codes.
SELECT factory_id, code FROM registry.factory
WHERE starts_with(code, %(prefix)s)
ORDER BY code;

-- name: city_equipment
-- Gives each of some factories a machine and an energy meter with their tags, and a gateway.
WITH assets AS (
    INSERT INTO registry.asset (factory_id, code, name_zh, name_en, kind, line, key_equipment, in_oee)
    SELECT f, a.code, a.name_zh, a.name_en, a.kind, a.line, a.kind = 'machine', a.kind = 'machine'
    FROM unnest(%(factories)s::int[]) AS f
    CROSS JOIN (VALUES ('M01', '示例机床', 'Sample machine', 'machine', 'L1'),
        ('E01', '示例电表', 'Sample meter', 'meter', NULL)) AS a (code, name_zh, name_en, kind, line)
    RETURNING asset_id, factory_id, code, kind
), meters AS (
    INSERT INTO registry.meter (asset_id, carrier, unit, level)
    SELECT asset_id, 'electricity', 'kWh', 1 FROM assets WHERE kind = 'meter'
), tags AS (
    INSERT INTO registry.tag (factory_id, asset_id, name, role, unit, heartbeat_s, state_map)
    SELECT a.factory_id, a.asset_id, a.code || '.' || t.role, t.role, t.unit, 900, t.state_map
    FROM assets a
    JOIN (VALUES ('machine', 'state', '1', 'sample'), ('machine', 'good_count', '1', NULL),
        ('meter', 'energy', 'kWh', NULL)) AS t (kind, role, unit, state_map) USING (kind)
), states AS (
    INSERT INTO registry.state_map (factory_id, name, raw, state)
    SELECT f, 'sample', s.raw, s.state
    FROM unnest(%(factories)s::int[]) AS f
    CROSS JOIN (VALUES (0, 'idle'), (1, 'run'), (2, 'setup'), (3, 'stop')) AS s (raw, state)
), gateways AS (
    INSERT INTO registry.gateway (factory_id, code, public_key)
    SELECT factory_id, 'gw-' || lower(code), sha256(convert_to(code, 'UTF8'))
    FROM registry.factory WHERE factory_id = ANY (%(factories)s)
)
SELECT asset_id, factory_id FROM assets WHERE kind = 'machine' OR kind = 'meter'
ORDER BY factory_id, asset_id;

-- name: city_batches
-- One batch of each gateway, as it arrived last.
INSERT INTO telemetry.batch (gateway_id, seq, config_version, imported, row_count, record_count,
    sha256, prev_sha256, signature, received_at)
SELECT g.gateway_id, 1, 'sample', true, 0, 0, sha256('sample'), sha256(''),
    sha256('sample') || sha256('sample'), b.at
FROM unnest(%(factories)s::int[], %(ats)s::timestamptz[]) AS b (factory_id, at)
JOIN registry.gateway g USING (factory_id);

-- name: city_figure_numbers
-- Takes so many numbers of figures and returns the first.
SELECT setval(pg_get_serial_sequence('kpi.figure', 'figure_id'), first + %(count)s) , first
FROM nextval(pg_get_serial_sequence('kpi.figure', 'figure_id')) AS first;

-- name: city_figures
-- Figures with their numbers.
COPY kpi.figure (figure_id, factory_id, kpi, period_kind, period_start, period_end, revision, unit,
    point, low, high, coverage, grade, method_version, coefficient_version, inputs, inputs_sha256,
    computed_at) FROM STDIN;

-- name: city_verdicts
-- Verdicts on rolling years.
COPY kpi.verdict (factory_id, kpi, period_start, period_end, figure_id, before_value, before_basis,
    expected_value, reported_value, fulfilment, fulfilment_low, fulfilment_high, fulfilment_verdict,
    deviation, consistency_verdict, policy_version, reasons, decided_at) FROM STDIN;

-- name: city_reports
-- What was reported of rolling years.
COPY pool.self_report (factory_id, kpi, period_start, period_end, value, reported_at) FROM STDIN;

-- name: city_findings
-- Checks of plausibility.
COPY kpi.finding (factory_id, period_start, period_end, rule, rule_version, severity, subject,
    measured, threshold, unit, message, shown, shown_count, found_at, checked_until) FROM STDIN;

-- name: city_facts
-- Hour facts, binary.
COPY kpi.fact_hour (hour, asset_id, planned_s, planned_down_s, off_s, run_s, setup_s, stop_s,
    idle_s, unknown_s, known_s, uncounted_s, total, good, energy, row_count, changes, flags,
    digest) FROM STDIN (FORMAT binary);

-- name: city_analyze
-- Plans rest on what was filled in.
ANALYZE registry.factory, registry.asset, registry.tag, kpi.figure, kpi.verdict, kpi.finding,
    kpi.fact_hour, pool.membership, pool.promise, pool.self_report, pool.transition, pool.event;
