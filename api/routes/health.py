"""Whether the service can do its work."""

from fastapi import APIRouter, Response

import store.pool
from api.database import TheDatabase
from api.problems import described
from api.routes import models

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="Ask whether the service works", responses=described())
def read_health(database: TheDatabase, response: Response) -> models.Health:
    """200 when the database answers, 503 with Retry-After when it does not."""
    with database.connection() as conn:
        store.pool.ping(conn)
    response.headers["Cache-Control"] = "no-store"
    return models.Health(status="ok")
