-- The spool of one gateway: what was read and is not yet known to be in the database.

-- Tags by name; the number that the database knows one by is kept, so that it may be down at start.
CREATE TABLE tag (
    tag_index INTEGER PRIMARY KEY,
    name      TEXT NOT NULL UNIQUE,
    tag_id    INTEGER
);

-- Waiting rows, oldest first by sample_id.
CREATE TABLE sample (
    sample_id INTEGER PRIMARY KEY,
    tag_index INTEGER NOT NULL,
    ts_us     INTEGER NOT NULL,
    value     REAL,
    status    INTEGER NOT NULL,
    arrived_s INTEGER NOT NULL
);

CREATE TABLE record (
    record_id INTEGER PRIMARY KEY,
    kind      TEXT NOT NULL,
    key       TEXT NOT NULL,
    at        TEXT NOT NULL,
    body      TEXT NOT NULL,
    arrived_s INTEGER NOT NULL
);

-- At most one: cut, signed, and sent again byte for byte until it is acknowledged or refused.
CREATE TABLE batch (
    seq            INTEGER PRIMARY KEY,
    config_version TEXT NOT NULL,
    row_data       BLOB NOT NULL,
    records        TEXT NOT NULL,
    tag_names      TEXT NOT NULL,
    prev_sha256    BLOB NOT NULL,
    sha256         BLOB NOT NULL,
    signature      BLOB NOT NULL,
    clock_skew_s   REAL
);

-- Batches that the database refused for good: kept for a person to look at.
CREATE TABLE aside (
    aside_id  INTEGER PRIMARY KEY,
    set_at_us INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    reason    TEXT NOT NULL,
    row_count INTEGER NOT NULL,
    row_data  BLOB NOT NULL,
    records   TEXT NOT NULL,
    tag_names TEXT NOT NULL
);

-- What could not be understood; the database gets a copy when it can be reached.
CREATE TABLE quarantined (
    quarantined_id INTEGER PRIMARY KEY,
    source         TEXT NOT NULL,
    reason         TEXT NOT NULL,
    payload        TEXT NOT NULL,
    seen_at_us     INTEGER NOT NULL,
    sent           INTEGER NOT NULL DEFAULT 0
);

-- Messages stored lately, so that one delivered again after a crash is known.
CREATE TABLE delivered (
    delivered_id INTEGER PRIMARY KEY,
    digest       BLOB NOT NULL UNIQUE
);

CREATE TABLE source (
    name         TEXT PRIMARY KEY,
    state        TEXT NOT NULL,
    since_us     INTEGER NOT NULL,
    last_good_us INTEGER,
    reason       TEXT
);

CREATE TABLE counter (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
);

-- The end of the hash chain: the newest sequence number given out, and the newest acknowledged.
CREATE TABLE chain (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    seq      INTEGER NOT NULL,
    sha256   BLOB NOT NULL,
    acked    INTEGER NOT NULL
);
INSERT INTO chain VALUES (1, 0, zeroblob(32), 0);
