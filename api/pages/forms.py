"""What forms say: numbers as people write them, files, and the version that a form rests on."""

from datetime import datetime

from fastapi import UploadFile

from api.pool import evidence
from api.pool.errors import Declined
from api.pool.lifecycle import Name
from api.pool.refused import refused
from store import Connection
from store.acting import Actor
from store.evidence_items import File

_MOST_DIGITS = 9
_LONGEST_NAME = 200


def number(text: str | None, name: Name) -> float | None:
    """Return a number as people write it, such as 1,200 or 79.5%; None for a blank.

    Raises Declined, naming what was asked, for anything else.
    """
    if text is None or not text.strip():
        return None
    try:
        return float(text.replace(",", "").replace("，", "").strip().removesuffix("%"))
    except ValueError:
        raise refused("no_number", Declined, item=name, text=text) from None


def version(text: str | None) -> int:
    """Return the version that a form rests on; 0, which nothing has, for nonsense."""
    is_number = text is not None and text.isascii() and text.isdigit()
    return int(text) if text and is_number and len(text) <= _MOST_DIGITS else 0


def handed_over(
    conn: Connection, actor: Actor, factory_id: int, file: UploadFile | None, now: datetime
) -> str | None:
    """Keep a file that came with a form and return its hash; None where none came.

    Raises Declined for a file that is not taken, NotFound or NotPossible outside the pool.
    """
    if file is None or not file.filename:
        return None
    content = file.file.read(evidence.MOST_BYTES + 1)
    given = File(file.filename[:_LONGEST_NAME], evidence.media_type(content), content)
    return evidence.keep_file(conn, actor, factory_id, given, now=now)
