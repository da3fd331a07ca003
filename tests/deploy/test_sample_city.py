"""The sample city: the same from the same seed, whole, and judged by the night as it was made."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

import store
from api.pool import night
from deploy import cli
from deploy.demo import sample_city
from deploy.errors import DeployError
from store import pool, warnings
from tests.support.database import cloned_database

NOW = datetime(2026, 6, 10, 3, tzinfo=UTC)


@pytest.fixture
def other(database_server: str) -> Iterator[store.Connection]:
    """Another database."""
    with cloned_database(database_server) as url, closing(store.connect(url)) as conn:
        yield conn


def rows(conn: store.Connection, what: str) -> list[tuple[Any, ...]]:
    return conn.execute(what.encode()).fetchall()


def test_a_city_is_whole_and_spread_over_all_counties(db: store.Connection) -> None:
    made = sample_city.generate(db, factories=24, months=14, seed=3, now=NOW)
    assert (made.factories, made.figures, made.verdicts) == (24, 24 * 5 * 17, 24 * 5 * 3)
    standings = pool.standings(db)
    assert len(standings) == 24
    assert len({each.factory.region_code for each in standings}) == 8
    assert all(len(each.kpis) == 5 for each in standings)
    assert all(each.factory.name_zh.startswith("示例企业") for each in standings)
    assert rows(db, "SELECT state, count(*) FROM pool.membership GROUP BY 1") == [
        ("cultivating", 24)
    ]
    assert rows(db, "SELECT DISTINCT count(*) FROM kpi.fact_hour GROUP BY asset_id") == [(840,)]


def test_numbers_of_figures_go_on_behind_those_of_a_city(db: store.Connection) -> None:
    sample_city.generate(db, factories=2, months=2, seed=3, now=NOW)
    ((last,),) = rows(db, "SELECT max(figure_id) FROM kpi.figure")
    ((following,),) = rows(db, "SELECT nextval(pg_get_serial_sequence('kpi.figure', 'figure_id'))")
    assert following > last


def test_the_same_seed_makes_the_same_city_once(
    db: store.Connection, other: store.Connection
) -> None:
    what = "SELECT factory_id, kpi, period_start, point FROM kpi.figure ORDER BY figure_id"
    for conn in (db, other):
        sample_city.generate(conn, factories=3, months=12, seed=5, now=NOW)
    assert rows(db, what) == rows(other, what)
    with pytest.raises(DeployError, match="another database"):
        sample_city.generate(db, factories=3, months=12, seed=5, now=NOW)


def test_the_night_warns_of_what_a_city_was_made_with(
    db: store.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(night, "CHUNK", 7)
    sample_city.generate(db, factories=40, months=16, seed=2, now=NOW)
    found = night.run(db, NOW)
    assert found is not None
    assert (found.factories, found.failures) == (40, {})
    warned = {(each.factory, each.rule) for each in warnings.listed(db, most=1000)}
    expected = {
        *((code, "implausible") for (code,) in rows(db, _CODES.format(
            "EXISTS (SELECT FROM kpi.finding n WHERE n.factory_id = f.factory_id"
            " AND n.severity = 'fail')"))),
        *((code, "silent") for (code,) in rows(db, _CODES.format(
            "(SELECT max(received_at) FROM telemetry.batch JOIN registry.gateway g USING"
            " (gateway_id) WHERE g.factory_id = f.factory_id) < '2026-06-04'"))),
        *((code, "completeness") for (code,) in rows(db, _CODES.format(
            "(SELECT sum(known_s) FROM kpi.fact_hour h JOIN registry.asset a USING (asset_id)"
            " WHERE a.factory_id = f.factory_id AND hour >= '2026-05-11T00:00+08:00')"
            " < 0.9 * 2 * 30 * 86400"))),
        *((code, "inconsistent") for (code,) in rows(db, _CODES.format(
            "EXISTS (SELECT FROM kpi.verdict v JOIN pool.membership m USING (factory_id) WHERE"
            " v.factory_id = f.factory_id AND v.consistency_verdict = 'false'"
            " AND v.period_end > m.entered_on)"))),
    }  # fmt: skip
    assert {each for each in warned if each[1] != "worse"} == expected
    assert len(expected) >= 3


_CODES = "SELECT code FROM registry.factory f WHERE {}"


def test_a_city_is_made_from_the_command_line(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["pool", "generate", "--factories", "2", "--months", "12", "--json"]
    assert cli.run([*words, "--database", database_url]) == 0
    assert json.loads(capsys.readouterr().out)["figures"] == 2 * 5 * 13
    assert cli.run([*words, "--database", database_url]) == 1
    assert "take another database" in capsys.readouterr().err
