"""Documents of a real pool, made in this process, and their files."""

from datetime import timedelta

import store
from api.exports import making, register
from api.exports.model import Form
from store import documents, evidence_items
from store.documents import Document
from tests.api.pool.pooled import Pooled

LOST_AFTER = timedelta(hours=1)


def file_of(conn: store.Connection, document: Document, form: Form) -> bytes:
    """Return a file of a document that was made."""
    sha256 = document.pdf_sha256 if form == "pdf" else document.docx_sha256
    assert sha256 is not None
    file = evidence_items.file(conn, document.factory_id, sha256)
    assert file is not None
    assert file.name.endswith(form)
    return file.content


def make_all(pooled: Pooled) -> dict[str, Document]:
    """Make all that is due and waits, and return the newest document of each kind."""
    register.ask_for_steps(pooled.conn, pooled.now)
    while taken := documents.take(pooled.conn, LOST_AFTER):
        assert making.make(pooled.conn, *taken, pooled.now)
    found = documents.listed(pooled.conn, pooled.factory_id)
    return {each.kind: each for each in reversed(found)}
