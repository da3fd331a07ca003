-- What the application's own role could still do by statements of its own, and the application never
-- does.

-- A function of the owner that a trigger runs needs no right of whoever fires it. With the right,
-- which everybody has by default, a role hangs it on a temporary table and has it write what it likes.
REVOKE ALL ON FUNCTION pool.publish(), pool.feed(), pool.dispute_changes(), kpi.figures_come_due(),
    kpi.evidence_comes_due() FROM PUBLIC;

-- Nothing of the policy or the letters begins before it was proposed, nor before it was confirmed.
ALTER TABLE pool.policy_value ADD CONSTRAINT policy_value_not_backdated CHECK (
    valid_from >= (proposed_at AT TIME ZONE 'Asia/Shanghai')::date
    AND (outcome <> 'confirmed' OR valid_from >= (decided_at AT TIME ZONE 'Asia/Shanghai')::date));
ALTER TABLE pool.letter_template ADD CONSTRAINT letter_template_not_backdated CHECK (
    valid_from >= (proposed_at AT TIME ZONE 'Asia/Shanghai')::date
    AND (outcome <> 'confirmed' OR valid_from >= (decided_at AT TIME ZONE 'Asia/Shanghai')::date));

-- What somebody asked for, officers confirm or decline and nobody but themselves takes back.
CREATE POLICY offices ON pool.request AS RESTRICTIVE FOR UPDATE USING (true) WITH CHECK (
    (SELECT auth.is_trusted()) OR CASE outcome
        WHEN 'withdrawn' THEN account_id = (SELECT auth.account_id())
        ELSE (SELECT auth.role()) IN
            ('county_officer', 'county_leader', 'city_officer', 'city_leader') END);

-- Who only reads a dispute does not move it.
CREATE POLICY moves ON pool.dispute AS RESTRICTIVE FOR UPDATE USING (
    (SELECT auth.is_trusted()) OR (SELECT auth.role()) IN ('ent_filler', 'ent_approver',
        'county_officer', 'city_officer', 'city_leader', 'verifier'));
