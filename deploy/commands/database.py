"""`millpond db`."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

import store
import store.migrate
from collectors.identity import who
from deploy.commands import backups
from deploy.commands.common import DatabaseOption, database_url
from deploy.commands.retain import retain
from deploy.errors import FileNotReadable
from store import access, plans

app = typer.Typer(no_args_is_help=True)
app.command()(backups.backup)
app.command()(backups.restore)
app.command()(retain)


@app.command()
def migrate(database: DatabaseOption = None) -> None:
    """Bring the schema up to date; safe to run again and from several places at once.

    Example: `millpond db migrate --database postgresql://millpond@127.0.0.1/millpond`
    """
    with closing(store.connect(database_url(database))) as conn:
        applied = store.migrate.migrate(conn)
    for name in applied:
        print(f"applied {name}")
    if not applied:
        print("the schema is up to date")


@app.command("load-plan")
def load_plan(
    file: Annotated[Path, typer.Argument(help="Monitoring plan as JSON.")],
    database: DatabaseOption = None,
) -> None:
    """Store the monitoring plan of a factory; again after each change.

    Example: `millpond db load-plan plan.json`
    """
    plan = _read(file)
    plans.check(plan)
    with closing(store.connect(database_url(database))) as conn:
        plans.load_plan(conn, plan)
    print(f"stored the plan of {plan['factory']['code']}")


@app.command("enrolment-code")
def enrolment_code(
    factory: Annotated[str, typer.Option(help="Code of the factory.")],
    gateway: Annotated[str, typer.Option(help="Id of the gateway, as in its file.")],
    hours: Annotated[int, typer.Option(help="How long the code is good.", min=1, max=720)] = 24,
    client_certificate: Annotated[
        bool,
        typer.Option("--client-certificate", help="It comes with a certificate, not a token."),
    ] = False,
    database: DatabaseOption = None,
) -> None:
    """Print a code that lets one gateway in once: `millpond collector enrol FILE --code CODE`.

    It is shown only here; an earlier code of the gateway becomes void.

    Example: `millpond db enrolment-code --factory DEMO-FIBRE --gateway gw-example-01`
    """
    with closing(store.connect(database_url(database))) as conn:
        code = access.make_enrolment_code(
            conn,
            factory,
            gateway,
            actor=who(),
            hours=hours,
            by_certificate=client_certificate,
        )
    print(code)


@app.command()
def revoke(
    gateway: Annotated[str, typer.Option(help="Id of the gateway, as in its file.")],
    reason: Annotated[str, typer.Option(help="Kept with the record.")] = "",
    database: DatabaseOption = None,
) -> None:
    """Take nothing more from a gateway until it is enrolled with a new code.

    What it sent before stays.

    Example: `millpond db revoke --gateway gw-example-01 --reason "device was stolen"`
    """
    with closing(store.connect(database_url(database))) as conn:
        access.revoke_gateway(conn, gateway, actor=who(), reason=reason)
    print(f"nothing more is taken from {gateway}")


def _read(file: Path) -> dict[str, Any]:
    try:
        # Some editors put a mark of three bytes before UTF-8.
        plan = json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=_once)
    except OSError as error:
        raise FileNotReadable(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileNotReadable(f"{file}: is not UTF-8; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise FileNotReadable(f"{file}:{error.lineno}: is not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise FileNotReadable(f"{file}: holds what no plan does: {error}") from error
    if not isinstance(plan, dict):
        raise FileNotReadable(f"{file}: is no monitoring plan: it must be a JSON object")
    return plan


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; raises ValueError for a key that stands there twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object; only one can count")
    return found
