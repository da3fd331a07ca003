"""Files of the follow-up, as they were handed over."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.database import TheDatabase
from api.identity import Caller, needs
from api.permissions import Permission
from api.routes import pool_evidence
from api.routes.parameters import Code

router = APIRouter()


@router.get("/factories/{code}/files/{sha256}")
def read_file(
    caller: Annotated[Caller, needs(Permission.READ_POOL)],
    database: TheDatabase,
    code: Code,
    sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{1,64}$")],
) -> Response:
    """Give a file to be saved: a browser never shows what somebody else handed over."""
    return pool_evidence.read_file(caller, database, code, sha256)
