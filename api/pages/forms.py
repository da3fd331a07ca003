"""What forms say: numbers as people write them, files, versions, and the key of each form."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import Form, UploadFile

from api.pool import evidence
from api.pool.errors import Declined
from api.pool.lifecycle import Name
from api.pool.refused import refused
from store import Connection, answers
from store.acting import Actor
from store.answers import Answer
from store.evidence_items import File

_MOST_DIGITS = 9
_LONGEST_NAME = 200
_KEY = re.compile(r"[\w-]{16,64}", re.ASCII)
_DONE = 303

# The key of a form that makes something (`once` of _macros.html): another each time it is shown.
Once = Annotated[str, Form(max_length=64)]


def once(
    conn: Connection, actor: Actor, key: str, make: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Make what a form asks for and return what to know of it; the same where it is sent again.

    conn acts for the actor. A refusal is not kept; a form without a key is done each time.
    """
    if actor.account_id is None or not _KEY.fullmatch(key):
        return make()
    # A blank, which no key of the interface has, keeps both kinds apart.
    name = f"form {key}"
    answers.lock(conn, actor.account_id, name)
    kept = answers.given(conn, actor.account_id, name)
    if kept is None:
        kept = Answer("form", _DONE, None, make())
        answers.keep(conn, actor.account_id, name, kept)
    return dict(kept.body)


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
