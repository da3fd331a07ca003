-- A disputed period is run again as a piece of work, at once; and a verifier who is named to
-- measure again sees the factory until the dispute is over.
ALTER TABLE pool.dispute
    ADD COLUMN rerun_taken_at  timestamptz,
    ADD COLUMN rerun_attempts  int NOT NULL DEFAULT 0,
    -- Not before this; null at once.
    ADD COLUMN rerun_next_at   timestamptz,
    -- When it was given up, and why the last attempt failed.
    ADD COLUMN rerun_failed_at timestamptz,
    ADD COLUMN rerun_error     text;

-- Which dispute an assignment was made for; it ends with it.
ALTER TABLE auth.account_factory ADD COLUMN dispute_id bigint REFERENCES pool.dispute;
CREATE INDEX ON auth.account_factory (dispute_id) WHERE dispute_id IS NOT NULL;

-- Who may be named: the application's role cannot read accounts.
CREATE FUNCTION pool.verifiers() RETURNS TABLE (account_id int, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.account_id, a.name FROM auth.account a
    WHERE a.role = 'verifier' AND a.disabled_at IS NULL
      AND (auth.is_trusted() OR auth.role() IN ('county_officer', 'city_officer'))
$$;
REVOKE ALL ON FUNCTION pool.verifiers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pool.verifiers() TO millpond_app;

-- A re-run that is asked for anew starts from its first attempt; a verifier's scope follows the
-- assignment. Only officers name one.
CREATE FUNCTION pool.dispute_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.rerun_asked_at IS DISTINCT FROM OLD.rerun_asked_at THEN
        NEW.rerun_taken_at := NULL;
        NEW.rerun_attempts := 0;
        NEW.rerun_next_at := NULL;
        NEW.rerun_failed_at := NULL;
        NEW.rerun_error := NULL;
    END IF;
    IF NEW.assigned_id IS DISTINCT FROM OLD.assigned_id AND NOT (auth.is_trusted()
        OR coalesce(auth.role() IN ('county_officer', 'city_officer'), false)) THEN
        RAISE insufficient_privilege USING MESSAGE = 'only officers name who measures again';
    END IF;
    IF OLD.assigned_id IS NOT NULL AND (NEW.closed_at IS NOT NULL
        OR NEW.assigned_id IS DISTINCT FROM OLD.assigned_id) THEN
        UPDATE auth.account_factory x SET until = greatest(clock_timestamp(), x.since)
        WHERE x.dispute_id = NEW.dispute_id AND x.account_id = OLD.assigned_id
          AND x.until IS NULL;
    END IF;
    IF NEW.assigned_id IS NOT NULL AND NEW.closed_at IS NULL
        AND NEW.assigned_id IS DISTINCT FROM OLD.assigned_id THEN
        INSERT INTO auth.account_factory (account_id, factory_id, dispute_id)
        SELECT a.account_id, NEW.factory_id, NEW.dispute_id FROM auth.account a
        WHERE a.account_id = NEW.assigned_id AND a.role = 'verifier' AND a.disabled_at IS NULL;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'account % is no verifier', NEW.assigned_id;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER changes BEFORE UPDATE ON pool.dispute
    FOR EACH ROW EXECUTE FUNCTION pool.dispute_changes();
