-- Who proposed a value of the policy or a text of a letter may take it back while it waits; nobody
-- else may, and nobody confirms or declines their own.
ALTER TABLE pool.policy_value
    DROP CONSTRAINT policy_value_outcome_check,
    ADD CONSTRAINT policy_value_outcome_check
        CHECK (outcome IN ('confirmed', 'declined', 'withdrawn'));
ALTER TABLE pool.letter_template
    DROP CONSTRAINT letter_template_outcome_check,
    ADD CONSTRAINT letter_template_outcome_check
        CHECK (outcome IN ('confirmed', 'declined', 'withdrawn'));

ALTER POLICY decides ON pool.policy_value
    WITH CHECK (decided_id = (SELECT auth.account_id())
        AND (decided_id = account_id) = (outcome = 'withdrawn'));
ALTER POLICY decides ON pool.letter_template
    WITH CHECK (decided_id = (SELECT auth.account_id())
        AND (decided_id = account_id) = (outcome = 'withdrawn'));
