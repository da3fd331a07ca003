"""What the REST interface of to-dos, messages and tickets answers with and takes."""

from datetime import date, datetime
from typing import Literal

from pydantic import Field, StrictBool

from api.routes.models import Model
from api.routes.pool_models import Given

_TEXT, _SUBJECT = 4000, 200


class Todo(Model):
    """What waits for the caller."""

    todo_id: int = Field(examples=[12])
    kind: str = Field(examples=["remove_cause"])
    object: str = Field(description="Which of several of its kind; else empty", examples=["3"])
    factory: str = Field(description="The factory's code", examples=["DEMO-M"])
    name_zh: str = Field(examples=["示例一号工厂"])
    name_en: str = Field(examples=["Sample plant 1"])
    region: str = Field(description="Code of the county or zone", examples=["320613"])
    zh: str = Field(description="What is to be done", examples=["答复企业求助：网关断线"])
    en: str = Field(examples=["Answer the enterprise's request: 网关断线"])
    due: date | None = Field(description="The last day; it ends at 24:00 in the city")
    due_estimated: bool = Field(
        description="True where working days of a year without a known calendar lie in the term"
    )
    days_left: int | None = Field(description="Negative where it is overdue", examples=[5])
    opened_at: datetime
    raised: bool = Field(description="The level below let its deadline pass")
    href: str = Field(description="The page where it is done", examples=["/tickets/3"])


class TodoList(Model):
    """To-dos by deadline, those without one last."""

    items: list[Todo]
    all: int = Field(description="How many wait altogether", examples=[4])
    overdue: int = Field(examples=[1])
    next_after: str | None = Field(description="Give this as `after` to get the rest")


class Message(Model):
    """A message to the caller."""

    message_id: int = Field(examples=[31])
    factory: str = Field(description="The factory's code", examples=["DEMO-M"])
    todo_id: int | None = Field(description="The to-do that it is about")
    template: str = Field(examples=["opened"])
    zh: str = Field(examples=["示例一号工厂：新待办“…”，截止 2026-04-01。"])
    en: str = Field(examples=["Sample plant 1: new to-do “…”, due 2026-04-01."])
    sent_at: datetime
    read_at: datetime | None = Field(description="The receipt")
    elsewhere: dict[str, str] = Field(
        description="By channel whether it waits, was handed over or failed",
        examples=[{"email": "sent"}],
    )


class MessageList(Model):
    """Messages, newest first."""

    items: list[Message]
    unread: int = Field(examples=[2])
    next_before: int | None = Field(description="Give this as `before` to get older ones")


class Receipt(Model):
    """When a message was first read."""

    read_at: datetime


class Contact(Given):
    """How the caller wants to be told beside the messages here; nobody else sees it."""

    phone: str | None = Field(default=None, max_length=40, examples=["10000000001"])
    wants_email: StrictBool = Field(
        default=True, description="By e-mail too, where the account has an address"
    )
    wants_sms: StrictBool = Field(
        default=False, description="By SMS too, when a deadline is near or passed"
    )
    wants_digest: StrictBool = Field(
        default=False, description="E-mail as one letter each morning, not one for each message"
    )


class Said(Model):
    """What somebody said to a ticket."""

    act: str = Field(description="open, reply, close or reopen", examples=["reply"])
    text: str = Field(examples=["请协调运营商"])
    by: str = Field(examples=["示例填报员"])
    role: str = Field(examples=["ent_filler"])
    at: datetime


class Ticket(Model):
    """A help ticket."""

    ticket_id: int = Field(examples=[3])
    factory: str = Field(description="The factory's code", examples=["DEMO-M"])
    subject: str = Field(examples=["网关断线"])
    level: Literal["county", "city"] = Field(description="Whom it asks")
    state: Literal["open", "answered", "closed"]
    version: int = Field(description="Rises with whatever is said", examples=[2])
    opened_by: str = Field(examples=["示例填报员"])
    opened_at: datetime
    changed_at: datetime
    due: date | None = Field(description="The last day for an answer, while it is open")
    due_estimated: bool = Field(
        description="True where working days of a year without a known calendar lie in the term"
    )


class TicketDetail(Model):
    """A ticket with all that was said to it, oldest first."""

    ticket: Ticket
    said: list[Said]


class TicketList(Model):
    """Tickets, newest first."""

    items: list[Ticket]
    next_before: int | None = Field(description="Give this as `before` to get older ones")


class NewTicket(Given):
    """A request for help."""

    subject: str = Field(min_length=1, max_length=_SUBJECT, examples=["网关断线"])
    text: str = Field(min_length=1, max_length=_TEXT, examples=["请协调运营商"])
    level: Literal["county", "city"] = "county"


class NewSaid(Given):
    """What is said; closing may go without."""

    text: str = Field(default="", max_length=_TEXT, examples=["已联系，明日恢复"])
