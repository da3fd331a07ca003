-- Serial lines: OEE of a line goes by the units that leave its last machine and by its bottleneck.
CREATE TABLE registry.line (
    factory_id          int  NOT NULL REFERENCES registry.factory,
    code                text NOT NULL,
    last_asset_id       int  NOT NULL REFERENCES registry.asset,
    -- Null: the machine with the largest ideal cycle.
    bottleneck_asset_id int  REFERENCES registry.asset,
    PRIMARY KEY (factory_id, code)
);
