-- Letters and reports: what was asked for, how far it is, and the files that came of it.

-- Texts of letters that the bureau sets: proposed by one, confirmed by another, from a day on.
CREATE TABLE pool.letter_template (
    template_no  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind         text NOT NULL,
    content      text NOT NULL CHECK (length(content) BETWEEN 1 AND 65536),
    valid_from   date NOT NULL,
    -- The document that says so.
    source       text NOT NULL CHECK (source <> ''),
    account_id   int  REFERENCES auth.account,
    actor        text NOT NULL,
    proposed_at  timestamptz NOT NULL,
    outcome      text CHECK (outcome IN ('confirmed', 'declined')),
    decided_id   int  REFERENCES auth.account,
    decided_by   text,
    decided_at   timestamptz,
    answer       text,
    CHECK ((outcome IS NULL) = (decided_at IS NULL)),
    CHECK (outcome <> 'confirmed' OR decided_id IS DISTINCT FROM account_id
        OR (decided_id IS NULL AND decided_by <> actor))
);
CREATE INDEX ON pool.letter_template (kind, valid_from);

CREATE TABLE pool.document (
    document_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id    int  NOT NULL REFERENCES registry.factory,
    kind          text NOT NULL,
    -- What it is about: a step, a stage of a membership, a period.
    subject       text NOT NULL,
    transition_no bigint REFERENCES pool.transition,
    -- Which membership or which rolling year a document without a step is about.
    membership_id int  REFERENCES pool.membership,
    period_start  date,
    -- The number that the office gave it; empty where it is still to come.
    number        text NOT NULL DEFAULT '',
    state         text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'done', 'failed')),
    -- In percent.
    progress      int  NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    attempts      int  NOT NULL DEFAULT 0,
    not_before    timestamptz NOT NULL,
    taken_at      timestamptz,
    error         text,
    account_id    int  REFERENCES auth.account,
    actor         text NOT NULL,
    role          text NOT NULL,
    asked_at      timestamptz NOT NULL,
    -- Counts those of the same kind and subject that were made.
    version       int  CHECK (version >= 1),
    template_id   text,
    -- Of what it was made from, as its footer says; the files' own hashes stand beside it.
    content_sha256 text CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
    docx_sha256   text,
    pdf_sha256    text,
    made_at       timestamptz,
    UNIQUE (factory_id, kind, subject, version),
    FOREIGN KEY (factory_id, docx_sha256) REFERENCES pool.file (factory_id, sha256),
    FOREIGN KEY (factory_id, pdf_sha256) REFERENCES pool.file (factory_id, sha256),
    CHECK ((state = 'done') = (made_at IS NOT NULL)),
    CHECK ((made_at IS NULL) = (pdf_sha256 IS NULL) AND (made_at IS NULL) = (docx_sha256 IS NULL)),
    CHECK (made_at IS NULL OR version IS NOT NULL AND content_sha256 IS NOT NULL),
    CHECK ((state = 'failed') <= (error IS NOT NULL))
);
-- Never two of the same at once.
CREATE UNIQUE INDEX document_waiting ON pool.document (factory_id, kind, subject)
    WHERE state IN ('queued', 'running');
CREATE INDEX document_queue ON pool.document (not_before, document_id)
    WHERE state IN ('queued', 'running');
CREATE INDEX ON pool.document (factory_id, document_id);
CREATE INDEX ON pool.document (pdf_sha256);
CREATE INDEX ON pool.document (docx_sha256);

-- Up to where the documents of steps were asked for.
CREATE TABLE pool.document_cursor (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    cursor   bigint  NOT NULL
);
INSERT INTO pool.document_cursor (cursor) SELECT coalesce(max(cursor), 0) FROM pool.event;

CALL auth.protect('pool.document');
-- People ask for a document in their own name; what comes of it, the machine alone writes.
CREATE POLICY own ON pool.document AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted()) OR account_id = (SELECT auth.account_id())
        AND state = 'queued' AND made_at IS NULL AND version IS NULL
        AND (SELECT auth.role()) IN
            ('county_officer', 'county_leader', 'city_officer', 'city_leader'));
GRANT INSERT ON pool.document TO millpond_app;

ALTER TABLE pool.letter_template ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON pool.letter_template FOR SELECT USING ((SELECT auth.is_trusted())
    OR (SELECT auth.account_id()) IS NOT NULL);
CREATE POLICY proposes ON pool.letter_template FOR INSERT WITH CHECK (
    account_id = (SELECT auth.account_id()) AND outcome IS NULL
    AND (SELECT auth.role()) IN ('city_officer', 'city_leader'));
CREATE POLICY decides ON pool.letter_template FOR UPDATE
    USING (outcome IS NULL AND (SELECT auth.role()) IN ('city_officer', 'city_leader'))
    WITH CHECK (decided_id = (SELECT auth.account_id()) AND decided_id <> account_id);
GRANT SELECT, INSERT ON pool.letter_template TO millpond_app;
GRANT UPDATE (outcome, decided_id, decided_by, decided_at, answer) ON pool.letter_template
    TO millpond_app;
