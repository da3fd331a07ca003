"""What gateways and the city say to each other, besides the batches themselves."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.routes.models import Model

_GATEWAY = r"^[^\s\x00-\x1f]{1,64}$"
_MOST_NOTICES = 100


class Clock(Model):
    """The time here, so that a gateway notices a clock that is wrong."""

    server_time: datetime = Field(examples=["2026-11-22T08:00:00.123456Z"])


class Receipt(Clock):
    """The acknowledgement: the batch is in the database for good."""

    outcome: Literal["accepted", "known"] = Field(description="known: it was there before")
    batch_id: int = Field(examples=[71])
    seq: int = Field(description="Of the batch that was sent", examples=[12])
    sha256: str = Field(description="Of the batch that was sent, hexadecimal")
    absorbed: int = Field(description="Rows that were there before with the same value")
    conflicts: int = Field(description="Rows that were there before with another value")


class Tags(Model):
    """The tags that the gateway may send."""

    tags: dict[str, int] = Field(description="Numbers by name", examples=[{"M01.state": 1}])


class Last(Model):
    """Where the gateway's chain stands in the ledger."""

    seq: int | None = Field(description="None before the first batch", examples=[12])
    sha256: str | None = Field(description="Hexadecimal; None before the first batch")


class Notice(Model):
    """Something that a gateway could not take, or lost."""

    source: str = Field(max_length=200, examples=["line 1"])
    reason: str = Field(max_length=4000, examples=["plant/m01: not JSON"])
    payload: str = Field(max_length=65_536, description="What came, as far as it is text")


class Notices(Model):
    """What a person shall see, oldest first."""

    entries: list[Notice] = Field(max_length=_MOST_NOTICES, examples=[[]])


class Kept(Model):
    """How many notices were kept."""

    kept: int = Field(examples=[2])


class Enrolment(Model):
    """A gateway asks to be let in."""

    gateway: str = Field(pattern=_GATEWAY, examples=["gw-example-01"])
    code: str = Field(min_length=1, max_length=100, examples=["7K2M-9QXA-3FVB-T0NC-5HWD"])
    public_key: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="Ed25519 (RFC 8032), hexadecimal"
    )
    signature: str = Field(
        pattern=r"^[0-9a-f]{128}$",
        description="With the private half, of `millpond enrolment 1`, the gateway, the code and "
        "the 32 bytes of the public key, joined by zero bytes; hexadecimal",
    )


class Enrolled(Clock):
    """The gateway is let in."""

    token: str | None = Field(
        description="Sent as `Authorization: Bearer` from now on and shown only here; None where "
        "the gateway comes with its client certificate"
    )


class Renewed(Clock):
    """A new token; the old one holds until the new one is used."""

    token: str = Field(description="Sent as `Authorization: Bearer` from now on")
