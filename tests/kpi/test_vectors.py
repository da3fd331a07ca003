"""The runner of worked examples: it can pass, and above all it can fail."""

import json
from pathlib import Path
from typing import Any

import pytest

from kpi.errors import BadTable
from kpi.vector_functions import FUNCTIONS
from kpi.vectors import run, run_case

VECTORS = Path(__file__).parent / "vectors"
SHARED = Path(__file__).parents[2].parent / "shared" / "vectors"

SIZE: dict[str, Any] = {
    "id": "size",
    "function": "enterprise_size",
    "inputs": {"employees": 20, "revenue_wan": 300},
    "expect": {"size": "小型"},
    "tolerance": 0,
}
RATIO: dict[str, Any] = {
    "id": "ratio",
    "function": "rolled_yield",
    "inputs": {"steps": [[3, 1]]},
    "expect": {"rolled": 0.333},
    "tolerance": 0.001,
}

# One small case of our own per function; folders of published cases may lie beside the project.
OWN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "oee",
        {"planned_time": 10, "run_time": 8, "ideal_cycle": 1, "total": 6, "good": 3},
        {"availability": 0.8, "performance": 0.75, "quality": 0.5, "oee": 0.3, "teep": None},
    ),
    ("oee", {"planned_time": 10, "run_time": 8, "ideal_cycle": 1}, {"refused": True}),
    ("oee_from_factors", {"availability": 0.5, "performance": 1.2, "quality": 1}, {"oee": 0.6}),
    (
        "oee_rollup",
        {"parts": [{"planned": 10, "run": 5, "ideal_cycle": 1, "total": 4, "good": 2}]},
        {"oee": 0.2},
    ),
    ("oee_rollup", {"parts": [{"planned": 10}]}, {"refused": True}),
    (
        "oee_events",
        {
            "window": ["2024-01-01T08:00:00+08:00", "2024-01-01T00:10:00Z"],
            "planned_s": 600,
            "ideal_cycle_s": 60,
            "running_state": "RUN",
            "states": [["2024-01-01T08:00:00", "RUN"], ["2024-01-01T08:05:00", "STOP"]],
            "counts": [["2024-01-01T07:59:00+08:00", 7, 1], ["2024-01-01T00:10:00Z", 11, 2]],
        },
        {"running_s": 300, "availability": 0.5, "quality": 0.75, "oee": 0.3},
    ),
    (
        "iso22400",
        {"APT": 4, "ASUT": 1, "ADET": 1, "PBT": 10, "PRU": 1, "PQ": 2, "GQ": 1, "SQ": 1, "RQ": 0},
        {"OEE_index": 0.1, "AUBT": 6, "rework_ratio": 0},
    ),
    ("counter", {"samples": [[0, 5], [60, 2]]}, {"increase": 2, "events": ["reset"]}),
    ("meter", {"segments": [{"first": 1, "last": 3, "ratio": 10}]}, {"primary": 20}),
    ("meter", {"segments": [{"first": 1, "last": 3}]}, {"refused": True}),
    (
        "state_time",
        {"states": [[5, "B"]], "window": [0, 20], "max_hold_s": 10, "previous": [-8, "A"]},
        {"A": 2, "B": 10, "UNKNOWN": 8},
    ),
    ("quality", {"total": 10, "scrap": 1, "rework": 2}, {"defect_rate": 0.3}),
    ("rolled_yield", {"steps": [[10, 5], [4, 2]]}, {"rolled": 0.25}),
    (
        "on_time",
        {
            "lines": [
                {
                    "line": "1",
                    "quantity": 5,
                    "due": "2024-05-31",
                    "confirmed": ["2024-05-30", "2024-06-02"],
                    "shipments": [["2024-05-30T17:00:00Z", 5]],
                },
                {"line": "2", "quantity": 5, "due": "2024-05-02", "shipments": [["2024-05-02", 5]]},
            ],
            "period": ["2024-05-01", "2024-06-01"],
        },
        {"due": 2, "on_time": 0.5},
    ),
    ("turnover", {"cogs": 10, "balances": [4, 6], "days": 100}, {"turns": 2, "days": 50}),
    (
        "standard_coal",
        {"items": [{"carrier": "coal", "quantity": 500, "lhv_kj_per_unit": 29307}]},
        {"tce": 0.5},
    ),
    ("standard_coal", {"items": [{"carrier": "coal", "quantity": 500}]}, {"refused": True}),
    (
        "site_electricity",
        {
            "import_kwh": 900,
            "export_kwh": 100,
            "own_renewable_kwh": 200,
            "factor_kgce_per_kwh": 0.1,
        },
        {"use_kwh": 1000, "tce_with_own": 0.1, "tce_purchased_only": 0.08},
    ),
    (
        "site_meters",
        {"entry_kwh": [1000], "sub_kwh": [600, 300], "factor_kgce_per_kwh": 0.1},
        {"tce": 0.1, "unmetered_share": 0.1},
    ),
    ("credit_code", {"code": "91350100M000100Y43"}, {"valid": True}),
    ("enterprise_size", {"employees": 20, "revenue_wan": 300}, {"size": "小型"}),
]


@pytest.mark.parametrize(("function", "inputs", "expect"), OWN)
def test_own_cases_pass(function: str, inputs: dict[str, Any], expect: dict[str, Any]) -> None:
    case = {"id": "own", "function": function, "inputs": inputs, "expect": expect}
    assert run_case("own", {**case, "tolerance": 1e-9}).failure is None


def test_every_function_has_an_own_case() -> None:
    assert {function for function, _, _ in OWN} == set(FUNCTIONS)


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ({**SIZE, "expect": {"size": "大型"}}, "'小型', not '大型'"),
        ({**SIZE, "expect": {"class": "小型"}}, "missing"),
        ({**SIZE, "expect": {"refused": True}}, "had to refuse"),
        ({**SIZE, "expect": {}}, "expects nothing"),
        ({**SIZE, "inputs": {"employees": -1, "revenue_wan": 1}}, "refused"),
        ({**SIZE, "inputs": {"employees": 1}}, "revenue_wan is missing"),
        ({**SIZE, "inputs": {**SIZE["inputs"], "staff": 1}}, "staff is not known"),
        ({**SIZE, "inputs": [20, 300]}, "must be an object"),
        ({**SIZE, "expect": {"refused": False}}, "expects nothing"),
        ({**SIZE, "tolerance": -1}, "tolerance is -1"),
        ({**SIZE, "function": "phase_of_moon"}, "not built"),
        ({"id": "size", "function": "enterprise_size"}, "cannot be read"),
        ({**RATIO, "tolerance": 0.0001}, "rolled is"),
        ({**RATIO, "expect": {"rolled": True}}, "rolled is"),
        ({**RATIO, "inputs": {"steps": [[3]]}}, "must be a list of 2"),
        ({**RATIO, "inputs": {"steps": 3}}, "must be a list"),
    ],
)
def test_a_wrong_case_fails_and_says_why(case: dict[str, Any], told: str) -> None:
    result = run_case("own", case)
    assert result.failure is not None
    assert told in result.line


def test_a_case_that_is_no_object_fails() -> None:
    assert "no object" in run_case("own", ["size"]).line


def test_a_case_that_must_not_be_refused_may_say_so() -> None:
    assert run_case("own", {**SIZE, "expect": {"refused": False, "size": "小型"}}).passed


def test_lists_are_compared_one_by_one() -> None:
    case = {
        "id": "events",
        "function": "counter",
        "inputs": {"samples": [[0, 5], [60, 2]]},
        "expect": {"events": ["reset", "reset"]},
    }
    assert run_case("own", case).failure is not None


def test_a_folder_is_counted(tmp_path: Path) -> None:
    wrong = {**RATIO, "expect": {"rolled": 1}}
    write(tmp_path / "a.json", {"family": "codes", "cases": [SIZE]})
    write(tmp_path / "b.json", {"family": "quality", "cases": [RATIO, wrong]})
    report = run(tmp_path)
    assert report.summary == "2 passed, 1 failed"
    assert [case.line for case in report.failures] == [
        "quality/ratio (rolled_yield): rolled is 0.3333333333333333, not 1"
    ]


@pytest.mark.parametrize("text", ["{", "[]", '{"family": "x"}', '{"family": "x", "cases": 5}'])
def test_a_file_that_is_no_vectors_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadTable, match=r"odd\.json"):
        run(tmp_path)


def test_an_empty_or_missing_folder_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(BadTable, match=r"no \*\.json"):
            run(folder)


def test_cases_at_the_edges_of_every_definition_pass() -> None:
    report = run(VECTORS)
    assert [case.line for case in report.failures] == []
    assert {case.function for case in report.cases} == set(FUNCTIONS)


def test_the_published_cases_beside_the_project_pass() -> None:
    """Where a folder of published cases lies beside the checkout, all of them hold."""
    if not SHARED.is_dir():
        return
    report = run(SHARED)
    assert [case.line for case in report.failures] == []
    assert report.passed > 0


def write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content), encoding="utf-8")
