"""How a gateway writes its log: plain lines for people, or one JSON object a line for machines."""

import json
import logging
import sys
from datetime import UTC, datetime

# Their connection troubles are told once by the gateway itself, not by each of them at each try.
_CHATTY = ("asyncua", "pymodbus.logging", "pymodbus", "paho", "psycopg", "httpx", "httpcore")
_PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up(*, as_json: bool = False) -> None:
    """Write to standard error from now on, and keep the libraries to what is fatal."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter(_PLAIN))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class JsonLines(logging.Formatter):
    """One object a line: time in UTC, level, part, message, and the source where it has one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "part": record.name.removeprefix("collectors."),
            "message": record.getMessage(),
        }
        source = getattr(record, "source", None)
        if source is not None:
            fields["source"] = source
        if record.exc_info:
            fields["trace"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)
