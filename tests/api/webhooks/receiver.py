"""Another system on this machine that takes deliveries and verifies them by its own code."""

import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.certificates import Pair


@dataclass
class Receiver:
    """What came, and what is answered: each of `answers` once, then 200.

    A status of 0 answers nothing until the end, as somebody who is slow.
    """

    port: int = 0
    answers: list[int] = field(default_factory=list)
    came: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def cursors(self) -> list[list[int]]:
        """The cursors of each delivery."""
        return [[item["cursor"] for item in self.body(at)["items"]] for at in range(len(self.came))]

    def body(self, at: int = -1) -> Any:
        """Return what one delivery said."""
        return json.loads(self.came[at][1])

    def verifies(self, secret: str, at: int = -1) -> bool:
        """Check the signature as a receiver would, in constant time."""
        headers, body = self.came[at]
        given = dict(part.split("=", 1) for part in headers["millpond-signature"].split(","))
        signed = given["t"].encode() + b"." + body
        made = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(made, given["v1"])


@contextmanager
def receiving(pair: Pair | None = None) -> Iterator[Receiver]:
    """Listen on a free port of this machine for the length of the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.came.append((headers, body))
            status = receiver.answers.pop(0) if receiver.answers else 200
            if status == 0:
                receiver.ended.wait(30)
                return
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_port
    if pair is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="receiver")
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        thread.join(30)
        server.server_close()
