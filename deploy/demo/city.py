"""The demo from its first process to its last: services, past, figures, live plants, pages."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from rich.console import Console

import api.pool.nightly
import api.pool.notices
import api.server
import simulators.scenarios
import store.databases
import store.migrate
from api.exports.worker import DOCUMENTS
from api.language import Language
from api.pool.entry_runs import ENTRIES
from api.pool.reruns import RERUNS
from api.worker import working
from deploy.broker import EmbeddedBroker
from deploy.children import Child
from deploy.demo import live, outcome, people, table
from deploy.demo.history import Loaded, load_history
from deploy.demo.steps import Step, Steps
from deploy.demo.words import WORDS
from deploy.demo.workers import Workers, tell, workers
from deploy.embedded import EmbeddedPostgres
from deploy.errors import StartFailed
from deploy.ports import LOOPBACK, free_port_near
from deploy.signals import stopped_with_terminal
from kpi import jobs
from kpi.jobs.finding_job import run_findings
from store import measurements

DATABASE = "millpond_demo"
_WORKERS = 2
_JOBS_EVERY_S = 30
# Two that order lines are due in, the running one, and the last four.
_MONTHS_CHECKED = 7
_API_READY_S = 20.0
_COUNT_EVERY_S = 2.0


def run(
    home: Path,
    console: Console,
    *,
    check: bool,
    language: Language = "zh",
    server_url: str | None = None,
    port: int = 8321,
) -> int:
    """Run the demo and return the exit code; without `check` it stays until Ctrl-C.

    With `check` every verified figure is compared with the simulator's truth, and the code is 1
    when one is too far from it or its bounds do not hold it. `server_url` replaces the private
    TimescaleDB cluster by a server of the user's, on which a database millpond_demo is made anew.
    """
    with ExitStack() as opened:
        opened.enter_context(stopped_with_terminal())
        steps = Steps(console, language)
        as_of = live.utc_now()
        names = simulators.scenarios.names()
        with workers(_WORKERS) as helpers:
            url, broker = services(opened, steps, home, server_url)
            truths = _past(steps, url, as_of, helpers)
            found = outcome.rows(url, truths)
            table.show(console, found, language)
            with steps.step(steps.words["findings"]) as step:
                most = _MONTHS_CHECKED * len(names)
                run_findings(url, as_of, helpers.pool, _shown(step), most=most)
        go_live(opened, steps, live.live_plants(names, as_of, broker.port, url, home), url)
        if check:
            return _verdict(console, url, truths, found, language)
        stay(opened, console, url, port, language)
    return 0


def services(
    opened: ExitStack, steps: Steps, home: Path, server_url: str | None
) -> tuple[str, EmbeddedBroker]:
    """Start a database and a broker with their files under `home`; return what leads to them.

    The database is a new millpond_demo, on the user's server where one is named.
    """
    with steps.step(steps.words["services"]):
        if server_url is None:
            # Each start begins anew: nothing of it need outlive a power cut.
            embedded = EmbeddedPostgres(home / "postgres", durable=False)
            cluster = opened.enter_context(embedded)
            server_url = cluster.url("postgres")
        broker = opened.enter_context(EmbeddedBroker(home / "broker"))
        url = store.databases.recreate(server_url, DATABASE)
        with closing(store.connect(url)) as conn:
            store.migrate.migrate(conn)
    return url, broker


def _load(url: str, scenario: str, as_of: datetime) -> Loaded:
    return load_history(url, scenario, as_of, lambda rows, share: tell((scenario, rows, share)))


def _past(steps: Steps, url: str, as_of: datetime, helpers: Workers) -> dict[str, outcome.Truth]:
    pool, news = helpers.pool, helpers.news
    names = simulators.scenarios.names()
    with steps.step(steps.words["history"]) as step:
        loading = [pool.submit(_load, url, name, as_of) for name in names]
        rows = dict.fromkeys(names, 0)
        shares = dict.fromkeys(names, 0.0)
        while not all(_succeeded(future) for future in loading) or not news.empty():
            if not news.empty():
                name, rows[name], shares[name] = news.get()
                note = steps.words["rows"].format(rows=sum(rows.values()))
                step.progress(sum(shares.values()) / len(names), note)
            else:
                time.sleep(0.05)
        loaded = [future.result() for future in loading]
    with steps.step(steps.words["facts"]) as step:
        jobs.run_facts(url, as_of, pool, _shown(step))
    with steps.step(steps.words["figures"]) as step:
        jobs.run_figures(url, as_of, pool, _shown(step))
    return {each.factory_code: each.truth for each in loaded}


def _shown(step: Step) -> jobs.Progress:
    """Return what shows how much of a job is done."""
    return lambda _, done, total: step.progress(done / total)


def _succeeded(future: Future[Loaded]) -> bool:
    """Say whether the work is done; raises what it failed with."""
    return future.done() and future.result() is not None


def go_live(
    opened: ExitStack, steps: Steps, plants: AbstractContextManager[list[Child]], url: str
) -> None:
    """Start the plants and their gateways, and return when every tag has given a value."""
    with steps.step(steps.words["live"]) as step:
        since, children = live.utc_now(), opened.enter_context(plants)
        tags = live.wait_for_live(
            url, since, children, progress=lambda done, total: step.progress(done / total)
        )
        step.progress(1.0, steps.words["tags"].format(tags=tags))


def _verdict(
    console: Console,
    url: str,
    truths: dict[str, outcome.Truth],
    found: list[outcome.Row],
    language: Language,
) -> int:
    years = [row.compared for row in found] + outcome.baselines(url, truths)
    months = outcome.months(url, truths)
    wrong = [each.complaint() for each in years]
    wrong += [each.complaint(close=each.figure.grade == "A") for each in months]
    missing = outcome.unformed(url, truths)
    complaints = [text for text in wrong if text is not None] + missing
    for text in complaints:
        console.print(f"✕ {text}", style="red", markup=False)
    foreseen, unlike = outcome.troubles(url, truths)
    for text in unlike:
        console.print(f"✕ {text}", style="red", markup=False)
    if not unlike:
        console.print(WORDS[language]["foreseen"].format(count=foreseen))
    count = len(years) + len(months) + len(missing)
    agreed = count - len(complaints)
    console.print(WORDS[language]["agree"].format(count=count, agreed=agreed))
    return 1 if complaints or unlike else 0


def stay(
    opened: ExitStack, console: Console, url: str, port: int, language: Language = "zh"
) -> None:
    """Make sample accounts, serve the pages, refresh the figures and follow up until Ctrl-C."""
    people.show(console, people.make(url, language), language)
    with closing(store.connect(url)) as conn:  # so that there is something to do at once
        api.pool.nightly.once(conn, datetime.now(UTC))
    opened.enter_context(jobs.scheduled(url, _JOBS_EVERY_S))
    opened.enter_context(api.pool.nightly.scheduled(url))
    opened.enter_context(api.pool.notices.scheduled(url, ()))
    opened.enter_context(working(url, DOCUMENTS, ENTRIES, RERUNS))
    port = free_port_near(port)
    opened.enter_context(_pages(url, port))
    words = WORDS[language]
    console.print(words["address"].format(url=f"http://{LOOPBACK}:{port}/"), style="bold")
    status = console.status(words["collecting"].format(rows=0, batches=0))
    if console.is_terminal:  # a file would get an empty line of it
        opened.enter_context(status)
    with closing(store.connect(url)) as conn, suppress(KeyboardInterrupt):
        while True:
            rows, batches = measurements.count(conn)
            status.update(words["collecting"].format(rows=rows, batches=batches))
            time.sleep(_COUNT_EVERY_S)
    status.update(words["stopping"])


@contextmanager
def _pages(url: str, port: int) -> Iterator[None]:
    server = uvicorn.Server(api.server.config(url, LOOPBACK, port, access=people.ACCESS))
    thread = threading.Thread(target=server.run, name="api", daemon=True)
    thread.start()
    deadline = time.monotonic() + _API_READY_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise StartFailed("the pages could not be served; is the port taken?")
        time.sleep(0.05)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(_API_READY_S)
