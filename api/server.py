"""Serving the application on this machine alone."""

import ipaddress

import uvicorn

from api.app import create_app
from api.errors import NotLoopback

_STOP_WITHIN_S = 5


def serve(database_url: str, host: str = "127.0.0.1", port: int = 8321) -> None:
    """Serve until SIGTERM or Ctrl-C; raises NotLoopback for any other host than this machine."""
    uvicorn.Server(config(database_url, host, port)).run()


def config(database_url: str, host: str, port: int) -> uvicorn.Config:
    """Return uvicorn's settings; raises NotLoopback for any other host than this machine."""
    if not _is_loopback(host):
        raise NotLoopback(
            f"{host} is open to others and there is no login yet: use 127.0.0.1, and an SSH "
            "tunnel to look from another machine"
        )
    return uvicorn.Config(
        create_app(database_url),
        host=host,
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_STOP_WITHIN_S,
        limit_concurrency=200,
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
