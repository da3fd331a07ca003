"""`python -m api`: serve the REST interface and the console of a database."""

import argparse
import os
import sys

from api.errors import ApiError
from api.server import DEFAULT_PORT, serve
from store.errors import StoreError


def main() -> int:
    """Serve until Ctrl-C and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m api", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="an address of this machine itself")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes a free one")
    parser.add_argument(
        "--database",
        default=os.environ.get("MILLPOND_DATABASE_URL"),
        help="libpq URL; MILLPOND_DATABASE_URL by default",
    )
    choice = parser.parse_args()
    if not choice.database:
        parser.error("name the database by --database or MILLPOND_DATABASE_URL")
    try:
        serve(choice.database, choice.host, choice.port, _announce)
    except (ApiError, StoreError) as error:
        print(f"the API does not run: {error}", file=sys.stderr)
        return 1
    return 0


def _announce(address: str) -> None:
    print(f"{address} is open; end with Ctrl-C", flush=True)


if __name__ == "__main__":
    sys.exit(main())
