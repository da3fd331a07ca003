"""Which version of a thing a request rests on: its ETag out, `If-Match` back."""

import re
from typing import Annotated

from fastapi import Header
from starlette.exceptions import HTTPException

from api.pool.errors import StaleVersion

_ETAG = re.compile(r'(?:W/)?"([a-z]{1,20})-(\d{1,15})-(\d{1,9})"')

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=100,
        description="The ETag of what the request rests on",
        examples=['"ticket-3-2"'],
    ),
]


def etag(kind: str, number: int, version: int) -> str:
    """Return the ETag of a version of a numbered thing, such as a ticket."""
    return f'"{kind}-{number}-{version}"'


def version_of(if_match: str | None, kind: str, number: int) -> int:
    """Return the version that a request rests on; 428 for none, StaleVersion for another's."""
    if if_match is None:
        raise HTTPException(428, f"Send the ETag of the {kind} as If-Match.")
    named = _ETAG.fullmatch(if_match.strip())
    if named is None or (named[1], int(named[2])) != (kind, number):
        raise StaleVersion(f"If-Match is not an ETag of {kind} {number}; read it again")
    return int(named[3])
