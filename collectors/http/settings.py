"""The keys of an HTTP source."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field

from collectors.config.fields import (
    Fault,
    SourceTable,
    TagTable,
    form,
    not_empty,
    number,
    tables,
)
from collectors.config.shared import (
    BUSINESS_TIME,
    NATURAL_KEY,
    RECORD_KIND,
    TOKEN_ENV,
    TOKEN_FILE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpTag(TagTable):
    """[[source.tag]]: a tag that may be sent to /tags; any other is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRecord:
    """[[source.record]]: a kind of record that may be sent to /records; any other is refused."""

    kind: str = field(metadata=RECORD_KIND)
    key: str | None = field(default=None, metadata=NATURAL_KEY)
    at: str | None = field(default=None, metadata=BUSINESS_TIME)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSource(SourceTable):
    """[[source]]: an address at which the gateway listens for what systems send."""

    host: str = field(
        default="127.0.0.1",
        metadata=form(not_empty, "address to listen at; other than loopback it needs a token"),
    )
    port: int = field(metadata=number(at_least=1, at_most=65_535, about="port to listen at"))
    token_env: str | None = field(default=None, metadata=TOKEN_ENV)
    token_file: str | None = field(default=None, metadata=TOKEN_FILE)
    certificate: str | None = field(
        default=None, metadata=form(not_empty, "file of the server certificate (PEM), for https")
    )
    certificate_key: str | None = field(
        default=None, metadata=form(not_empty, "file of the certificate's private key (PEM)")
    )
    max_body_kb: int = field(
        default=1024, metadata=number(1, 65_536, about="longest body of one request")
    )
    queue: int = field(
        default=100, metadata=number(1, 10_000, about="requests that may wait for the spool")
    )
    timeout_s: float = field(
        default=10.0, metadata=number(0.1, 120, about="longest wait for a body, and for the spool")
    )
    tags: tuple[HttpTag, ...] = field(default=(), metadata=tables("tag"))
    records: tuple[HttpRecord, ...] = field(default=(), metadata=tables("record"))

    def faults(self) -> Iterator[Fault]:
        """Return what is wrong between keys: who may send, and how it is encrypted."""
        if not _is_loopback(self.host) and self.token_env is None and self.token_file is None:
            message = f'host = "{self.host}" needs "token_env" or "token_file": anyone could send'
            yield Fault(("host",), message)
        if (self.certificate is None) != (self.certificate_key is None):
            yield Fault((), '"certificate" and "certificate_key" go together')
        kinds: set[str] = set()
        for index, record in enumerate(self.records):
            if record.kind in kinds:
                place = ("record", index, "kind")
                yield Fault(place, f'kind = "{record.kind}" stands above already')
            kinds.add(record.kind)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
