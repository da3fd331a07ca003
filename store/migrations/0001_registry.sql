-- What exists in a factory and how it is to be read: the approved monitoring plan as tables.
CREATE EXTENSION IF NOT EXISTS timescaledb;

CREATE SCHEMA registry;

CREATE TABLE registry.region (
    code    text PRIMARY KEY,
    name_zh text NOT NULL,
    name_en text NOT NULL
);

CREATE TABLE registry.enterprise (
    enterprise_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    credit_code   text UNIQUE,
    name_zh       text NOT NULL UNIQUE,
    name_en       text NOT NULL
);

CREATE TABLE registry.factory (
    factory_id    int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code          text NOT NULL UNIQUE,
    enterprise_id int  NOT NULL REFERENCES registry.enterprise,
    region_code   text NOT NULL REFERENCES registry.region,
    name_zh       text NOT NULL,
    name_en       text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('discrete', 'process')),
    timezone      text NOT NULL DEFAULT 'Asia/Shanghai',
    -- Baseline and verification windows are local dates, half-open.
    baseline_from date NOT NULL,
    baseline_to   date NOT NULL,
    renovated_on  date NOT NULL,
    CHECK (baseline_from < baseline_to AND baseline_to <= renovated_on)
);

CREATE TABLE registry.asset (
    asset_id      int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id    int  NOT NULL REFERENCES registry.factory,
    code          text NOT NULL,
    name_zh       text NOT NULL,
    name_en       text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('machine', 'robot', 'meter', 'system')),
    line          text,
    serial        text,
    key_equipment boolean NOT NULL DEFAULT false,
    -- True where the asset's good output and planned time form the factory's OEE.
    in_oee        boolean NOT NULL DEFAULT false,
    UNIQUE (factory_id, code)
);

-- Raw state numbers of a controller, by name of the profile that lists them.
CREATE TABLE registry.state_map (
    factory_id int  NOT NULL REFERENCES registry.factory,
    name       text NOT NULL,
    raw        int  NOT NULL,
    state      text NOT NULL CHECK (state IN ('run', 'setup', 'stop', 'idle', 'planned_down', 'unknown')),
    PRIMARY KEY (factory_id, name, raw)
);

CREATE TABLE registry.tag (
    tag_id       int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id   int  NOT NULL REFERENCES registry.factory,
    asset_id     int  NOT NULL REFERENCES registry.asset,
    name         text NOT NULL,
    role         text NOT NULL CHECK (role IN ('state', 'product', 'total_count', 'good_count',
                     'reject_count', 'rework_count', 'energy', 'power', 'process', 'link')),
    unit         text NOT NULL,
    -- The longest time between two rows of a healthy tag; three of them are the longest hold.
    heartbeat_s  int  NOT NULL CHECK (heartbeat_s > 0),
    modulus      float8 CHECK (modulus > 0),
    max_rate_per_s float8 CHECK (max_rate_per_s > 0),
    -- Primary units per register unit (CT x PT, pulse weight).
    ratio        float8 NOT NULL DEFAULT 1 CHECK (ratio > 0),
    -- Least step that the register shows, in register units; 0 where it shows every change.
    resolution   float8 NOT NULL DEFAULT 0 CHECK (resolution >= 0),
    state_map    text,
    UNIQUE (factory_id, name)
);
CREATE INDEX ON registry.tag (asset_id);

CREATE TABLE registry.ideal_cycle (
    asset_id     int    NOT NULL REFERENCES registry.asset,
    product      int    NOT NULL,
    product_name text   NOT NULL,
    cycle_s      float8 NOT NULL CHECK (cycle_s > 0),
    source       text   NOT NULL,
    PRIMARY KEY (asset_id, product)
);

CREATE TABLE registry.meter (
    asset_id int  PRIMARY KEY REFERENCES registry.asset,
    carrier  text NOT NULL,
    unit     text NOT NULL,
    -- 1 entry meter (forms the total), 2 sub-unit, 3 equipment.
    level    int  NOT NULL CHECK (level BETWEEN 1 AND 3)
);

-- Received-basis heat value that the supplier certifies; replaces the reference factor.
CREATE TABLE registry.energy_factor (
    factory_id    int    NOT NULL REFERENCES registry.factory,
    carrier       text   NOT NULL,
    kgce_per_unit float8 NOT NULL CHECK (kgce_per_unit > 0),
    source        text   NOT NULL,
    PRIMARY KEY (factory_id, carrier)
);

-- Shifts by weekday (Monday 1); one that crosses midnight belongs to the day on which it starts.
CREATE TABLE registry.shift (
    factory_id int  NOT NULL REFERENCES registry.factory,
    weekday    int  NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    name       text NOT NULL,
    starts     time NOT NULL,
    duration_s int  NOT NULL CHECK (duration_s BETWEEN 1 AND 86400),
    PRIMARY KEY (factory_id, weekday, name)
);

CREATE TABLE registry.holiday (
    factory_id int  NOT NULL REFERENCES registry.factory,
    day        date NOT NULL,
    name       text NOT NULL,
    PRIMARY KEY (factory_id, day)
);

-- Counts as planned only when filed before it began.
CREATE TABLE registry.planned_stop (
    planned_stop_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id int NOT NULL REFERENCES registry.factory,
    asset_id   int REFERENCES registry.asset,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL CHECK (ends_at > starts_at),
    reason     text NOT NULL,
    filed_at   timestamptz NOT NULL
);
CREATE INDEX ON registry.planned_stop (factory_id, starts_at);

CREATE TABLE registry.gateway (
    gateway_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id int   NOT NULL REFERENCES registry.factory,
    code       text  NOT NULL UNIQUE,
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    revoked_at timestamptz
);

INSERT INTO registry.region (code, name_zh, name_en) VALUES
    ('320600', '南通市', 'Nantong'),
    ('320612', '通州区', 'Tongzhou'),
    ('320613', '崇川区', 'Chongchuan'),
    ('320614', '海门区', 'Haimen'),
    ('320623', '如东县', 'Rudong'),
    ('320671', '南通经济技术开发区', 'Nantong ETDZ'),
    ('320681', '启东市', 'Qidong'),
    ('320682', '如皋市', 'Rugao'),
    ('320685', '海安市', 'Hai''an');
