-- name: upsert_evidence
-- What the data of one window say of one claim by one method; the same window is judged again.
INSERT INTO kpi.evidence (factory_id, claim, method, window_start, window_end, rule_version, verdict,
    reason, numbers, links, expires_on)
VALUES (%(factory_id)s, %(claim)s, %(method)s, %(window_start)s, %(window_end)s, %(rule_version)s,
    %(verdict)s, %(reason)s, %(numbers)s, %(links)s, %(expires_on)s)
ON CONFLICT (factory_id, claim, method, window_end) DO UPDATE
SET window_start = excluded.window_start, rule_version = excluded.rule_version,
    verdict = excluded.verdict, reason = excluded.reason, numbers = excluded.numbers,
    links = excluded.links, expires_on = excluded.expires_on, computed_at = clock_timestamp();

-- name: latest_evidence
-- The newest answer to each claim of a factory by each method.
SELECT DISTINCT ON (claim, method) claim, method, window_start, window_end, rule_version, verdict,
    reason, numbers, links, expires_on, computed_at
FROM kpi.evidence
WHERE factory_id = %(factory_id)s
ORDER BY claim, method, window_end DESC;
