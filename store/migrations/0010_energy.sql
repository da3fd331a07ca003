-- Meters through their exchanges, factors by the months in which they hold, and fuel in stock.
ALTER TABLE registry.meter
    -- The register that the asset stands for: what came in, what went out, or one tariff of both.
    ADD COLUMN register text NOT NULL DEFAULT 'import'
        CHECK (register IN ('import', 'export', 'tariff')),
    ADD COLUMN origin text NOT NULL DEFAULT 'purchased'
        CHECK (origin IN ('purchased', 'own_renewable', 'own_produced')),
    -- Code of the meter above in the tree; of a tariff, that of the register with the total.
    ADD COLUMN above text;

-- From `at` on another meter or transformer counts, with its own multiplier (CT x PT).
CREATE TABLE registry.meter_exchange (
    asset_id    int    NOT NULL REFERENCES registry.asset,
    at          timestamptz NOT NULL,
    old_final   float8 NOT NULL CHECK (old_final >= 0),
    new_initial float8 NOT NULL CHECK (new_initial >= 0),
    ratio       float8 NOT NULL CHECK (ratio > 0),
    document    text   NOT NULL,
    PRIMARY KEY (asset_id, at)
);

-- A factor or a measured heating value; both may hold at once, and then the measured one counts.
ALTER TABLE registry.energy_factor
    DROP CONSTRAINT energy_factor_pkey,
    ALTER COLUMN kgce_per_unit DROP NOT NULL,
    ADD COLUMN lhv_kj_per_unit float8 CHECK (lhv_kj_per_unit > 0),
    -- Firsts of months, half-open; without one it holds on that side for ever.
    ADD COLUMN valid_from date,
    ADD COLUMN valid_to date CHECK (valid_to > valid_from),
    ADD CHECK (num_nonnulls(kgce_per_unit, lhv_kj_per_unit) = 1);
CREATE INDEX ON registry.energy_factor (factory_id, carrier);

-- Fuel in stock at the start of a day, in the carrier's unit.
CREATE TABLE registry.energy_stock (
    factory_id int    NOT NULL REFERENCES registry.factory,
    carrier    text   NOT NULL,
    day        date   NOT NULL,
    quantity   float8 NOT NULL CHECK (quantity >= 0),
    source     text   NOT NULL,
    PRIMARY KEY (factory_id, carrier, day)
);

-- Which year's equivalent value of electricity a factory's figures rest on; without a row, fixed.
CREATE TABLE registry.energy_method (
    factory_id int  PRIMARY KEY REFERENCES registry.factory,
    equivalent text NOT NULL CHECK (equivalent IN ('fixed', 'by_year'))
);
