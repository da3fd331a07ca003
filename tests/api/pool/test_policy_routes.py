"""The policy and the state machine over HTTP."""

from tests.api.pool.asking import PROPOSALS, Asking


def test_a_policy_value_takes_two_people(asking: Asking) -> None:
    officer, leader = asking.as_("city_officer"), asking.as_("city_leader")
    given = {
        "key": "watch.clear_within", "value": 45, "source": "示例办法第八条",
        "valid_from": str(asking.pooled.today),
    }  # fmt: skip
    proposed = asking.post(officer, PROPOSALS, given)
    assert proposed.status_code == 200, proposed.text
    decision = f"{PROPOSALS}/{proposed.json()['value_id']}/decision"
    assert asking.post(officer, decision, {"confirmed": True}).status_code == 403
    assert asking.post(leader, decision, {"confirmed": True}).json()["outcome"] == "confirmed"
    again = asking.post(leader, decision, {"confirmed": True})
    assert (again.status_code, again.json()["code"]) == (409, "was_confirmed")
    values = {each["key"]: each for each in leader.get("/api/v1/policy").json()["items"]}
    assert (values["watch.clear_within"]["value"], values["watch.clear_within"]["settled"]) == (
        45, True,
    )  # fmt: skip
    assert not values["review.every"]["settled"]
    assert asking.post(officer, PROPOSALS, given | {"value": 0}).status_code == 422
    assert asking.post(officer, PROPOSALS, given | {"key": "no.key"}).status_code == 404
    assert len(officer.get(PROPOSALS).json()["items"]) == 1


def test_who_proposed_a_value_withdraws_it(asking: Asking) -> None:
    officer, leader = asking.as_("city_officer"), asking.as_("city_leader")
    given = {
        "key": "watch.clear_within", "value": 45, "source": "示例办法第八条",
        "valid_from": str(asking.pooled.today),
    }  # fmt: skip
    withdrawal = (
        f"{PROPOSALS}/{asking.post(officer, PROPOSALS, given).json()['value_id']}/withdrawal"
    )
    assert asking.post(leader, withdrawal, {}).status_code == 403
    found = asking.post(officer, withdrawal, {"comment": "另行研究"}).json()
    assert (found["outcome"], found["answer"]) == ("withdrawn", "另行研究")
    assert asking.post(officer, withdrawal, {}).status_code == 409


def test_the_state_machine_is_told_as_data(asking: Asking) -> None:
    found = asking.as_("expert").get("/api/v1/lifecycle").json()
    assert found["initial"] == "cultivating"
    assert (len(found["states"]), len(found["steps"])) == (12, 20)
