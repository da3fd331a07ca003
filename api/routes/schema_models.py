"""What the REST interface says of business records: their schemas, and what was refused."""

from datetime import datetime
from typing import Any

from pydantic import Field, RootModel

from api.routes.models import Model


class RecordKind(Model):
    """A kind of business record."""

    kind: str = Field(examples=["order_line"])
    title_zh: str = Field(examples=["订单行"])
    description: str = Field(examples=["Cost of goods sold in one month."])
    schema_path: str = Field(
        description="Where its JSON Schema is", examples=["/api/v1/schemas/order_line"]
    )


class RecordKinds(Model):
    """Every kind of business record that gateways take."""

    items: list[RecordKind]


class RecordSchema(RootModel[dict[str, Any]]):
    """A JSON Schema (draft 2020-12) with the natural key (x-key) and business time (x-at)."""


class RefusedEntry(Model):
    """Something that a gateway could not take; what it was stays with the gateway."""

    number: int = Field(description="Grows with each entry", examples=[1289])
    gateway: str = Field(examples=["gw-demo-machining"])
    source: str = Field(description="The source of the gateway file", examples=["business"])
    reason: str = Field(examples=["order_line: quantity: -3 is less than 0"])
    seen_at: datetime


class RefusedEntries(Model):
    """What the gateways of a factory could not take, newest first."""

    items: list[RefusedEntry]
    next_before: int | None = Field(
        description="Give it as `before` for the next page; null at the end", examples=[1189]
    )
