"""Every named statement fits the migrated schema, and nothing named is left unused."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

import store
from store.queries import all_queries, query

_PARAMETER = re.compile(r"%\((\w+)\)s")
_COPY_FROM = re.compile(r"COPY ([\w.]+) \(([^)]*)\) FROM STDIN", re.DOTALL)
_COPY_TO = re.compile(r"COPY \((.*)\) TO STDOUT", re.DOTALL)
_PLANNED = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|WITH)\b")


def _without_comments(text: str) -> str:
    return re.sub(r"^\s*--.*\n", "", text, flags=re.MULTILINE).strip()


def _numbered(text: str) -> str:
    """Turn named parameters into PostgreSQL's numbered ones."""
    places: dict[str, int] = {}
    return _PARAMETER.sub(lambda m: f"${places.setdefault(m[1], len(places) + 1)}", text)


def _to_prepare(text: str) -> str | None:
    """Return what of a statement PREPARE can check; None for a utility statement."""
    if found := _COPY_FROM.match(text):
        return f"SELECT {found[2]} FROM {found[1]}"
    if found := _COPY_TO.match(text):
        return found[1]
    return text if _PLANNED.match(text) else None


@pytest.fixture
def prepared(db: store.Connection) -> store.Connection:
    """A session in which the staging table exists."""
    db.execute(query("create_staging"))
    return db


def test_every_statement_can_be_planned(prepared: store.Connection) -> None:
    failed = {}
    for name, text in all_queries().items():
        statement = _to_prepare(_without_comments(text))
        if statement is None:
            continue
        try:
            prepared.execute(f"PREPARE {name} AS {_numbered(statement)}".encode())
        except Exception as error:
            failed[name] = str(error)
    assert failed == {}
    row = prepared.execute("SELECT count(*) FROM pg_prepared_statements WHERE from_sql").fetchone()
    utilities = [
        name for name, text in all_queries().items() if not _to_prepare(_without_comments(text))
    ]
    assert row == (len(all_queries()) - len(utilities),)


def test_utility_statements_run(prepared: store.Connection) -> None:
    with store.transaction(prepared):
        for text in all_queries().values():
            statement = _without_comments(text)
            if _to_prepare(statement) is None:
                assert not _PARAMETER.search(statement), "a utility statement takes no parameter"
                prepared.execute(statement.encode())


def test_a_wrong_statement_would_be_seen(prepared: store.Connection) -> None:
    statement = _to_prepare("COPY telemetry.measurement (ts, no_such) FROM STDIN (FORMAT binary)")
    with pytest.raises(Exception, match="no_such"):
        prepared.execute(f"PREPARE wrong AS {statement}".encode())


def test_every_statement_has_a_sentence() -> None:
    for name, text in all_queries().items():
        assert re.match(r"-- [A-Z].*[^:]$", text.splitlines()[0]), name
        comment = re.match(r"(?:--.*\n)+", text)
        assert comment, name
        assert comment[0].rstrip().endswith("."), name


def test_no_statement_is_left_over() -> None:
    root = Path(str(files("store")))
    code = "\n".join(path.read_text(encoding="utf-8") for path in root.glob("*.py"))
    assert [name for name in all_queries() if f'"{name}"' not in code] == []


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(KeyError, match="no_such_query"):
        query("no_such_query")
