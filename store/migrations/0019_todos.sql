-- What is to be done by whom until when, what people are told of it, and help tickets.

-- A to-do of a role at a factory. It comes from an event and goes with one.
CREATE TABLE pool.todo (
    todo_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id    int  NOT NULL REFERENCES registry.factory,
    role          text NOT NULL CHECK (role IN ('ent_filler', 'ent_approver', 'ent_engineer',
                      'county_officer', 'county_leader', 'city_officer', 'city_leader', 'expert',
                      'verifier')),
    kind          text NOT NULL,
    -- Which of several of that kind, such as a ticket's number; else empty.
    object        text NOT NULL DEFAULT '',
    -- Names for its text, by placeholder.
    names         jsonb NOT NULL,
    -- The last day; estimated where a calendar of its year is not known.
    due           date,
    due_estimated boolean NOT NULL DEFAULT false,
    opened_at     timestamptz NOT NULL,
    -- The to-do of the level below whose deadline passed.
    raised_from   bigint REFERENCES pool.todo,
    closed_at     timestamptz
);
-- Of what waits there is never a second one.
CREATE UNIQUE INDEX todo_open ON pool.todo (factory_id, kind, object, role) WHERE closed_at IS NULL;
CREATE INDEX todo_list ON pool.todo (role, due, todo_id) WHERE closed_at IS NULL;
CREATE INDEX ON pool.todo (raised_from);

-- What was said of a to-do's deadline, once each; an extended one is another.
CREATE TABLE pool.todo_notice (
    todo_id    bigint NOT NULL REFERENCES pool.todo,
    factory_id int    NOT NULL REFERENCES registry.factory,
    step       text   NOT NULL CHECK (step IN ('first', 'last', 'raised')),
    due        date   NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (todo_id, step, due)
);

-- How far each reader of the events came.
CREATE TABLE pool.event_reader (
    name   text   PRIMARY KEY,
    cursor bigint NOT NULL CHECK (cursor >= 0)
);

-- A message to one person: a template of texts/ and its names; read_at is the receipt.
CREATE TABLE pool.message (
    message_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id int  NOT NULL REFERENCES auth.account,
    factory_id int  NOT NULL REFERENCES registry.factory,
    todo_id    bigint REFERENCES pool.todo,
    template   text NOT NULL,
    names      jsonb NOT NULL,
    sent_at    timestamptz NOT NULL,
    read_at    timestamptz CHECK (read_at >= sent_at)
);
CREATE INDEX ON pool.message (account_id, message_id);

-- The same message on its way by e-mail or SMS.
CREATE TABLE pool.delivery (
    delivery_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id  bigint NOT NULL REFERENCES pool.message,
    channel     text NOT NULL CHECK (channel IN ('email', 'sms')),
    state       text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed')),
    attempts    int  NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL,
    error       text,
    ended_at    timestamptz,
    UNIQUE (message_id, channel),
    CHECK ((state = 'queued') = (ended_at IS NULL))
);
CREATE INDEX ON pool.delivery (next_try_at) WHERE state = 'queued';

-- How a person wants to be told beside the messages here. Only the person sees it.
CREATE TABLE auth.contact (
    account_id  int  PRIMARY KEY REFERENCES auth.account,
    phone       text CHECK (phone ~ '^\+?[0-9]{5,20}$'),
    wants_email boolean NOT NULL DEFAULT true,
    wants_sms   boolean NOT NULL DEFAULT false,
    CHECK (NOT wants_sms OR phone IS NOT NULL)
);

-- An enterprise asks an officer for help.
CREATE TABLE pool.ticket (
    ticket_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    factory_id    int  NOT NULL REFERENCES registry.factory,
    subject       text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
    -- Whom it asks.
    level         text NOT NULL CHECK (level IN ('county', 'city')),
    state         text NOT NULL CHECK (state IN ('open', 'answered', 'closed')),
    version       int  NOT NULL CHECK (version >= 1),
    account_id    int  REFERENCES auth.account,
    actor         text NOT NULL,
    opened_at     timestamptz NOT NULL,
    changed_at    timestamptz NOT NULL,
    -- The last day for an answer, while it is open.
    due           date,
    due_estimated boolean NOT NULL DEFAULT false,
    CHECK ((state = 'open') = (due IS NOT NULL))
);
CREATE INDEX ON pool.ticket (factory_id, ticket_id);

-- What was said to a ticket: rows are only added.
CREATE TABLE pool.ticket_entry (
    entry_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id  bigint NOT NULL REFERENCES pool.ticket,
    factory_id int  NOT NULL REFERENCES registry.factory,
    act        text NOT NULL CHECK (act IN ('open', 'reply', 'close', 'reopen')),
    text       text NOT NULL CHECK (length(text) <= 4000),
    account_id int  REFERENCES auth.account,
    actor      text NOT NULL,
    role       text NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX ON pool.ticket_entry (ticket_id, entry_id);
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON pool.ticket_entry
    FOR EACH ROW EXECUTE FUNCTION pool.keep();

CALL auth.protect('pool.todo');
CALL auth.protect('pool.todo_notice');
CALL auth.protect('pool.message');
CALL auth.protect('pool.ticket');
CALL auth.protect('pool.ticket_entry');

-- Everybody sees the to-dos of the own role and the messages to the own account.
CREATE POLICY own ON pool.todo AS RESTRICTIVE USING ((SELECT auth.is_trusted())
    OR role = (SELECT auth.role()));
CREATE POLICY own ON pool.message AS RESTRICTIVE USING ((SELECT auth.is_trusted())
    OR account_id = (SELECT auth.account_id()));
CALL auth.protect_by('pool.delivery', 'message_id', 'pool.message', 'message_id');
CREATE POLICY own ON pool.delivery AS RESTRICTIVE USING ((SELECT auth.is_trusted())
    OR message_id IN (SELECT message_id FROM pool.message));
GRANT UPDATE (read_at) ON pool.message TO millpond_app;

ALTER TABLE auth.contact ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON auth.contact USING (account_id = (SELECT auth.account_id()));
GRANT SELECT, INSERT ON auth.contact TO millpond_app;
GRANT UPDATE (phone, wants_email, wants_sms) ON auth.contact TO millpond_app;

-- Enterprises open tickets; they and officers carry them on; experts and verifiers only read.
CREATE POLICY opens ON pool.ticket AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted()) OR account_id = (SELECT auth.account_id())
    AND (SELECT auth.role()) IN ('ent_filler', 'ent_approver', 'ent_engineer'));
CREATE POLICY carries ON pool.ticket AS RESTRICTIVE FOR UPDATE USING (
    (SELECT auth.is_trusted()) OR (SELECT auth.role()) NOT IN ('expert', 'verifier'));
CREATE POLICY own ON pool.ticket_entry AS RESTRICTIVE FOR INSERT WITH CHECK (
    (SELECT auth.is_trusted()) OR account_id = (SELECT auth.account_id())
    AND (SELECT auth.role()) NOT IN ('expert', 'verifier'));
GRANT INSERT ON pool.ticket, pool.ticket_entry TO millpond_app;
GRANT UPDATE (state, version, changed_at, due, due_estimated) ON pool.ticket TO millpond_app;

-- Who of a role has a factory in scope, for whom a message is.
CREATE VIEW auth.reached AS
SELECT f.factory_id, a.role, a.account_id
FROM auth.account a
JOIN registry.factory f ON a.role IN ('city_officer', 'city_leader')
    OR a.region_code = f.region_code
    OR EXISTS (
        SELECT FROM auth.account_factory x
        WHERE x.account_id = a.account_id AND x.factory_id = f.factory_id
          AND a.role IN ('ent_filler', 'ent_approver', 'ent_engineer', 'expert', 'verifier')
          AND x.since <= now() AND (x.until IS NULL OR now() < x.until))
WHERE a.disabled_at IS NULL;
