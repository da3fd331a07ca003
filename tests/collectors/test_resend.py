"""What the database had refused for good is sent again when a person says so."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

import store
from collectors.config.file import load
from collectors.enrolment import enrol
from collectors.errors import SpoolError
from collectors.gateway_status import status
from collectors.resend import resend
from collectors.sample import Delivery
from store.canonical import Record
from tests.collectors.plant import FACTORY, prepare_database, write_file
from tests.collectors.sink.test_sink import SOURCE, put, samples, sink_of
from tests.support.waiting import wait_for

RULE = """
CREATE FUNCTION public.no_bad_orders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.key = 'bad' THEN RAISE check_violation; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_bad_orders BEFORE INSERT ON telemetry.record
    FOR EACH ROW EXECUTE FUNCTION public.no_bad_orders();
"""


def test_what_was_set_aside_is_sent_again(tmp_path: Path, database_url: str) -> None:
    prepare_database(database_url, ["A", "B"])
    config = load(write_file(tmp_path, SOURCE, database_url))
    enrol(config, FACTORY)
    with closing(store.connect(database_url)) as conn:
        conn.execute(RULE.encode())
    record = Record("order_line", "bad", datetime(2026, 3, 1, tzinfo=UTC), {"n": 1})
    put(config, samples("A", 0, 20), Delivery(records=[record]))
    with sink_of(config):
        wait_for(lambda: status(config).batches_aside == 1, "the refusal")
        wait_for(lambda: status(config).rows_sent == 20, "the rows beside it")
        with closing(store.connect(database_url)) as conn:
            conn.execute("DROP TRIGGER no_bad_orders ON telemetry.record")
        assert resend(config) == (0, 1)
        wait_for(lambda: status(config).records_sent == 1, "the record")
    assert status(config).batches_aside == 0
    assert resend(config) == (0, 0)


def test_without_a_spool_there_is_nothing_to_send(tmp_path: Path) -> None:
    config = load(write_file(tmp_path, SOURCE))
    with pytest.raises(SpoolError, match="has not run yet"):
        resend(config)
