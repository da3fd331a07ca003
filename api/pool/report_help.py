"""Difficulties that a report names become help tickets: one for each item, whatever is returned."""

from datetime import datetime, timedelta

from api.pool import tickets
from api.pool.report_table import table
from store import Connection
from store import tickets as stored
from store.acting import Actor
from store.reports import Report
from store.tickets import Source

_DAY = timedelta(days=1)


def ask(
    conn: Connection, actor: Actor, found: Report, item: str, text: str, *, now: datetime
) -> int:
    """Open the ticket of a report's item and return its number, or carry on the one there is.

    What was said again in the same words adds nothing; other words are a reply, or open a ticket
    that is closed again. Raises as the tickets' functions do.
    """
    ticket = stored.of_source(conn, Source(found.report_id, item))
    if ticket is None:
        kind = table().kinds[found.kind].zh
        last = found.period_end - _DAY
        return tickets.ask(
            conn, actor, found.factory_id,
            subject=f"{kind}（{found.period_start} 至 {last}）中提出的困难",
            text=text, level="county", source=Source(found.report_id, item), now=now,
        )  # fmt: skip
    said = [each.text for each in stored.said(conn, ticket.ticket_id) if each.role == actor.role]
    if said and said[-1] == text.strip():
        return ticket.ticket_id
    carry_on = tickets.reopen if ticket.state == "closed" else tickets.reply
    carry_on(conn, actor, ticket.ticket_id, text, version=ticket.version, now=now)
    return ticket.ticket_id
