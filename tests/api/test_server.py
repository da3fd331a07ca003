"""`python -m api` as a process: it says where it is, stops when asked, and fails in one line."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing

import httpx
import pytest

import api.server
from api.errors import NotServed


def command(*arguments: str, database_url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "api", *arguments],
        env=os.environ | {"MILLPOND_DATABASE_URL": database_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_it_says_where_it_answers_and_stops_on_ctrl_c(sample_url: str) -> None:
    with command("--port", "0", database_url=sample_url) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split(" ")[0]
            assert httpx.get(f"{address}/healthz", timeout=30).json() == {"status": "ok"}
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--host", "0.0.0.0"), "over TLS only"),
        (("--port", "0"), "the API does not run"),
    ],
)
def test_it_fails_in_one_line_without_a_traceback(arguments: tuple[str, ...], words: str) -> None:
    nobody = "postgresql://millpond@127.0.0.1:1/none"
    with command(*arguments, database_url=nobody) as process:
        try:
            output, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 1
    assert output == ""
    assert len(errors.splitlines()) == 1
    assert words in errors


def test_a_port_that_is_taken_is_named(sample_url: str) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with pytest.raises(NotServed, match=f"port {port} of"):
            api.server.serve(sample_url, "127.0.0.1", port)
