"""What the application's own role sees for whom: enforced in the database, table by table."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

import store
from store import accounts, batches, plans, sessions
from store.acting import acting, key_of
from store.errors import NotPermitted
from tests.store.people import MAKER, key_for, key_of_session, person
from tests.store.samples import enrol, rows_of, sample_plan

_CHONGCHUAN, _RUDONG = "320613", "320623"
_YEAR = "DATE '2025-11-01', DATE '2026-11-01'"

_RIGHTS = tomllib.loads(Path(__file__).with_name("app_rights.toml").read_text(encoding="utf-8"))

# Something of a factory in every table that carries its number or hangs on one that does.
_ROWS = f"""
INSERT INTO kpi.figure (factory_id, kpi, period_kind, period_start, period_end, revision, unit,
    point, low, high, coverage, grade, method_version, coefficient_version, inputs, inputs_sha256)
VALUES (%(id)s, 'oee', 'rolling12', {_YEAR}, 1, '1', 0.7, 0.7, 0.7, 1, 'A', 'v', 'v', '{{}}', '');
INSERT INTO kpi.pending_figure (factory_id, kpi, period_kind, period_start, period_end, unit, point,
    low, high, coverage, grade, method_version, coefficient_version, inputs, inputs_sha256)
VALUES (%(id)s, 'oee', 'rolling12', {_YEAR}, '1', 0.7, 0.7, 0.7, 1, 'A', 'v', 'v', '{{}}', '');
INSERT INTO kpi.period_lock (factory_id, period_kind, period_start, period_end, locked_by)
VALUES (%(id)s, 'month', DATE '2025-01-01', DATE '2025-02-01', 'test');
INSERT INTO kpi.verdict (factory_id, kpi, period_start, period_end, figure_id, fulfilment_verdict,
    consistency_verdict)
SELECT %(id)s, 'oee', {_YEAR}, figure_id, 'unknown', 'unknown' FROM kpi.figure
WHERE factory_id = %(id)s;
INSERT INTO kpi.verdict_past (factory_id, kpi, period_start, period_end, figure_id,
    fulfilment_verdict, consistency_verdict, decided_at, policy_version, reasons)
SELECT factory_id, kpi, period_start, period_end, figure_id, fulfilment_verdict,
    consistency_verdict, decided_at, policy_version, reasons
FROM kpi.verdict WHERE factory_id = %(id)s;
INSERT INTO kpi.verdict_basis (factory_id, period_start, basis)
VALUES (%(id)s, DATE '2025-11-01', '{{}}');
INSERT INTO kpi.verdict_basis_past (factory_id, period_start, basis, kept_at, actor, reason)
VALUES (%(id)s, DATE '2025-11-01', '{{}}', now(), 'test', 'test');
INSERT INTO kpi.finding (factory_id, period_start, period_end, rule, rule_version, severity,
    subject, measured, unit, message, shown, shown_count, checked_until)
VALUES (%(id)s, {_YEAR}, 'r', 'v', 'warn', 's', 1, '1', 'm', '[]', 0, now());
INSERT INTO kpi.evidence (factory_id, claim, method, window_start, window_end, rule_version,
    verdict, numbers, links, expires_on)
VALUES (%(id)s, 'c', 'm', now() - INTERVAL '1 day', now(), 'v', 'proven', '{{}}', '{{}}', now());
INSERT INTO kpi.fact_hour (hour, asset_id, planned_s, planned_down_s, off_s, run_s, setup_s, stop_s,
    idle_s, unknown_s, known_s, uncounted_s, row_count, changes, flags, digest)
SELECT TIMESTAMPTZ '2026-03-01T00:00Z', asset_id, 3600, 0, 0, 3600, 0, 0, 0, 0, 3600, 0, 1, 0, 0, 0
FROM registry.asset WHERE factory_id = %(id)s;
INSERT INTO pool.follow_up (factory_id, kpi, what, period_kind, period_start, period_end, after,
    figure_id)
SELECT %(id)s, 'oee', 'figure', 'rolling12', {_YEAR}, '{{}}', figure_id
FROM kpi.figure WHERE factory_id = %(id)s;
INSERT INTO registry.bill VALUES (%(id)s, 'p', 'm', 1);
INSERT INTO registry.line (factory_id, code, last_asset_id)
SELECT %(id)s, 'L1', min(asset_id) FROM registry.asset WHERE factory_id = %(id)s;
INSERT INTO registry.energy_stock VALUES (%(id)s, 'c', DATE '2026-01-01', 1, 's');
INSERT INTO registry.energy_method VALUES (%(id)s, 'fixed');
INSERT INTO registry.declaration VALUES (%(id)s, 'k', DATE '2026-01-01', 1, 'declared', 'd');
INSERT INTO registry.asset_limit (asset_id) SELECT min(asset_id) FROM registry.asset
WHERE factory_id = %(id)s;
INSERT INTO registry.meter (asset_id, carrier, unit, level)
SELECT min(asset_id), 'c', 'u', 1 FROM registry.asset WHERE factory_id = %(id)s;
INSERT INTO registry.meter_exchange SELECT min(asset_id), now(), 1, 1, 1, 'd' FROM registry.asset
WHERE factory_id = %(id)s;
INSERT INTO telemetry.quarantine (gateway_id, source, reason, payload)
SELECT gateway_id, 's', 'r', 'p' FROM registry.gateway WHERE factory_id = %(id)s;
INSERT INTO telemetry.finding (gateway_id, rule, detail)
SELECT gateway_id, 'r', '{{}}' FROM registry.gateway WHERE factory_id = %(id)s;
INSERT INTO telemetry.absorbed SELECT batch_id, 1 FROM telemetry.batch JOIN registry.gateway
USING (gateway_id) WHERE factory_id = %(id)s;
INSERT INTO telemetry.record (factory_id, kind, key, version, at, body, batch_id)
SELECT %(id)s, 'k', 'k', 1, now(), '{{}}', max(batch_id) FROM telemetry.batch JOIN registry.gateway
USING (gateway_id) WHERE factory_id = %(id)s;
"""


def _filled(conn: store.Connection, code: str, region: str) -> int:
    """Make a factory with something in every table."""
    plan = sample_plan(code)
    plan["factory"]["region"] = region
    factory_id = plans.load_plan(conn, plan)
    gateway = enrol(conn, code, f"gw-{code}")
    batches.accept(conn, gateway.batch(rows_of(list(gateway.tags.values()), count=3)))
    for statement in _ROWS.split(";\n"):
        if statement.strip():
            conn.execute(statement.encode(), {"id": factory_id})
    accounts.assign(conn, MAKER, person(conn, "expert").account_id or 0, code)
    return factory_id


@pytest.fixture
def ours(db: store.Connection) -> int:
    """A factory in Chongchuan."""
    return _filled(db, "ours", _CHONGCHUAN)


@pytest.fixture
def theirs(db: store.Connection, ours: int) -> int:
    """A factory in Rudong, beside ours."""
    return _filled(db, "theirs", _RUDONG)


def _readable(conn: store.Connection) -> list[str]:
    rows = conn.execute("""
        SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v') AND has_table_privilege('millpond_app', c.oid, 'SELECT')
          AND n.nspname IN ('registry', 'telemetry', 'kpi', 'pool', 'auth', 'audit', 'scoped')
        ORDER BY 1""")
    return [name for (name,) in rows]


def _counts(conn: store.Connection, tables: list[str], key: str | None) -> dict[str, int]:
    """Return how many rows each table shows, to a caller or to the owner."""
    found = {}
    for table in tables:
        statement = f"SELECT count(*) FROM {table}".encode()
        if key is None:
            row = conn.execute(statement).fetchone()
        else:
            with acting(conn, key):
                row = conn.execute(statement).fetchone()
        assert row is not None
        found[table] = row[0]
    return found


def _of_a_factory(conn: store.Connection) -> list[str]:
    return [table for table in _readable(conn) if table not in _RIGHTS["open"]]


def test_a_county_sees_its_own_factory_in_every_table_and_nothing_of_the_other(
    db: store.Connection, theirs: int
) -> None:
    tables = _of_a_factory(db)
    everything = _counts(db, tables, None)
    tables = [table for table, number in everything.items() if number > 0]
    assert len(tables) >= 40
    first = _counts(db, tables, key_for(db, "county_officer", region=_CHONGCHUAN))
    second = _counts(db, tables, key_for(db, "county_leader", region=_RUDONG))
    assert {table for table in tables if first[table] == 0 or second[table] == 0} == set()
    assert {t: first[t] + second[t] for t in tables if t != "audit.entry"} == {
        t: everything[t] for t in tables if t != "audit.entry"
    }


def test_a_county_gets_nothing_of_another_by_naming_it(db: store.Connection, theirs: int) -> None:
    tables = _of_a_factory(db)
    with acting(db, key_for(db, "county_officer", region=_CHONGCHUAN)):
        named = [
            table
            for table in tables
            if db.execute(
                f"SELECT EXISTS (SELECT FROM {table} x "
                "WHERE (to_jsonb(x) ->> 'factory_id')::int = %s)".encode(), (theirs,)
            ).fetchone() == (True,)
        ]  # fmt: skip
        assert named == []
        assert db.execute("SELECT code FROM registry.factory").fetchall() == [("ours",)]


@pytest.mark.parametrize("role", ["city_officer", "city_leader"])
def test_the_city_sees_all(db: store.Connection, theirs: int, role: str) -> None:
    tables = [table for table in _of_a_factory(db) if table != "audit.entry"]
    assert _counts(db, tables, key_for(db, role)) == _counts(db, tables, None)


@pytest.mark.parametrize("role", ["ent_filler", "ent_approver", "ent_engineer", "verifier"])
def test_an_enterprise_or_a_verifier_sees_the_factories_of_its_account(
    db: store.Connection, theirs: int, role: str
) -> None:
    with acting(db, key_for(db, role, factories=("theirs",))):
        assert db.execute("SELECT code FROM registry.factory").fetchall() == [("theirs",)]
        assert db.execute("SELECT count(*) FROM scoped.fact_hour").fetchone() == (2,)


@pytest.mark.parametrize("role", ["sysadmin", "secadmin", "auditor"])
def test_administrators_see_no_business_data(db: store.Connection, theirs: int, role: str) -> None:
    found = _counts(db, _of_a_factory(db), key_for(db, role))
    seen = {table for table, number in found.items() if number > 0}
    assert seen == ({"audit.entry"} if role == "auditor" else set())


def test_an_ended_assignment_ends_the_scope(db: store.Connection, ours: int) -> None:
    expert = person(db, "expert", factories=("ours",))
    key = key_of_session(db, expert)
    with acting(db, key):
        assert db.execute("SELECT count(*) FROM kpi.figure").fetchone() == (1,)
    assert accounts.end_assignments(db, MAKER, expert.account_id or 0) == ["ours"]
    with acting(db, key):
        assert db.execute("SELECT count(*) FROM kpi.figure").fetchone() == (0,)


@pytest.mark.parametrize("key", ["", "0" * 64, "nonsense"])
def test_without_a_living_key_nothing_is_seen(db: store.Connection, theirs: int, key: str) -> None:
    assert set(_counts(db, _of_a_factory(db), key).values()) == {0}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE auth.session SET ended_at = now(), ended_why = 'test'",
        "UPDATE auth.session SET seen_at = now() - INTERVAL '601 seconds'",
        "UPDATE auth.session SET expires_at = now()",
        "UPDATE auth.session SET stage = 'code'",
        "UPDATE auth.account SET disabled_at = now()",
    ],
)
def test_an_ended_session_sees_nothing(db: store.Connection, ours: int, change: str) -> None:
    key = key_for(db, "city_officer")
    with acting(db, key):
        assert db.execute("SELECT count(*) FROM registry.factory").fetchone() == (1,)
    db.execute(change.encode())
    with acting(db, key):
        assert db.execute("SELECT count(*) FROM registry.factory").fetchone() == (0,)


def test_the_key_and_the_role_end_with_the_transaction(db: store.Connection, ours: int) -> None:
    with acting(db, key_for(db, "city_officer")):
        assert db.execute("SELECT current_user").fetchone() == ("millpond_app",)
    row = db.execute("SELECT current_user <> 'millpond_app', current_setting('millpond.key', true)")
    assert row.fetchone() == (True, "")


def test_the_role_cannot_widen_its_own_scope(db: store.Connection, theirs: int) -> None:
    county = key_for(db, "county_officer", region=_CHONGCHUAN)
    tries = (
        "SELECT key_sha256 FROM auth.session",
        "UPDATE auth.account SET region_code = NULL, role = 'city_officer'",
        "INSERT INTO auth.account_factory (account_id, factory_id) VALUES (1, 1)",
        "ALTER TABLE kpi.figure DISABLE ROW LEVEL SECURITY",
        "CALL auth.protect('kpi.figure')",
        "SELECT * FROM telemetry.measurement",
        "SELECT * FROM kpi.fact_hour",
        "CREATE TABLE registry.mine (id int)",
    )
    for statement in tries:
        with pytest.raises(NotPermitted), acting(db, county):
            db.execute(statement.encode())


def test_no_chunk_of_a_hypertable_is_open_beside_its_view(db: store.Connection, ours: int) -> None:
    rows = db.execute(
        "SELECT format('%I.%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks"
    )
    chunks = [name for (name,) in rows]
    assert len(chunks) == 2
    for chunk in chunks:
        with pytest.raises(NotPermitted), acting(db, key_for(db, "city_officer")):
            db.execute(f"SELECT * FROM {chunk}".encode())


def test_a_login_that_only_inherits_the_role_sees_nothing_without_a_key(
    db: store.Connection, ours: int
) -> None:
    with store.transaction(db):
        db.execute("CREATE ROLE inheriting NOLOGIN INHERIT")
        db.execute("GRANT millpond_app TO inheriting")
        db.execute("SET LOCAL ROLE inheriting")
        assert db.execute("SELECT count(*) FROM registry.factory").fetchone() == (0,)
        assert db.execute("SELECT auth.sees_all()").fetchone() == (False,)
        db.execute("RESET ROLE")
        db.execute("DROP ROLE inheriting")


def test_the_role_owns_nothing_and_passes_no_policy(db: store.Connection) -> None:
    row = db.execute("""
        SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin,
            (SELECT count(*) FROM pg_class WHERE relowner = r.oid),
            (SELECT count(*) FROM pg_auth_members WHERE member = r.oid)
        FROM pg_roles r WHERE rolname = 'millpond_app'""").fetchone()
    assert row == (False, False, False, False, False, 0, 0)


def test_every_table_of_a_factory_is_protected(db: store.Connection) -> None:
    rows = db.execute("""
        SELECT format('%I.%I', n.nspname, c.relname), c.relrowsecurity,
            EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid),
            has_table_privilege('millpond_app', c.oid, 'SELECT')
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p')
          AND n.nspname IN ('registry', 'telemetry', 'kpi', 'pool', 'auth', 'audit')""").fetchall()
    with_factory = {
        name
        for (name,) in db.execute("""
            SELECT format('%I.%I', table_schema, table_name) FROM information_schema.columns
            WHERE column_name = 'factory_id'""")
    }
    unprotected = {
        name
        for name, is_secured, has_policy, is_readable in rows
        if (is_readable and name not in _RIGHTS["open"] and not (is_secured and has_policy))
    }
    assert unprotected == set()
    closed = {name for name, _, _, readable in rows if name in with_factory and not readable}
    assert closed <= set(_RIGHTS["closed"])
    assert with_factory >= {"kpi.figure", "pool.follow_up", "audit.entry"}


def test_what_the_role_may_write(db: store.Connection) -> None:
    rows = db.execute("""
        SELECT format('%I.%I', n.nspname, c.relname), p.name
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
            AS p (name)
        WHERE c.relkind IN ('r', 'p', 'v', 'f')
          AND n.nspname NOT IN ('pg_catalog', 'information_schema')
          AND n.nspname NOT LIKE 'pg_temp%' AND n.nspname NOT LIKE '%timescaledb%'
          AND (has_table_privilege('millpond_app', c.oid, p.name)
               OR p.name IN ('INSERT', 'UPDATE', 'REFERENCES')
               AND has_any_column_privilege('millpond_app', c.oid, p.name))""")
    named = {(name, right) for name, rights in _RIGHTS["writes"].items() for right in rights}
    assert {(name, right) for name, right in rows} - named == set()


def test_functions_of_the_owner_look_nowhere_else_and_are_not_everybodys(
    db: store.Connection,
) -> None:
    rows = db.execute("""
        SELECT format('%I.%I', n.nspname, p.proname),
            EXISTS (SELECT FROM unnest(p.proconfig) AS c
                    WHERE c = 'search_path=pg_catalog, pg_temp'),
            EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
                    WHERE a.grantee = 0)
        FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE p.prosecdef AND n.nspname IN ('registry', 'telemetry', 'kpi', 'pool', 'auth', 'audit',
            'scoped', 'operation')""").fetchall()
    assert len(rows) >= 15
    assert [name for name, is_fixed, is_everybodys in rows if is_everybodys or not is_fixed] == []


@pytest.mark.parametrize(
    ("columns", "function"),
    [
        ("factory_id int, kind text, event_id bigint", "pool.feed('event')"),
        ("event_id bigint", "pool.publish()"),
        ("dispute_id bigint, factory_id int, assigned_id int", "pool.dispute_changes()"),
    ],
)
def test_the_role_hangs_no_trigger_of_the_owner_on_a_table_of_its_own(
    db: store.Connection, theirs: int, columns: str, function: str
) -> None:
    own = (
        f"CREATE TEMPORARY TABLE own ({columns}); CREATE TRIGGER own BEFORE INSERT ON own"
        f" FOR EACH ROW EXECUTE FUNCTION {function}"
    )
    officer = key_for(db, "county_officer", region=_CHONGCHUAN)
    with pytest.raises(NotPermitted, match="function"), acting(db, officer):
        db.execute(own.encode())


def test_an_officer_cannot_change_a_figure_even_with_sql(db: store.Connection, ours: int) -> None:
    key = key_for(db, "city_leader")
    for statement in (
        "UPDATE kpi.figure SET point = 1",
        "DELETE FROM kpi.verdict",
        "INSERT INTO registry.region VALUES ('x', 'x', 'x')",
        "UPDATE pool.self_report SET value = 1",
    ):
        with pytest.raises(NotPermitted), acting(db, key):
            db.execute(statement.encode())


def test_a_token_sees_what_its_account_sees(db: store.Connection, theirs: int) -> None:
    officer = person(db, "county_officer", region=_RUDONG)
    sessions.make_token(
        db, MAKER, officer.account_id or 0, "示例系统", ["figures:read"], "secret", days=30
    )
    with acting(db, key_of("secret")):
        assert db.execute("SELECT code FROM registry.factory").fetchall() == [("theirs",)]
    db.execute("UPDATE auth.token SET expires_at = %s", (datetime.now(UTC),))
    with acting(db, key_of("secret")):
        assert db.execute("SELECT code FROM registry.factory").fetchall() == []
