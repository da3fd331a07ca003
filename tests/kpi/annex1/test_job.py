"""Evidence from a real database: gathered, judged, stored, judged again."""

from datetime import date, timedelta

from kpi.jobs.annex1_job import collect_evidence, run_evidence
from kpi.reasons import said
from store import evidence, registry
from store.canonical import Record
from store.evidence import NewEvidence
from tests.kpi.plant import Plant, china, every, machine_day

NOW = china("2026-04-01 09:00")
DAYS = [date(2026, 3, 2) + timedelta(days=number) for number in range(30)]


def collected(plant: Plant) -> dict[tuple[str, str], NewEvidence]:
    """Judge the factory's claims and return the answers by claim and method."""
    found = collect_evidence(plant.conn, registry.factory_by_code(plant.conn, "sample"), NOW)
    return {(each.claim, each.method): each for each in found}


def job(day: date) -> Record:
    """A job of a day, run by the machine itself."""
    at = china(f"{day} 09:00")
    body = {
        "job": f"J{day}",
        "asset": "M01",
        "state": "finished",
        "mode": "auto",
        "started_at": at.isoformat(),
        "ended_at": (at + timedelta(hours=2)).isoformat(),
    }
    return Record("job", f"J{day}", at, body)


def test_answers_rest_on_what_was_sent_and_are_stored(plant: Plant) -> None:
    for day in DAYS:
        for code in ("M01", "M02"):
            plant.send(machine_day(code, f"{day}"))
    plant.tell(*(job(day) for day in DAYS))
    plant.facts(NOW)
    found = collected(plant)
    connected = found["D2.1b", "EV-CONN"]
    assert connected.verdict == "proven"
    assert connected.numbers["days"] == {"M01": 30, "M02": 30}
    assert connected.window_start == china("2026-03-02 00:00")
    assert connected.window_end == china("2026-04-01 00:00")
    assert connected.expires_on == date(2026, 5, 1)
    assert found["D3.1a", "EV-SRC"].verdict == "proven"
    assert found["D4.2c", "EV-STATE"].verdict == "proven"
    assert found["D4.1a", "EV-AUTO"].numbers["auto_s"] == 30 * 7200
    assert "no unplanned stop" in said(found["D4.2e", "EV-ALARM"].reason or "", "en")
    stored = evidence.latest(plant.conn, plant.factory_id)
    assert {(each.claim, each.method) for each in stored} == found.keys()
    kept = next(each for each in stored if each.method == "EV-CONN")
    assert (kept.numbers, kept.links) == (connected.numbers, connected.links)


def test_a_stop_without_an_alarm_is_against_the_claim(plant: Plant) -> None:
    states = every(15, china("2026-03-05 08:00"), china("2026-03-05 12:00"))
    stopped = every(15, china("2026-03-05 12:00"), china("2026-03-05 13:00"), 3)
    plant.send({"M01.state": [*states, *stopped]})
    plant.facts(NOW)
    found = collected(plant)["D4.2e", "EV-ALARM"]
    assert found.verdict == "not_proven"
    assert found.numbers["stops"] == 1
    assert found.links["stops_against"][0][0] == "M01"


def test_judging_a_window_again_replaces_its_answers(plant: Plant) -> None:
    plant.facts(NOW)
    before = collected(plant)["D4.1a", "EV-AUTO"]
    assert before.verdict == "not_computable"
    plant.tell(job(DAYS[3]))
    assert collected(plant)["D4.1a", "EV-AUTO"].verdict == "proven"
    rows = plant.conn.execute(
        "SELECT verdict FROM kpi.evidence WHERE claim = 'D4.1a' AND method = 'EV-AUTO'"
    ).fetchall()
    assert rows == [("proven",)]


def test_nothing_sent_proves_nothing(plant: Plant) -> None:
    verdicts = {each.verdict for each in collected(plant).values()}
    assert verdicts == {"not_proven", "not_computable"}


def test_the_schedule_judges_each_factory_once_a_local_day(plant: Plant) -> None:
    assert run_evidence(plant.url, NOW) == 1
    assert run_evidence(plant.url, NOW) == 0
    assert run_evidence(plant.url, china("2026-04-01 23:59")) == 0
    assert run_evidence(plant.url, china("2026-04-02 00:00")) == 1
    rows = plant.conn.execute(
        "SELECT count(*) FROM kpi.evidence WHERE claim = 'D4.1a' AND method = 'EV-AUTO'"
    ).fetchall()
    assert rows == [(2,)], "the earlier window stays"
