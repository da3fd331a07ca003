-- What a host of Sparkplug B remembers over a restart. Aliases and bdSeq are texts: they have 64
-- bits without sign, which SQLite's integers have not.

CREATE TABLE node (
    grp    TEXT NOT NULL,
    node   TEXT NOT NULL,
    birth  INTEGER NOT NULL, -- when it was received, µs since 1970 UTC; 0 where none was
    bd_seq TEXT,
    due    INTEGER, -- the sequence number after the last message that the spool holds
    PRIMARY KEY (grp, node)
) WITHOUT ROWID;

CREATE TABLE owner (
    grp        TEXT NOT NULL,
    node       TEXT NOT NULL,
    device     TEXT NOT NULL, -- '' is the node itself
    is_certain INTEGER NOT NULL,
    PRIMARY KEY (grp, node, device)
) WITHOUT ROWID;

CREATE TABLE metric (
    grp      TEXT NOT NULL,
    node     TEXT NOT NULL,
    device   TEXT NOT NULL,
    place    INTEGER NOT NULL, -- order of the birth
    name     TEXT NOT NULL,
    alias    TEXT,
    datatype INTEGER,
    PRIMARY KEY (grp, node, device, place)
) WITHOUT ROWID;

CREATE TABLE subscription (
    filter TEXT PRIMARY KEY
) WITHOUT ROWID;
