"""Files of the follow-up, as they were handed over."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

import store.evidence_items
import store.registry
from api.database import TheDatabase
from api.errors import NotFound
from api.identity import Caller, needs
from api.permissions import Permission
from api.routes.answers import saved
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
    with database.acting(caller) as conn:
        factory = store.registry.factory_by_code(conn, code)
        found = store.evidence_items.file(conn, factory.factory_id, sha256)
    if found is None:
        raise NotFound(f"{code} has no file with this hash")
    return saved(found)
