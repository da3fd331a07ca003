-- How a gateway that comes over HTTPS proves who it is. Of codes and tokens only hashes are kept.
CREATE TABLE registry.enrolment_code (
    enrolment_code_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id     int   NOT NULL REFERENCES registry.factory,
    -- The gateway need not exist yet.
    gateway_code   text  NOT NULL,
    code_sha256    bytea NOT NULL UNIQUE CHECK (length(code_sha256) = 32),
    -- True where the gateway shall come with a client certificate instead of a token.
    by_certificate boolean NOT NULL,
    expires_at     timestamptz NOT NULL,
    attempts_left  int   NOT NULL CHECK (attempts_left >= 0),
    -- The public key that the code was spent on.
    used_key       bytea CHECK (length(used_key) = 32)
);
CREATE INDEX ON registry.enrolment_code (gateway_code);

CREATE TABLE registry.gateway_token (
    token_sha256 bytea PRIMARY KEY CHECK (length(token_sha256) = 32),
    gateway_id   int   NOT NULL REFERENCES registry.gateway,
    made_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- First use: only then do the gateway's other tokens end, since an answer may get lost.
    used_at      timestamptz,
    ended_at     timestamptz
);
CREATE INDEX ON registry.gateway_token (gateway_id);

CREATE TABLE registry.gateway_certificate (
    gateway_id  int   NOT NULL REFERENCES registry.gateway,
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    made_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at    timestamptz
);
CREATE UNIQUE INDEX ON registry.gateway_certificate (fingerprint) WHERE ended_at IS NULL;
CREATE INDEX ON registry.gateway_certificate (gateway_id);

-- Who let a gateway in or shut it out, and when; rows are only added.
CREATE TABLE registry.gateway_event (
    event_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gateway_code text  NOT NULL,
    action       text  NOT NULL CHECK (action IN ('code_made', 'enrolled', 'enrolment_refused',
                     'token_renewed', 'revoked')),
    actor        text  NOT NULL,
    detail       jsonb NOT NULL,
    at           timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX ON registry.gateway_event (gateway_code, event_id);
