"""The queue of documents: letters that steps make due, and what people ask for."""

from datetime import UTC, datetime, timedelta

from api.exports import register
from api.worker import Limits, Taken
from store import Connection, documents, events, transaction
from store.acting import Actor


class Documents:
    """Documents that wait to be made."""

    module = "api.exports.making"
    limits = Limits()

    def prepare(self, conn: Connection) -> None:
        """Ask for the letters of the steps that were taken."""
        register.ask_for_steps(conn, datetime.now(UTC))

    def take(self, conn: Connection, lost_after: timedelta) -> Taken | None:
        """Take the next document."""
        found = documents.take(conn, lost_after)
        return None if found is None else Taken(*found)

    def fail(self, conn: Connection, taken: Taken, error: str, wait: timedelta | None) -> None:
        """Keep why it failed; what is given up is told as an event."""
        with transaction(conn):
            if not documents.fail(conn, taken.number, taken.attempt, error, wait):
                return
            document = documents.get(conn, taken.number)
            if document is not None and wait is None:
                actor = Actor(document.account_id, document.actor, document.role)
                told = register.event_of(document) | {"error": document.error}
                now = datetime.now(UTC)
                events.happened(conn, actor, document.factory_id, "document_failed", told, now)


DOCUMENTS = Documents()
