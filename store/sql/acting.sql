-- name: act_as_caller
-- Takes on the application's role and a caller's key until the transaction ends.
SELECT set_config('role', 'millpond_app', true), set_config('millpond.key', %(key)s::text, true);

-- name: factory_exists
-- Whether a factory has this code, in or out of scope.
SELECT EXISTS (SELECT FROM registry.factory WHERE code = %(code)s);
