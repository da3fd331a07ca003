"""`millpond pool entries`."""

from deploy.commands.common import DatabaseOption, database_url


def entries(database: DatabaseOption = None) -> None:
    """Try and take in the entry lists that wait, and end; `millpond api serve` does so too.

    Example: `millpond pool entries`
    """
    from api.pool.entry_runs import ENTRIES  # slow to import
    from api.worker import work_off

    print(f"{work_off(ENTRIES, database_url(database))} lists done")
