"""Making one document: facts, text, both files, and the register; a process of its own does it.

`python -m api.exports.making NUMBER ATTEMPT` reads the address of the database from its input, and
ends with 0, or with a code and a sentence that say what kept it from its work.
"""

import hashlib
import sys
from datetime import UTC, datetime

import store.registry
from api.errors import NotFound
from api.exports import facts, report, texts
from api.exports.kinds import kinds
from api.exports.letter import Facts, written
from api.exports.model import FORMS, Content, Footer, Form
from api.exports.pdf import pdf
from api.exports.register import event_of
from api.exports.word import docx_file
from api.pool import workdays
from api.pool.roles import ROLES
from api.worker import process
from store import Connection, documents, events, evidence_items, transaction
from store.acting import Actor
from store.audit import note
from store.documents import Document, Made
from store.evidence_items import File
from store.registry import Factory


def make(conn: Connection, document_id: int, attempt: int, now: datetime) -> bool:
    """Make a document and keep its files; False where another attempt has begun by now.

    Raises NotFound where what it is about is not there.
    """
    document = documents.get(conn, document_id)
    if document is None:
        raise NotFound(f"there is no document {document_id}")
    factory = store.registry.factory_by_code(conn, document.factory)
    day = workdays.today(now)
    template = texts.in_force(conn, document.kind, day)
    found = _facts(conn, document, factory, now)
    content = written(document.kind, template, found, document.number)
    documents.progress(conn, document_id, 30)
    version = documents.next_version(conn, document_id)
    footer = Footer(
        _asker(document),
        now.astimezone(workdays.ZONE),
        version,
        template.template_id,
        content.sha256(),
    )
    made: dict[Form, bytes] = {"docx": docx_file(content, footer)}
    documents.progress(conn, document_id, 60)
    made["pdf"] = pdf(content, footer)
    documents.progress(conn, document_id, 90)
    return _keep(conn, document, attempt, content, footer, made, now)


def _asker(document: Document) -> str:
    return ROLES["system"][0] if document.role == "system" else document.actor


def _facts(conn: Connection, document: Document, factory: Factory, now: datetime) -> Facts:
    today = workdays.today(now)
    match kinds()[document.kind].about:
        case "step":
            return facts.of_step(conn, document, factory)
        case "stay":
            return facts.of_stay(conn, document, factory, today)
        case "year":
            return report.of_year(conn, factory, document.period_start, today)


def _keep(
    conn: Connection,
    document: Document,
    attempt: int,
    content: Content,
    footer: Footer,
    files: dict[Form, bytes],
    now: datetime,
) -> bool:
    actor = Actor(document.account_id, document.actor, document.role)
    hashes = {form: hashlib.sha256(data).hexdigest() for form, data in files.items()}
    name = f"{kinds()[document.kind].zh}-{document.factory}-第{footer.version}版"
    made = Made(
        version=footer.version,
        template_id=footer.template_id,
        content_sha256=footer.sha256,
        docx_sha256=hashes["docx"],
        pdf_sha256=hashes["pdf"],
        made_at=now,
    )
    told = event_of(document) | {
        "title": content.title,
        "version": footer.version,
        "content_sha256": footer.sha256,
        "pdf_sha256": hashes["pdf"],
        "docx_sha256": hashes["docx"],
    }
    with transaction(conn):
        for form, data in files.items():
            file = File(f"{name}.{form}", FORMS[form], data)
            evidence_items.add_file(conn, actor, document.factory_id, hashes[form], file, now)
        if not documents.finish(conn, document.document_id, attempt, made):
            return False
        note(
            conn, actor, "document_made", kind="document", key=document.document_id,
            factory_id=document.factory_id, after=told,
        )  # fmt: skip
        events.happened(conn, actor, document.factory_id, "document_made", told, now)
    return True


def _make_now(conn: Connection, document_id: int, attempt: int) -> None:
    make(conn, document_id, attempt, datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(process(_make_now))
