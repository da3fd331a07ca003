"""`millpond pool todos` and `millpond pool outbox`."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

import store
from deploy.commands.common import DatabaseOption, JsonOption, console, database_url, print_json
from deploy.commands.output import folding
from store import messages

NoticesOption = Annotated[
    Path | None,
    typer.Option(help="How people are told by e-mail and SMS (TOML).", envvar="MILLPOND_NOTICES"),
]


def todos(
    notices: NoticesOption = None,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """Bring to-dos up to date once, remind of deadlines, and send the messages that wait.

    `millpond api serve` does this every minute.

    Example: `millpond pool todos --notices notices.toml`
    """
    from api.pool import notices as running  # slow to import

    senders = running.load(notices) if notices else ()
    with closing(store.connect(database_url(database))) as conn:
        turn, sent = running.once(conn, senders, datetime.now(UTC))
    if as_json:
        print_json({"turn": turn, "sent": sent})
        return
    print(
        f"{turn.events:,} events followed: {turn.opened:,} opened, {turn.closed:,} closed, "
        f"{turn.recalled:,} recalled, {turn.raised:,} raised; {turn.told:,} messages, "
        f"{sent.sent:,} sent elsewhere, {sent.waiting:,} to try again, {sent.failed:,} failed"
    )


def outbox(
    retry: Annotated[bool, typer.Option(help="Try again what failed for good.")] = False,
    as_json: JsonOption = False,
    database: DatabaseOption = None,
) -> None:
    """List e-mails and SMS that wait or failed, with why and when they are tried again.

    Example: `millpond pool outbox --retry`
    """
    with closing(store.connect(database_url(database))) as conn:
        again = messages.retry(conn, datetime.now(UTC)) if retry else 0
        found = messages.pending(conn)
    if as_json:
        print_json(found)
        return
    if retry:
        print(f"{again:,} will be tried again")
    if not found:
        print("nothing waits and nothing failed")
        return
    table = folding("number", "by", "to", "state", "tries", "next try", "error", title="Outbox")
    for each in found:
        table.add_row(
            *(str(each.delivery_id), each.channel, f"{each.login} {each.address or ''}".strip()),
            *(each.state, str(each.attempts)),
            f"{each.next_try_at.astimezone():%Y-%m-%d %H:%M}" if each.state == "queued" else "",
            each.error or "",
        )
    console.print(table)
