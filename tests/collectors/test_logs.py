"""The log of a gateway as JSON lines."""

import json
import logging

from collectors.logs import JsonLines


def record(message: str, *values: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("collectors.source", logging.ERROR, "x.py", 1, message, values, None)
    made.__dict__.update(extra)
    return made


def test_a_line_is_one_object_with_what_happened_when_and_where() -> None:
    line = JsonLines().format(record("source %s failed:\n%s", "line 1", "gone", source="line 1"))
    assert "\n" not in line
    found = json.loads(line)
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "error",
        "part": "source",
        "message": "source line 1 failed:\ngone",
        "source": "line 1",
    }


def test_an_error_keeps_its_trace_inside_the_line() -> None:
    try:
        raise ValueError("broken")
    except ValueError as error:
        made = record("failed")
        made.exc_info = (ValueError, error, error.__traceback__)
    found = json.loads(JsonLines().format(made))
    assert "ValueError: broken" in found["trace"]
