"""`millpond db`."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

import store
import store.migrate
from deploy.commands.common import DatabaseOption, database_url
from deploy.errors import FileNotReadable
from store import plans

app = typer.Typer(no_args_is_help=True)


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
    with closing(store.connect(database_url(database))) as conn:
        plans.load_plan(conn, plan)
    print(f"stored the plan of {plan['factory']['code']}")


def _read(file: Path) -> dict[str, Any]:
    try:
        plan = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileNotReadable(f"{file}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileNotReadable(f"{file}: is not UTF-8; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise FileNotReadable(f"{file}:{error.lineno}: is not JSON: {error.msg}") from error
    if not isinstance(plan, dict):
        raise FileNotReadable(f"{file}: is no monitoring plan: it must be a JSON object")
    return plan
