-- name: ask_document
-- Asks for a document; nothing where the same one is being made.
INSERT INTO pool.document (factory_id, kind, subject, transition_no, membership_id, period_start,
    number, not_before, account_id, actor, role, asked_at)
VALUES (%(factory_id)s, %(kind)s, %(subject)s, %(transition_no)s, %(membership_id)s,
    %(period_start)s, %(number)s, %(at)s, %(account_id)s, %(actor)s, %(role)s, %(at)s)
ON CONFLICT DO NOTHING
RETURNING document_id;

-- name: list_documents
-- Documents of the scope, newest first, behind a number: of one factory or of all.
SELECT d.document_id, d.factory_id, f.code, d.kind, d.subject, d.transition_no, d.membership_id,
    d.period_start, d.number, d.state, d.progress, d.attempts, d.error, d.account_id, d.actor,
    d.role, d.asked_at, d.version, d.template_id, d.content_sha256, d.docx_sha256, d.pdf_sha256,
    d.made_at
FROM pool.document d
JOIN registry.factory f USING (factory_id)
WHERE (%(factory_id)s::int IS NULL OR d.factory_id = %(factory_id)s)
  AND (%(document_id)s::bigint IS NULL OR d.document_id = %(document_id)s)
  AND (%(waiting)s::text IS NULL OR d.state IN ('queued', 'running')
       AND (d.kind, d.subject) = (%(waiting)s, %(subject)s))
  AND (%(sha256)s::text IS NULL OR %(sha256)s IN (d.docx_sha256, d.pdf_sha256))
  AND (%(before)s::bigint IS NULL OR d.document_id < %(before)s)
ORDER BY d.document_id DESC
LIMIT %(most)s;

-- name: take_document
-- Takes the next document of the queue, or one whose maker was heard of too long ago.
UPDATE pool.document SET state = 'running', progress = 0, attempts = attempts + 1,
    taken_at = clock_timestamp()
WHERE document_id = (
    SELECT document_id FROM pool.document
    WHERE state IN ('queued', 'running')
      AND (state = 'queued' AND not_before <= clock_timestamp()
           OR state = 'running' AND taken_at < clock_timestamp() - %(lost_after)s::interval)
    ORDER BY not_before, document_id
    LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING document_id, attempts;

-- name: progress_document
-- Says how far a document is, in percent.
UPDATE pool.document SET progress = %(progress)s
WHERE document_id = %(document_id)s AND state = 'running';

-- name: next_document_version
-- Which of its kind and subject a document will be.
SELECT coalesce(max(o.version), 0) + 1
FROM pool.document d
JOIN pool.document o USING (factory_id, kind, subject)
WHERE d.document_id = %(document_id)s;

-- name: finish_document
-- Keeps what came of a document that is being made in this attempt.
UPDATE pool.document SET state = 'done', progress = 100, error = NULL, version = %(version)s,
    template_id = %(template_id)s, content_sha256 = %(content_sha256)s,
    docx_sha256 = %(docx_sha256)s, pdf_sha256 = %(pdf_sha256)s, made_at = %(made_at)s
WHERE document_id = %(document_id)s AND state = 'running' AND attempts = %(attempts)s
RETURNING document_id;

-- name: fail_document
-- Says why an attempt failed; it is tried again after a wait, or given up without one.
UPDATE pool.document SET error = %(error)s, progress = 0,
    state = CASE WHEN %(wait)s::interval IS NULL THEN 'failed' ELSE 'queued' END,
    not_before = clock_timestamp() + coalesce(%(wait)s::interval, INTERVAL '0')
WHERE document_id = %(document_id)s AND state = 'running' AND attempts = %(attempts)s
RETURNING document_id;

-- name: take_document_cursor
-- Up to where the steps' documents were asked for; held until the end of the transaction.
SELECT cursor FROM pool.document_cursor FOR UPDATE;

-- name: move_document_cursor
-- Sets up to where the steps' documents were asked for.
UPDATE pool.document_cursor SET cursor = %(cursor)s;

-- name: step_of_event
-- The step that an event tells of.
SELECT transition_no, membership_id FROM pool.transition t
JOIN registry.factory f USING (factory_id)
WHERE f.code = %(factory)s AND t.version = %(version)s AND t.transition_id = %(transition_id)s
  AND t.at = %(at)s;

-- name: step_with_document
-- The newest step of a stay that makes a document of a kind.
SELECT transition_no FROM pool.transition
WHERE membership_id = %(membership_id)s AND %(kind)s = ANY (documents)
ORDER BY transition_no DESC
LIMIT 1;

-- name: read_step
-- A step with all that it was decided under.
SELECT version, transition_id, from_state, to_state, at, account_id, actor, role, comment, deadline,
    lifecycle_id, policy_id, situation, documents
FROM pool.transition WHERE transition_no = %(transition_no)s;

-- name: read_membership
-- One stay in the pool.
SELECT m.membership_id, m.factory_id, f.code, f.name_zh, f.name_en, f.region_code, m.state,
    m.version, m.stage, m.since, m.entered_on, m.deadline, m.deadline_estimated, m.extensions,
    m.reviewed_on, m.left_on, m.lifecycle_id
FROM pool.membership m
JOIN registry.factory f USING (factory_id)
WHERE m.membership_id = %(membership_id)s;

-- name: list_templates
-- Texts of letters that were proposed, newest first.
SELECT template_no, kind, content, valid_from, source, account_id, actor, proposed_at, outcome,
    decided_id, decided_by, decided_at, answer
FROM pool.letter_template
WHERE (%(subject)s::text IS NULL OR kind = %(subject)s)
  AND (%(number)s::bigint IS NULL OR template_no = %(number)s)
  AND (%(before)s::bigint IS NULL OR template_no < %(before)s)
  AND (outcome IS NULL OR NOT %(waiting)s)
ORDER BY template_no DESC
LIMIT %(most)s;

-- name: template_in_force
-- The confirmed text of a letter on a day.
SELECT template_no, content, valid_from, source FROM pool.letter_template
WHERE kind = %(kind)s AND outcome = 'confirmed' AND valid_from <= %(day)s
ORDER BY valid_from DESC, decided_at DESC, template_no DESC
LIMIT 1;

-- name: propose_template
-- Proposes a text for a letter.
INSERT INTO pool.letter_template (kind, content, valid_from, source, account_id, actor, proposed_at)
VALUES (%(subject)s, %(value)s, %(valid_from)s, %(source)s, %(account_id)s, %(actor)s, %(at)s)
RETURNING template_no;

-- name: decide_template
-- Confirms, declines or withdraws a text that waits.
UPDATE pool.letter_template
SET outcome = %(outcome)s, decided_id = %(account_id)s, decided_by = %(actor)s,
    decided_at = %(at)s, answer = %(answer)s
WHERE template_no = %(number)s AND outcome IS NULL
RETURNING template_no;
