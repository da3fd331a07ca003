"""The gateway file names every live tag at the address where the servers have it."""

import tomllib

from simulators.plant import Plant


def test_every_tag_has_its_address(plant: Plant) -> None:
    file = tomllib.loads(plant.gateway_toml(4840, 5020, 1883))
    sources = {each["kind"]: each for each in file["source"]}
    assert sources["opcua"]["url"] == "opc.tcp://127.0.0.1:4840"
    assert (sources["modbus"]["port"], sources["mqtt"]["port"]) == (5020, 1883)
    tags = [tag for source in file["source"] for tag in source["tag"]]
    assert sorted(tag["tag"] for tag in tags) == sorted(tag.name for tag in plant.tags)


def test_records_of_all_kinds_are_subscribed(plant: Plant) -> None:
    file = tomllib.loads(plant.gateway_toml(1, 2, 3))
    records = [record for source in file["source"] for record in source.get("record", [])]
    topics = {record["topic"]: record["kind"] for record in records}
    name = plant.scenario.name
    sent = {(f"plant/{name}/{event.topic}", event.kind) for event in plant.events}
    assert set(topics.items()) == sent


def test_settings_reach_the_file(machining: Plant) -> None:
    text = machining.gateway_toml(
        1, 2, 3, gateway_id="gw-7", spool="/var/lib/x.db", database_url="postgresql://h/d"
    )
    file = tomllib.loads(text)
    assert file["gateway"]["id"] == "gw-7"
    assert file["spool"]["path"] == "/var/lib/x.db"
    assert file["sink"]["url"] == "postgresql://h/d"
    assert "url_env" not in file["sink"]
    assert file["source"][2]["client_id"] == "gw-7"


def test_without_a_database_the_file_names_the_variable(machining: Plant) -> None:
    assert tomllib.loads(machining.gateway_toml(1, 2, 3))["sink"]["url_env"] == (
        "MILLPOND_DATABASE_URL"
    )
