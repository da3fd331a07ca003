"""The application: REST under /api/v1, the console, one connection pool."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi.staticfiles import StaticFiles
from starlette.routing import BaseRoute

import store
from api import failures, openapi, pool_problems
from api.access import AccessPolicy
from api.access_rules import AccessRules
from api.database import Database
from api.pages import accounts as account_pages
from api.pages import audit as audit_page
from api.pages import dispute as dispute_page
from api.pages import disputes as dispute_pages
from api.pages import documents as document_pages
from api.pages import entries as entry_pages
from api.pages import evidence as evidence_page
from api.pages import explanation as figure_page
from api.pages import factory as factory_page
from api.pages import letter_texts as letter_pages
from api.pages import login as login_pages
from api.pages import membership as membership_page
from api.pages import messages as message_pages
from api.pages import overview as overview_page
from api.pages import pictures as picture_pages
from api.pages import policy as policy_pages
from api.pages import pool_files as file_pages
from api.pages import provider as provider_pages
from api.pages import report as report_page
from api.pages import reports as report_pages
from api.pages import settings as settings_page
from api.pages import system as system_pages
from api.pages import tickets as ticket_pages
from api.pages import todos as todo_pages
from api.pages import warnings as warning_pages
from api.pages import webhooks as webhook_pages
from api.pictures.cache import PictureCache
from api.pictures.render import WarmUp
from api.provider import Provider
from api.routes import (
    accounts,
    audit,
    comparison,
    documents,
    entries,
    evidence,
    explanation,
    factories,
    figures,
    findings,
    follow_up,
    gaps,
    health,
    ingest,
    letter_texts,
    memberships,
    pool_disputes,
    pool_evidence,
    pool_policy,
    pool_reports,
    schemas,
    session,
    system,
    tickets,
    todos,
    warnings,
    webhooks,
)
from api.security import Guard

VERSION = "0.1.0"
PREFIX = "/api/v1"

_POOL_SIZE = 8
_INGEST_POOL_SIZE = 10


def create_app(
    database_url: str,
    certificate_header: str | None = None,
    *,
    names: Collection[str] = (),
    access: AccessPolicy | None = None,
    provider: Provider | None = None,
) -> FastAPI:
    """Build the application; it connects to the database when it starts.

    certificate_header is believed to name a gateway's client certificate: give it only where a
    proxy stands in front that always sets or removes it. `names` are the host names under which
    others than this machine are served over TLS, `provider` is where people may log in besides.
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
    app.state.certificate_header = certificate_header
    app.state.at_once = ingest.AtOnce()
    app.state.access = AccessRules(access or AccessPolicy())
    app.state.provider = provider
    app.add_middleware(Guard, names=names)
    failures.install(app)
    pool_problems.install(app)
    app.router.routes.extend(_routes())
    openapi.install(app)
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Return the routes, which all applications of a process share.

    At its first request FastAPI works out what each of them needs, which takes as long as thirty
    requests: a process that serves one database after the other pays that once.
    """
    found = APIRouter()
    for module in (
        *(factories, figures, comparison, evidence, explanation, findings, follow_up, gaps),
        *(ingest, schemas, session, accounts, audit),
        *(todos, tickets),
        documents,
        *(entries, memberships, pool_evidence, pool_policy, webhooks, pool_reports, pool_disputes),
        *(letter_texts, warnings, system),
    ):
        found.include_router(module.router, prefix=PREFIX)
    found.include_router(health.router)
    for page in (
        *(overview_page, factory_page, figure_page, picture_pages),
        *(login_pages, provider_pages, account_pages, audit_page, file_pages),
        *(report_pages, report_page, dispute_pages, dispute_page),
        *(membership_page, evidence_page),
        *(todo_pages, message_pages, ticket_pages, warning_pages),
        *(settings_page, policy_pages, letter_pages),
        *(document_pages, entry_pages, system_pages, webhook_pages),
    ):
        found.include_router(page.router, include_in_schema=False)
    static = str(files("api").joinpath("static"))
    found.mount("/static", StaticFiles(directory=static), name="static")
    return tuple(found.routes)


def _lifespan(
    database_url: str,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = ExitStack()
        try:
            for name, size in (("database", _POOL_SIZE), ("ingest", _INGEST_POOL_SIZE)):
                pool = store.open_pool(database_url, max_size=size)
                lent = Database(await run_in_threadpool(opened.enter_context, pool))
                setattr(app.state, name, lent)
            app.state.pictures = PictureCache()
            warm_up = WarmUp()
            warm_up.start()
            opened.callback(warm_up.finish)
            yield
        finally:
            await run_in_threadpool(opened.close)

    return lifespan
