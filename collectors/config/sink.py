"""[sink]: where batches go, and what has to be said of either way."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from urllib.parse import urlsplit

from collectors.config.fields import Fault, choice, form, not_empty, number, plain

_HTTPS_ONLY = ("token", "ca", "certificate", "private_key", "allow_plain", "timeout_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkTable:
    """[sink]: where batches go; either url or the name of an environment variable with it."""

    kind: str = field(
        metadata=choice(
            *("timescale", "https"),
            about="`timescale`: into the database, inside the plant; `https`: to the city",
        )
    )
    url: str | None = field(
        default=None,
        metadata=form(not_empty, about="of the database (`postgresql://…`) or city (`https://…`)"),
    )
    url_env: str | None = field(
        default=None, metadata=form(not_empty, about="environment variable that holds the url")
    )
    batch_rows: int = field(
        default=5000,
        metadata=number(at_least=1, at_most=100_000, about="most rows in a batch"),
    )
    batch_seconds: float = field(
        default=1.0,
        metadata=number(at_least=0.05, at_most=3600, about="longest wait before a batch is cut"),
    )
    token: str | None = field(
        default=None,
        metadata=form(
            not_empty, about="https: file of the token; by default `.token` behind that of the key"
        ),
    )
    ca: str | None = field(
        default=None,
        metadata=form(
            not_empty, about="https: file of who may vouch for the city; by default the system's"
        ),
    )
    certificate: str | None = field(
        default=None, metadata=form(not_empty, about="https: client certificate of this gateway")
    )
    private_key: str | None = field(
        default=None, metadata=form(not_empty, about="https: key of the client certificate")
    )
    allow_plain: bool = field(
        default=False, metadata=plain("https: take `http://` to another machine as well")
    )
    timeout_s: float = field(
        default=30.0,
        metadata=number(at_least=1, at_most=600, about="https: longest silence in a request"),
    )

    def faults(self) -> Iterator[Fault]:
        """Return what is wrong between keys that are right one by one."""
        if (self.url is None) == (self.url_env is None):
            yield Fault((), '[sink] needs either "url" or "url_env"')
        if self.kind == "https":
            yield from self._https_faults()
            return
        for spec in fields(self):
            if spec.name in _HTTPS_ONLY and getattr(self, spec.name) != spec.default:
                yield Fault((spec.name,), f'"{spec.name}" belongs to kind = "https"')

    def _https_faults(self) -> Iterator[Fault]:
        if self.url is not None and (wrong := address_fault(self.url, self.allow_plain)):
            yield Fault(("url",), f'url = "{self.url}" {wrong}')
        if (self.certificate is None) != (self.private_key is None):
            yield Fault((), '"certificate" and "private_key" go together')


def address_fault(url: str, allow_plain: bool) -> str | None:
    """Judge the address of a city: what is wrong with it, or None."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is no address: {error}"
    if parts.scheme not in ("https", "http") or not host:
        return "must be an address such as https://city.example"
    if parts.username is not None or parts.query or parts.fragment:
        return "must hold no user name, question mark or hash sign; the token has its own file"
    if parts.scheme == "http" and not allow_plain and not _is_loopback(host):
        return "must begin with https://: over plain http others could read the token"
    return None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
