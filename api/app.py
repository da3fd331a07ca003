"""The application: REST under /api/v1, the console, one connection pool."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.resources import files

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.staticfiles import StaticFiles

import store
from api import failures, openapi
from api.database import Database
from api.pages import factory as factory_page
from api.pages import overview as overview_page
from api.pages import pictures as picture_pages
from api.pictures.cache import PictureCache
from api.pictures.render import WarmUp
from api.routes import comparison, factories, figures, follow_up, gaps, health
from api.security import Guard

VERSION = "0.1.0"
PREFIX = "/api/v1"

_POOL_SIZE = 8


def create_app(database_url: str) -> FastAPI:
    """Build the application; it connects to the database when it starts.

    Starting raises StoreUnavailable when no server answers.
    """
    app = FastAPI(
        title="Millpond",
        version=VERSION,
        openapi_url=f"{PREFIX}/openapi.json",
        # FastAPI's own documentation pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(database_url),
    )
    app.add_middleware(Guard)
    failures.install(app)
    for module in (factories, figures, comparison, follow_up, gaps):
        app.include_router(module.router, prefix=PREFIX)
    app.include_router(health.router)
    for page in (overview_page, factory_page, picture_pages):
        app.include_router(page.router, include_in_schema=False)
    static = str(files("api").joinpath("static"))
    app.mount("/static", StaticFiles(directory=static), name="static")
    openapi.install(app)
    return app


def _lifespan(
    database_url: str,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = store.open_pool(database_url, max_size=_POOL_SIZE)
        pool = await run_in_threadpool(opened.__enter__)
        app.state.database = Database(pool)
        app.state.pictures = PictureCache()
        warm_up = WarmUp()
        warm_up.start()
        try:
            yield
        finally:
            await run_in_threadpool(warm_up.finish)
            await run_in_threadpool(opened.__exit__, None, None, None)

    return lifespan
