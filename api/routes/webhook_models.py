"""What the REST interface of webhooks answers with and takes."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from api.routes.models import Model
from api.routes.parameters import MOST_CURSOR
from api.routes.pool_models import Given
from api.webhooks.address import MOST_CHARACTERS

Kind = Annotated[str, Field(pattern=r"^\w{1,40}$")]


class NewWebhook(Given):
    """A system that the feed is to be sent to."""

    name: str = Field(min_length=1, max_length=80, examples=["市级工业大数据平台"])
    url: str = Field(
        max_length=MOST_CHARACTERS,
        description="Where to; https, without user and password",
        examples=["https://data.example.org/millpond"],
    )
    kinds: list[Kind] = Field(
        default=[],
        max_length=40,
        description="Only these kinds of the feed's `what`; none are all",
        examples=[["fulfilment", "moved"]],
    )
    cursor: int | None = Field(
        default=None,
        ge=0,
        le=MOST_CURSOR,
        description="Begin after this cursor of the feed; without it with what happens from now on",
        examples=[0],
    )


class Webhook(Model):
    """A subscription and how its deliveries stand."""

    webhook_id: int = Field(examples=[3])
    name: str = Field(examples=["市级工业大数据平台"])
    url: str = Field(examples=["https://data.example.org/millpond"])
    kinds: list[str]
    made_at: datetime
    cursor: int = Field(description="All up to here was delivered or given up", examples=[1205])
    attempts: int = Field(description="How often the next part was tried in vain", examples=[0])
    next_at: datetime | None = Field(description="When it is tried again")
    delivered_at: datetime | None = Field(description="When a part last arrived")
    last_fault: str | None = Field(
        description="What last went wrong; null once a part arrived", examples=["answered 500"]
    )
    paused_at: datetime | None = Field(description="Since when nothing is sent; null while it is")
    trial_at: datetime | None = Field(description="When a trial was asked for that is to come")
    tried_at: datetime | None = Field(description="When the last trial delivery was sent")
    trial_fault: str | None = Field(description="What went wrong with it; null where it arrived")


class MadeWebhook(Model):
    """A new subscription with what its deliveries are signed with."""

    webhook: Webhook
    secret: str = Field(description="Shown only now", examples=["whsec_…"])


class WebhookList(Model):
    """The caller's subscriptions, in the order of their numbers."""

    items: list[Webhook]


class DeadLetter(Model):
    """A part of the feed that did not arrive and was given up."""

    letter_id: int = Field(examples=[1])
    after: int = Field(description="The cursor that it begins after", examples=[1200])
    through: int = Field(description="The cursor that it ends with", examples=[1205])
    attempts: int = Field(examples=[9])
    fault: str = Field(description="What last went wrong", examples=["answered 500"])
    died_at: datetime
    waits: bool = Field(description="It is about to be sent once more")
    delivered_at: datetime | None = Field(description="When it arrived after all")


class DeadLetterList(Model):
    """What was given up, newest first, one hundred at most."""

    items: list[DeadLetter]


class Redelivery(Given):
    """Send a part once more."""
