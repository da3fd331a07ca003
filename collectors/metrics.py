"""Prometheus metrics and /healthz of a running gateway, on a port of this machine alone.

`/metrics` gives what `status` tells in the text format of Prometheus. `/healthz` answers 200 while
every source is up and the sink sends, else 503, with the age of the last good value per source.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from collectors.errors import MetricsRefused
from collectors.gateway_status import GatewayStatus
from collectors.sample import now_us
from collectors.spool.spool import SourceState

_log = logging.getLogger("collectors.metrics")

_HOST = "127.0.0.1"
_REQUEST_S = 5.0
_PREFIX = "millpond_gateway"

_COUNTERS = {
    "rows_sent": "Rows that the sink has acknowledged",
    "records_sent": "Business records that the sink has acknowledged",
    "dropped_rows": "Rows dropped because the spool was full or too old",
    "dropped_records": "Records dropped because the spool was full or too old",
    "quarantined": "Messages that could not be understood, and kept",
}
_GAUGES = {
    "backlog_rows": "Rows that wait in the spool",
    "backlog_records": "Records that wait in the spool",
    "batches_aside": "Batches that the sink refused for good, and kept",
    "spool_bytes": "Bytes that the spool takes",
    "spool_max_bytes": "Bytes that the spool may take",
    "last_acknowledged_seq": "Sequence number of the newest acknowledged batch",
}


class Live:
    """What the metrics ask a running gateway for; each may be called from any thread."""

    def __init__(
        self,
        status: Callable[[], GatewayStatus],
        states: Callable[[], list[SourceState]],
        gauges: Callable[[], Mapping[str, Mapping[str, float]]],
        sink_failure: Callable[[], str | None],
    ) -> None:
        self.status = status
        self.states = states
        self.gauges = gauges
        self.sink_failure = sink_failure


def health(live: Live) -> tuple[bool, dict[str, Any]]:
    """Return whether all is well, and the body of /healthz; ages in seconds."""
    now, states, failure = now_us(), live.states(), live.sink_failure()
    is_well = failure is None and all(state.state == "up" for state in states)
    body = {
        "status": "ok" if is_well else "degraded",
        "sink": {"state": "up" if failure is None else "down", "reason": failure},
        "sources": [
            {
                "name": state.name,
                "state": state.state,
                "last_good_age_s": _age_s(state, now),
                "reason": state.reason,
            }
            for state in states
        ],
    }
    return is_well, body


class MetricsServer:
    """Answers one request after the other in a thread of its own."""

    def __init__(self, port: int, live: Live) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Gateway(live))
        handler = type("Handler", (_Handler,), {"live": live, "registry": registry})
        try:
            self._server = HTTPServer((_HOST, port), handler)
        except OSError as error:
            raise MetricsRefused(
                f"[metrics] port {port} cannot be used: {error.strerror}"
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics")

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        _log.info("metrics at http://%s:%d/metrics", _HOST, self.port)

    def stop(self) -> None:
        """End; waits for the request that is being answered."""
        self._server.shutdown()
        self._thread.join(_REQUEST_S * 2)
        self._server.server_close()


class _Gateway(Collector):
    def __init__(self, live: Live) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        status = self._live.status()
        for name, about in _COUNTERS.items():
            yield CounterMetricFamily(f"{_PREFIX}_{name}", about, getattr(status, name))
        for name, about in _GAUGES.items():
            yield GaugeMetricFamily(f"{_PREFIX}_{name}", about, getattr(status, name))
        yield GaugeMetricFamily(
            f"{_PREFIX}_unknown_tags",
            "Tags that are not in the monitoring plan",
            len(status.unknown_tags),
        )
        sending = self._live.sink_failure() is None
        yield GaugeMetricFamily(f"{_PREFIX}_sink_up", "1 while the sink takes data", int(sending))
        if status.clock_ahead_s is not None:
            yield GaugeMetricFamily(
                f"{_PREFIX}_clock_ahead_seconds",
                "How far this machine's clock is ahead of the city's",
                status.clock_ahead_s,
            )
        yield from self._sources()

    def _sources(self) -> Iterator[Metric]:
        now = now_us()
        up = GaugeMetricFamily(
            "millpond_source_up", "1 while the source is read", labels=["source"]
        )
        age = GaugeMetricFamily(
            "millpond_source_last_good_age_seconds",
            "Seconds since the source gave a good value; absent before the first",
            labels=["source"],
        )
        for state in self._live.states():
            up.add_metric([state.name], int(state.state == "up"))
            seconds = _age_s(state, now)
            if seconds is not None:
                age.add_metric([state.name], seconds)
        own = GaugeMetricFamily(
            "millpond_source_items", "What the source counts of itself", labels=["source", "what"]
        )
        for source, values in self._live.gauges().items():
            for name, value in values.items():
                own.add_metric([source, name], value)
        yield from (up, age, own)


class _Handler(BaseHTTPRequestHandler):
    live: Live
    registry: CollectorRegistry
    timeout = _REQUEST_S

    def do_GET(self) -> None:  # the name that http.server calls
        try:
            if self.path == "/metrics":
                self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self.registry))
            elif self.path == "/healthz":
                is_well, body = health(self.live)
                status = HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE
                data = json.dumps(body, ensure_ascii=False).encode()
                self._answer(status, "application/json", data)
            else:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"/metrics or /healthz\n")
        except OSError:
            return  # whoever asked has gone away

    def _answer(self, status: HTTPStatus, media_type: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *values: Any) -> None:
        _log.debug(format, *values)


def _age_s(state: SourceState, now: int) -> float | None:
    return None if state.last_good_us is None else max(0.0, (now - state.last_good_us) / 1e6)
