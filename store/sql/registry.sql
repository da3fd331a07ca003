-- name: upsert_enterprise
-- Adds the enterprise of a plan, or brings its names up to date.
INSERT INTO registry.enterprise (credit_code, name_zh, name_en)
VALUES (%(credit_code)s, %(name_zh)s, %(name_en)s)
ON CONFLICT (name_zh) DO UPDATE
SET credit_code = coalesce(excluded.credit_code, registry.enterprise.credit_code),
    name_en = excluded.name_en
RETURNING enterprise_id;

-- name: upsert_factory
-- Adds the factory of a plan, or brings it up to date.
INSERT INTO registry.factory (code, enterprise_id, region_code, name_zh, name_en, kind, timezone,
    baseline_from, baseline_to, renovated_on)
VALUES (%(code)s, %(enterprise_id)s, %(region)s, %(name_zh)s, %(name_en)s, %(kind)s, %(timezone)s,
    %(baseline_from)s, %(baseline_to)s, %(renovated_on)s)
ON CONFLICT (code) DO UPDATE
SET enterprise_id = excluded.enterprise_id, region_code = excluded.region_code,
    name_zh = excluded.name_zh, name_en = excluded.name_en, kind = excluded.kind,
    timezone = excluded.timezone, baseline_from = excluded.baseline_from,
    baseline_to = excluded.baseline_to, renovated_on = excluded.renovated_on
RETURNING factory_id;

-- name: upsert_asset
-- Adds an asset of a plan, or brings it up to date; its identity stays.
INSERT INTO registry.asset (factory_id, code, name_zh, name_en, kind, line, serial, key_equipment,
    in_oee, retrofitted_on, retrofit_document)
VALUES (%(factory_id)s, %(code)s, %(name_zh)s, %(name_en)s, %(kind)s, %(line)s, %(serial)s,
    %(key_equipment)s, %(in_oee)s, %(retrofitted_on)s, %(retrofit_document)s)
ON CONFLICT (factory_id, code) DO UPDATE
SET name_zh = excluded.name_zh, name_en = excluded.name_en, kind = excluded.kind,
    line = excluded.line, serial = excluded.serial, key_equipment = excluded.key_equipment,
    in_oee = excluded.in_oee, retrofitted_on = excluded.retrofitted_on,
    retrofit_document = excluded.retrofit_document
RETURNING asset_id;

-- name: upsert_tag
-- Adds a tag of a plan, or brings it up to date; its identity stays.
INSERT INTO registry.tag (factory_id, asset_id, name, role, unit, heartbeat_s, modulus,
    max_rate_per_s, ratio, resolution, state_map)
VALUES (%(factory_id)s, %(asset_id)s, %(name)s, %(role)s, %(unit)s, %(heartbeat_s)s, %(modulus)s,
    %(max_rate_per_s)s, %(ratio)s, %(resolution)s, %(state_map)s)
ON CONFLICT (factory_id, name) DO UPDATE
SET asset_id = excluded.asset_id, role = excluded.role, unit = excluded.unit,
    heartbeat_s = excluded.heartbeat_s, modulus = excluded.modulus,
    max_rate_per_s = excluded.max_rate_per_s, ratio = excluded.ratio,
    resolution = excluded.resolution, state_map = excluded.state_map;

-- name: dropped_from_plan
-- What a factory's plan had and the new one lacks.
SELECT 'asset ' || code
FROM registry.asset
WHERE factory_id = %(factory_id)s AND code <> ALL (%(codes)s::text[])
UNION ALL
SELECT 'tag ' || name
FROM registry.tag
WHERE factory_id = %(factory_id)s AND name <> ALL (%(names)s::text[])
ORDER BY 1
LIMIT 5;

-- name: delete_plan_lists
-- Empties the lists of a factory's plan that the new plan brings whole.
WITH a AS (DELETE FROM registry.state_map WHERE factory_id = %(factory_id)s),
     b AS (DELETE FROM registry.energy_factor WHERE factory_id = %(factory_id)s),
     l AS (DELETE FROM registry.line WHERE factory_id = %(factory_id)s),
     c AS (DELETE FROM registry.shift WHERE factory_id = %(factory_id)s),
     d AS (DELETE FROM registry.holiday WHERE factory_id = %(factory_id)s),
     e AS (DELETE FROM registry.planned_stop WHERE factory_id = %(factory_id)s),
     f AS (DELETE FROM pool.promise WHERE factory_id = %(factory_id)s AND origin = 'plan'),
     g AS (DELETE FROM pool.self_report
           WHERE factory_id = %(factory_id)s AND origin = 'plan'),
     j AS (DELETE FROM registry.declaration WHERE factory_id = %(factory_id)s),
     h AS (DELETE FROM registry.meter m USING registry.asset s
           WHERE s.asset_id = m.asset_id AND s.factory_id = %(factory_id)s)
DELETE FROM registry.ideal_cycle i USING registry.asset s
WHERE s.asset_id = i.asset_id AND s.factory_id = %(factory_id)s;

-- name: insert_state_map
-- One raw state number of a controller profile.
INSERT INTO registry.state_map (factory_id, name, raw, state)
VALUES (%(factory_id)s, %(name)s, %(raw)s, %(state)s);

-- name: insert_ideal_cycle
-- The ideal cycle of a product on an asset.
INSERT INTO registry.ideal_cycle (asset_id, product, product_name, cycle_s, source)
VALUES (%(asset_id)s, %(product)s, %(name)s, %(cycle_s)s, %(source)s);

-- name: insert_meter
-- What a meter measures and where it stands in the meter tree.
INSERT INTO registry.meter (asset_id, carrier, unit, level, register, origin, above)
VALUES (%(asset_id)s, %(carrier)s, %(unit)s, %(level)s, %(register)s, %(origin)s, %(above)s);

-- name: insert_energy_factor
-- A certified factor or a measured heating value, which replaces the reference value.
INSERT INTO registry.energy_factor (factory_id, carrier, kgce_per_unit, source, lhv_kj_per_unit,
    valid_from, valid_to)
VALUES (%(factory_id)s, %(carrier)s, %(kgce_per_unit)s, %(source)s, %(lhv_kj_per_unit)s,
    %(valid_from)s, %(valid_to)s);

-- name: insert_shift
-- A shift of the weekly pattern.
INSERT INTO registry.shift (factory_id, weekday, name, starts, duration_s)
VALUES (%(factory_id)s, %(weekday)s, %(name)s, %(starts)s, %(duration_s)s);

-- name: insert_holiday
-- A day on which no shift starts.
INSERT INTO registry.holiday (factory_id, day, name) VALUES (%(factory_id)s, %(day)s, %(name)s);

-- name: insert_line
-- A serial line: the machine that its units leave from and, where the plan names it, its bottleneck.
INSERT INTO registry.line (factory_id, code, last_asset_id, bottleneck_asset_id)
VALUES (%(factory_id)s, %(code)s,
    (SELECT asset_id FROM registry.asset WHERE factory_id = %(factory_id)s AND code = %(last)s),
    (SELECT asset_id FROM registry.asset
     WHERE factory_id = %(factory_id)s AND code = %(bottleneck)s));

-- name: insert_planned_stop
-- A stop, with the time at which it was filed.
INSERT INTO registry.planned_stop (factory_id, asset_id, starts_at, ends_at, reason, filed_at)
VALUES (%(factory_id)s,
    (SELECT asset_id FROM registry.asset WHERE factory_id = %(factory_id)s AND code = %(asset)s),
    %(starts_at)s, %(ends_at)s, %(reason)s, %(filed_at)s);

-- name: insert_promise
-- What the application promised for one KPI; one of the entry list stays when no plan names it.
INSERT INTO pool.promise (factory_id, kpi, before_value, before_basis, expected_value)
VALUES (%(factory_id)s, %(kpi)s, %(before)s, %(basis)s, %(expected)s)
ON CONFLICT (factory_id, kpi) DO UPDATE
SET before_value = excluded.before_value, before_basis = excluded.before_basis,
    expected_value = excluded.expected_value;

-- name: insert_declaration
-- What the factory declares of a KPI from a day on, and the document that says so.
INSERT INTO registry.declaration (factory_id, kpi, since, value, basis, document)
VALUES (%(factory_id)s, %(kpi)s, %(since)s, %(value)s, %(basis)s, %(document)s);

-- name: insert_self_report
-- What the factory reports for one KPI and period; what it reported by itself goes before.
INSERT INTO pool.self_report (factory_id, kpi, period_start, period_end, value, reported_at)
VALUES (%(factory_id)s, %(kpi)s, %(period_start)s, %(period_end)s, %(value)s, %(reported_at)s)
ON CONFLICT (factory_id, kpi, period_start, period_end) DO NOTHING;

-- name: upsert_gateway
-- Enrols a gateway with its public key; a new key replaces the old one of the same factory.
INSERT INTO registry.gateway (factory_id, code, public_key)
SELECT factory_id, %(gateway)s, %(public_key)s
FROM registry.factory
WHERE code = %(factory)s
ON CONFLICT (code) DO UPDATE SET public_key = excluded.public_key, revoked_at = NULL
WHERE gateway.factory_id = excluded.factory_id
RETURNING gateway_id;

-- name: gateway_tags
-- The tags that a gateway may send: those of its factory's plan.
SELECT t.name, t.tag_id
FROM registry.gateway g
JOIN registry.tag t USING (factory_id)
WHERE g.code = %(gateway)s AND g.revoked_at IS NULL;

-- name: list_factories
-- The factories with their enterprise and county, in the order of the codes.
SELECT f.factory_id, f.code, f.name_zh, f.name_en, e.name_zh, e.name_en, f.region_code, r.name_zh,
    r.name_en, f.kind, f.timezone, f.baseline_from, f.baseline_to, f.renovated_on
FROM registry.factory f
JOIN registry.enterprise e USING (enterprise_id)
JOIN registry.region r ON r.code = f.region_code
ORDER BY f.code;

-- name: get_factory
-- A factory by its code.
SELECT f.factory_id, f.code, f.name_zh, f.name_en, e.name_zh, e.name_en, f.region_code, r.name_zh,
    r.name_en, f.kind, f.timezone, f.baseline_from, f.baseline_to, f.renovated_on
FROM registry.factory f
JOIN registry.enterprise e USING (enterprise_id)
JOIN registry.region r ON r.code = f.region_code
WHERE f.code = %(code)s;

-- name: some_factories
-- Factories by their numbers, in the order of the codes.
SELECT f.factory_id, f.code, f.name_zh, f.name_en, e.name_zh, e.name_en, f.region_code, r.name_zh,
    r.name_en, f.kind, f.timezone, f.baseline_from, f.baseline_to, f.renovated_on
FROM registry.factory f
JOIN registry.enterprise e USING (enterprise_id)
JOIN registry.region r ON r.code = f.region_code
WHERE f.factory_id = ANY (%(factories)s)
ORDER BY f.code;

-- name: list_assets
-- The assets of a factory with what their meters measure and where they answer.
SELECT a.asset_id, a.code, a.name_zh, a.name_en, a.kind, a.serial, a.key_equipment, a.in_oee,
    m.carrier, m.unit, m.level, a.line, a.retrofitted_on, a.retrofit_document, l.address
FROM registry.asset a
LEFT JOIN registry.meter m USING (asset_id)
LEFT JOIN registry.asset_limit l USING (asset_id)
WHERE a.factory_id = %(factory_id)s
ORDER BY a.code;

-- name: list_tags
-- The tags of a factory.
SELECT tag_id, asset_id, name, role, unit, heartbeat_s, modulus, max_rate_per_s, ratio, resolution,
    state_map
FROM registry.tag
WHERE factory_id = %(factory_id)s
ORDER BY tag_id;

-- name: list_state_maps
-- The raw state numbers of a factory's controllers.
SELECT name, raw, state FROM registry.state_map WHERE factory_id = %(factory_id)s ORDER BY name, raw;

-- name: list_ideal_cycles
-- The ideal cycles of a factory's assets.
SELECT i.asset_id, i.product, i.cycle_s
FROM registry.ideal_cycle i
JOIN registry.asset a USING (asset_id)
WHERE a.factory_id = %(factory_id)s
ORDER BY i.asset_id, i.product;

-- name: list_shifts
-- The weekly shift pattern of a factory.
SELECT weekday, name, starts, duration_s
FROM registry.shift
WHERE factory_id = %(factory_id)s
ORDER BY weekday, starts;

-- name: list_holidays
-- The days of a factory on which no shift starts.
SELECT day FROM registry.holiday WHERE factory_id = %(factory_id)s ORDER BY day;

-- name: list_lines
-- The serial lines of a factory with their machines that form OEE, in the order of their codes.
SELECT l.code, l.last_asset_id, l.bottleneck_asset_id,
    array_agg(a.asset_id ORDER BY a.code) AS asset_ids
FROM registry.line l
JOIN registry.asset a ON a.factory_id = l.factory_id AND a.line = l.code AND a.in_oee
WHERE l.factory_id = %(factory_id)s
GROUP BY l.code, l.last_asset_id, l.bottleneck_asset_id
ORDER BY l.code;

-- name: list_planned_stops
-- The stops of a factory that were filed before they began.
SELECT asset_id, starts_at, ends_at
FROM registry.planned_stop
WHERE factory_id = %(factory_id)s AND filed_at < starts_at
ORDER BY starts_at;

-- name: list_energy_factors
-- The certified energy factors and measured heating values of a factory.
SELECT carrier, kgce_per_unit, source, lhv_kj_per_unit, valid_from, valid_to
FROM registry.energy_factor
WHERE factory_id = %(factory_id)s
ORDER BY carrier, lhv_kj_per_unit IS NULL, valid_from NULLS FIRST;

-- name: list_declarations
-- What a factory declares of the KPIs that data do not reach, the newest of each last.
SELECT kpi, since, value, basis, document
FROM registry.declaration
WHERE factory_id = %(factory_id)s
ORDER BY kpi, since;
